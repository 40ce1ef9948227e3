"""``labctl analyze``: the quantities that a stored run determines, with their errors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from labctl.analysis import Measured
from labctl.cli._runs import one_run
from labctl.cli._say import say_error, say_note, screen
from labctl.errors import AnalysisError, ConfigError, Problem
from labctl.results import (
    DECAY_HEADER,
    TABLE_HEADER,
    RunAnalysis,
    analyze_run,
    compared,
    decay_rows,
    json_text,
    law_lines,
    parse_given,
    save_figure,
    summarized,
    table_rows,
)
from labctl.storage import read_run

__all__ = ["analyze", "show_analysis"]


def analyze(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, journals or products.")],
    as_json: Annotated[
        Path | None, typer.Option("--json", help="Write the results there; - for standard output.")
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for figures.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(help="Tell the analysis a number: 'name=value +- error'."),
    ] = None,
) -> None:
    """Fit the spectra of runs and show quantities with standard errors.

    Several runs are also compared: their dots in batches, one for each sample.
    """
    told = _told(given or ())
    failed = 0
    done: list[RunAnalysis] = []
    for path in [one_run(path) for path in runs]:
        try:
            analysis = analyze_run(read_run(path), told)
        except AnalysisError as error:
            say_error(f"{path}: {error}")
            failed += 1
            continue
        done.append(analysis)
        _tell(analysis, as_json if len(runs) == 1 else None)
        if plots is not None:
            plots.mkdir(parents=True, exist_ok=True)
            figure = save_figure(analysis, plots / f"{path.stem}.png")
            screen(error=str(as_json) == "-").print(f"figure: {figure}")
    if len(runs) > 1 and done:
        _tell(compared(done, told), as_json)
    if failed:
        raise typer.Exit(1)


def _told(given: Sequence[str]) -> dict[str, Measured]:
    """Return the numbers of ``--given``.

    Raises:
        ConfigError: Names all that are none.
    """
    told: dict[str, Measured] = {}
    problems: list[Problem] = []
    for name, _, value in (text.partition("=") for text in given):
        try:
            told[name.strip()] = parse_given(value)
        except AnalysisError as error:
            hint = "write it like 'bulk_energy=2.333' or 'bulk_energy=2.333 +- 0.002'"
            problems.append(Problem(str(error), f"--given {name.strip()}", hint))
    if problems:
        raise ConfigError(problems)
    return told


def show_analysis(analysis: RunAnalysis) -> None:
    """Show the table of the points and the laws."""
    console = screen()
    parts = ((TABLE_HEADER, table_rows(analysis)), (DECAY_HEADER, decay_rows(analysis)))
    for header, rows in parts:
        if rows:
            table = Table(*header, title=analysis.title or None)
            for row in rows:
                table.add_row(*row)
            console.print(table)
    for line in law_lines(analysis):
        console.print(line)
    for text in summarized(analysis.warnings):
        say_note(text)


def _tell(analysis: RunAnalysis, as_json: Path | None) -> None:
    if as_json is None:
        show_analysis(analysis)
    elif str(as_json) == "-":
        print(json_text(analysis), end="")
    else:
        as_json.write_text(json_text(analysis), encoding="utf-8")
        show_analysis(analysis)
