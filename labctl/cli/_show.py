"""``labctl show``: what a run is and holds, also while it is going on or after a crash."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from labctl.cli._say import say_data, say_note, screen
from labctl.cli._show_catalogue import show_catalogue
from labctl.storage import Run, TailState, list_runs, read_run

__all__ = ["show"]

_ALWAYS = ("index", "measurement", "label", "live_time_s", "photons_counts", "quality")
_MOST_ROWS = 40


def show(
    path: Annotated[
        Path, typer.Argument(help="Run folder, journal or product; many runs; catalogue of dots.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write it as JSON.")] = False,
) -> None:
    """Show a run, list the runs below a folder, or the dots of a catalogue (.json)."""
    if path.suffix == ".json":
        show_catalogue(path, as_json=as_json)
        return
    runs = list_runs(path) if path.is_dir() else ()
    if path.is_dir() and not runs and not as_json:
        say_note(f"no run lies below {path}")
        return
    single = not path.is_dir() or any(folder.path == path for folder in runs)
    shown = [read_run(path)] if single else [read_run(folder.path) for folder in runs]
    if not single and not as_json:
        _list(shown)
    elif as_json:
        found = [_plain(run) for run in shown]
        say_data(found[0] if single else found)
    else:
        _show(shown[0])


def _list(runs: list[Run]) -> None:
    table = Table("run", "status", "points", Column("folder", overflow="fold"))
    for run in runs:
        table.add_row(run.name, run.status.value, str(_points(run)), str(run.path.parent))
    screen().print(table)


def _show(run: Run) -> None:
    console = screen()
    for name, value in _plain(run).items():
        if name not in ("columns", "tails", "sidecars") and value not in ("", None, [], {}):
            console.print(f"{name}: {value}")
    if run.sidecars:
        console.print(f"raw records: {len(run.sidecars)} files beside it")
    for tail in run.tails:
        if tail.state is not TailState.END:
            say_note(f"journal: {tail.reason}")
    if _points(run):
        console.print(_table(run))


def _table(run: Run) -> Table:
    columns = [column for column in _columns(run) if _tells(*column)]
    heads = [f"{name} / {units}" if units else name for name, units, _ in columns]
    table = Table(*[Column(head, overflow="fold") for head in heads])
    rows = list(zip(*[values for _, _, values in columns], strict=True))
    for row in rows[:_MOST_ROWS]:
        table.add_row(*[f"{v:.6g}" if isinstance(v, float) else str(v) for v in row])
    if len(rows) > _MOST_ROWS:
        table.caption = f"and {len(rows) - _MOST_ROWS} more"
    return table


def _columns(run: Run) -> list[tuple[str, str, list[Any]]]:
    """Return name, unit and values of what was set, read and counted, of each point."""
    dataset = run.points
    found: list[tuple[str, str, list[Any]]] = []
    for name in dataset.variables:
        values = dataset[name]
        if values.attrs.get("role") in ("set", "read") or name in _ALWAYS:
            found.append((str(name), str(values.attrs.get("units", "")), values.values.tolist()))
    return found


def _tells(name: str, _units: str, values: list[Any]) -> bool:
    """Return whether there is anything in a column: place is short in a terminal.

    What was set or read is a number even if it is 0.
    """
    nothing = ("", None, 0) if name in _ALWAYS else ("", None)
    return any(value not in nothing and value == value for value in values)


def _points(run: Run) -> int:
    return int(run.points.sizes.get("point", 0))


def _plain(run: Run) -> dict[str, Any]:
    start, stop = run.start, run.stop or {}
    return {
        "path": str(run.path),
        "uid": run.uid,
        "name": run.name,
        "status": run.status.value,
        "reason": stop.get("reason", ""),
        "sample": start.get("sample", {}),
        "user": start.get("user", ""),
        "simulated": bool(start.get("simulated", False)),
        "segments": len(run.segments),
        "points": _points(run),
        "measurements": {name: dict(data.sizes) for name, data in run.data.items()},
        "monitors": {name: int(array.size) for name, array in run.monitors.items()},
        "sidecars": [str(entry["name"]) for entry in run.sidecars],
        "interlocks": [e.message for e in run.events if e.name == "interlock"],
        "warnings": [
            e.message
            for e in run.events
            if e.level in ("warning", "error") and e.name != "interlock"
        ],
        "tails": [{"state": tail.state.value, "reason": tail.reason} for tail in run.tails],
        "columns": {
            name: {"units": units, "values": values} for name, units, values in _columns(run)
        },
    }
