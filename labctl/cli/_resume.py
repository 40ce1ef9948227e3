"""``labctl resume``: goes on with a run that was killed, aborted or failed."""

from pathlib import Path
from typing import Annotated

import typer

from labctl.cli._run import carry_out, finish, report_as_json
from labctl.cli._say import say_note
from labctl.host import open_past, resume_request

__all__ = ["resume"]


def resume(
    run: Annotated[Path, typer.Argument(help="Run folder or journal.")],
    accept: Annotated[
        bool, typer.Option("--accept", help="Go on although something is not as it was.")
    ] = False,
    setup: Annotated[
        Path | None, typer.Option(help="Set-up file, if it is not where it was.")
    ] = None,
    child: Annotated[
        bool, typer.Option("--child", help="Run the engine in a process of its own.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON lines instead, as 'labctl run' does.")
    ] = False,
) -> None:
    """Go on with an interrupted run; the last line of output is the path of its one file.

    Recipe, set-up, instruments, calibrations and the version of labctl must be as they were;
    otherwise every difference is named, and --accept goes on all the same and records them. The
    recipe that the run began with is the one that counts. What was set is set again, temperatures
    settle by the full rule, the dot is looked for again, the last point is repeated once and
    marked as overlap; then comes what is left.
    """
    request = resume_request(run, accept=accept, setup=setup)
    past = open_past(run)
    say_note(f"goes on after {past.points} points; {past.status}: {past.reason}".rstrip(": "))
    if as_json:
        report_as_json(request, child=child)
    else:
        finish(carry_out(request, child=child))
