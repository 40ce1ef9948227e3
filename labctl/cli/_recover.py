"""``labctl recover``: the finished file of a run whose process died."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from labctl.cli._say import say_data, say_note, screen
from labctl.storage import RecoverReport
from labctl.storage import recover as recover_run

__all__ = ["recover"]


def recover(
    runs: Annotated[list[Path], typer.Argument(help="Run folders or journals.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write the report as JSON.")] = False,
) -> None:
    """Make the file of a run from its journal; doing it again changes nothing."""
    reports = [recover_run(path) for path in runs]
    if as_json:
        say_data([_plain(report) for report in reports])
        return
    for report in reports:
        done = "made" if report.made else "was there already"
        points = f"{report.status.value}, {report.points} points"
        screen(error=True).print(f"{report.folder}: {points}; the file {done}")
        for remark in report.remarks:
            say_note(remark)
        print(report.product)


def _plain(report: RecoverReport) -> dict[str, object]:
    tails = {name: asdict(tail) for name, tail in report.tails.items()}
    return {
        "folder": str(report.folder),
        "product": str(report.product),
        "status": report.status.value,
        "points": report.points,
        "made": report.made,
        "tails": tails,
        "remarks": list(report.remarks),
    }
