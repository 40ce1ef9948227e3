"""A run as one page to read, print and send: facts, results, figure, points, instruments."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from labctl.errors import AnalysisError
from labctl.results import (
    DECAY_HEADER,
    TABLE_HEADER,
    RunAnalysis,
    analyze_run,
    decay_rows,
    figure_png,
    format_measured,
    meaning,
    summarized,
    table_rows,
)
from labctl.storage import Quality, Run

__all__ = ["report_html"]

_STYLE = """
body { font: 15px/1.45 sans-serif; color: #222; max-width: 60em; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #ccc }
table { border-collapse: collapse } th { text-align: left; background: #f0f0f0 }
th, td { padding: 0.2em 0.8em 0.2em 0.3em; border-bottom: 1px solid #ddd; vertical-align: top }
.wide { overflow-x: auto } img { max-width: 100% } pre { background: #f6f6f6; padding: 0.5em }
.warn { background: #fff3cd; padding: 0.3em 0.6em } .bad { background: #f8d7da }
"""
_COUNTED = ("index", "measurement", "label", "live_time_s", "photons_counts")

Row = Sequence[object]


def report_html(run: Run) -> str:
    """Return a page of HTML that stands by itself: no scripts, no other files.

    A run that holds nothing to analyse, or failed, has a page without results that says so.
    """
    try:
        analysis, missing = analyze_run(run), ""
    except AnalysisError as error:
        analysis, missing = None, str(error)
    parts = [
        _head(run),
        *_troubles(run),
        *(_results(analysis) if analysis else [_note(missing)]),
        *_points(run),
        *_calibrations(run),
        *_instruments(run),
        *_files(run),
        *_recipe(run),
    ]
    title = escape(run.title or run.name)
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return (
        f"<!DOCTYPE html>\n<html><head>{head}</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _head(run: Run) -> str:
    start, stop = run.start, run.stop or {}
    sample: Mapping[str, Any] = start.get("sample") or {}
    setup: Mapping[str, Any] = start.get("setup") or {}
    segments = run.segments
    began = segments[0].began_utc if segments else None
    ended = segments[-1].ended_utc if segments else None
    plan: Mapping[str, Any] = start.get("plan") or {}
    stored = int(run.points.sizes.get("point", 0))
    facts = {
        "run": f"{run.name} ({run.uid})",
        "status": f"{run.status.value} {stop.get('reason', '')}".strip(),
        "sample": " ".join(str(sample.get(key, "")) for key in ("name", "dot")).strip(),
        "set-up": str(setup.get("name", "")) + (", SIMULATED" if start.get("simulated") else ""),
        "user": str(start.get("user", "")),
        "began": "" if began is None else f"{began:%Y-%m-%d %H:%M:%S} UTC",
        "ended": "" if ended is None else f"{ended:%Y-%m-%d %H:%M:%S} UTC",
        "segments": str(len(segments)) if len(segments) > 1 else "",
        "points": f"{stored} stored, {plan.get('points', '?')} planned",
        "labctl": str(start.get("labctl_version", "")),
    }
    rows = [(name, value) for name, value in facts.items() if value]
    return f"<h1>{escape(run.title or run.name)}</h1>\n" + _table((), rows)


def _troubles(run: Run) -> Iterator[str]:
    """Yield what was said beyond information, interlocks among it, each text once."""
    said = [e for e in run.events if e.level in ("warning", "error")]
    if said:
        yield "<h2>What happened</h2>"
        yield from (_note(text, bad=level == "error") for text, level in _once(said))


def _once(events: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Yield message and level of events, the first of equal ones."""
    seen: dict[str, str] = {}
    for event in events:
        seen.setdefault(event.message, event.level)
    yield from seen.items()


def _results(analysis: RunAnalysis) -> Iterator[str]:
    yield "<h2>Results</h2>"
    yield from (_note(text) for text in summarized(analysis.warnings))
    rows = [
        (
            result.experiment,
            meaning(result.quantity),
            f"{format_measured(result.measured)} {result.unit}".strip(),
            "" if result.point is None else result.point,
        )
        for result in analysis.results
    ]
    yield _table(("experiment", "quantity", "value ± standard error", "point"), rows)
    for header, found in (
        (TABLE_HEADER, table_rows(analysis)),
        (DECAY_HEADER, decay_rows(analysis)),
    ):
        if found:
            yield "<p></p>" + _table(header, found)
    yield from _figure(analysis)


def _figure(analysis: RunAnalysis) -> Iterator[str]:
    try:
        picture = figure_png(analysis, dpi=110)
    except AnalysisError:
        return  # nothing that could be drawn: the table says all
    data = base64.b64encode(picture).decode("ascii")
    yield f'<p><img alt="spectra, decays and fits" src="data:image/png;base64,{data}"></p>'


def _points(run: Run) -> Iterator[str]:
    dataset = run.points
    if not dataset.sizes.get("point", 0):
        return
    names = [
        str(name)
        for name in dataset.variables
        if str(name) in _COUNTED or dataset[name].attrs.get("role") == "set"
    ]
    names = [name for name in names if any(_shown(v) for v in dataset[name].values.tolist())]
    units = [str(dataset[name].attrs.get("units", "")) for name in names]
    header = [f"{name} / {unit}" if unit else name for name, unit in zip(names, units, strict=True)]
    columns = [[_shown(v) for v in dataset[name].values.tolist()] for name in names]
    quality = [_quality(int(bits)) for bits in dataset["quality"].values.tolist()]
    yield "<h2>Points</h2>"
    yield _table((*header, "quality"), list(zip(*columns, quality, strict=True)))


def _quality(bits: int) -> str:
    names = [str(flag.name).lower().replace("_", " ") for flag in Quality if flag & bits]
    return ", ".join(names) or "good"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if np.isfinite(value) else ""
    return str(value)


def _calibrations(run: Run) -> Iterator[str]:
    """Yield those in force at the start, and those that the run made itself."""
    known: Mapping[str, Mapping[str, Mapping[str, Any]]] = run.start.get("calibrations") or {}
    rows: list[Row] = [
        (kind, key, entry.get("calibrated_at", ""), "from before")
        for kind, entries in known.items()
        for key, entry in entries.items()
    ]
    for entry in run.analyses:
        if entry.get("what") == "calibration":
            result: Mapping[str, Any] = entry.get("result") or {}
            taken = result.get("calibrated_at", "")
            rows.append((entry.get("name", ""), entry.get("key", ""), taken, "made in this run"))
    if rows:
        yield "<h2>Calibrations</h2>"
        yield _table(("calibration", "of", "taken", ""), rows)


def _instruments(run: Run) -> Iterator[str]:
    identities: Mapping[str, Mapping[str, Any]] = run.start.get("identities") or {}
    if identities:
        yield "<h2>Instruments</h2>"
        yield _table(
            ("instrument", "says it is"),
            [
                (name, ", ".join(f"{key} {value}" for key, value in identity.items() if value))
                for name, identity in identities.items()
            ],
        )


def _files(run: Run) -> Iterator[str]:
    yield "<h2>Data</h2>"
    yield f"<p>{escape(run.path.name)}</p>"
    if run.sidecars:
        rows = [(e["name"], f"{int(e['size']):,}", e["sha256"]) for e in run.sidecars]
        yield '<div class="wide">' + _table(("raw records", "bytes", "SHA-256"), rows) + "</div>"


def _recipe(run: Run) -> Iterator[str]:
    text = json.dumps(run.start.get("recipe") or {}, indent=2, ensure_ascii=False)
    yield f"<details><summary>recipe</summary><pre>{escape(text)}</pre></details>"


def _note(text: str, *, bad: bool = False) -> str:
    kind = "warn bad" if bad else "warn"
    return f'<p class="{kind}">{escape(text)}</p>'


def _table(header: Sequence[str], rows: Iterable[Row]) -> str:
    """Return a table; without header its first column is one."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    lines = [f"<tr>{head}</tr>"] if header else []
    for row in rows:
        cells = [escape(str(cell)) for cell in row]
        first = f"<td>{cells[0]}</td>" if header else f"<th>{cells[0]}</th>"
        lines.append(f"<tr>{first}" + "".join(f"<td>{cell}</td>" for cell in cells[1:]) + "</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"
