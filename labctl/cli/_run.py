"""``labctl run``: a recipe on a set-up, real or simulated."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from labctl.cli._display import RunDisplay, lab_time
from labctl.cli._interrupt import commands_by_interrupt
from labctl.cli._json_lines import failure_line, print_event, print_line, report_line
from labctl.cli._options import Changes, Out, Recipe, Sample, Seed, SetupFile, Simulate
from labctl.cli._say import FAILED, say_note, screen
from labctl.errors import LabctlError
from labctl.events import Event
from labctl.host import (
    ChildHost,
    LocalHost,
    RunReport,
    RunRequest,
    open_past,
    prepare,
    prepare_again,
)

__all__ = ["carry_out", "finish", "report_as_json", "run"]

Listener = Callable[[Event], None]


def run(
    recipe: Recipe,
    setup: SetupFile,
    simulate: Simulate = False,
    sample: Sample = None,
    seed: Seed = 0,
    out: Out = None,
    changes: Changes = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Simulate on the wall clock.")
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(min=0.001, help="Simulate on the wall clock, so many times faster."),
    ] = None,
    child: Annotated[
        bool, typer.Option("--child", help="Run the engine in a process of its own.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON lines instead, see above.")
    ] = False,
) -> None:
    """Carry out a recipe; the last line of output is the path of the file.

    With --json, standard output has one JSON object per line: every event of the run as it
    happens (its "kind" says which: run_started, move_finished, point_stored, message, ...), and
    as the last line, also when the run is refused or fails, an object of kind "result" with
    status (complete, aborted, failed; refused if the input is wrong), reason, skipped (steps),
    unsafe (what could not be made safe), journal, product (null if there is none) and problems
    (what, where, hint). What is meant for people stays on standard error.
    """
    request = RunRequest(
        setup=setup,
        recipe=recipe,
        simulate=simulate,
        sample=sample,
        seed=seed,
        speed=speed if speed is not None else (1.0 if realtime else None),
        out=out,
        changes=tuple(changes or ()),
    )
    if as_json:
        report_as_json(request, child=child)
    else:
        finish(carry_out(request, child=child))


def report_as_json(request: RunRequest, *, child: bool) -> None:
    """Run, with every event and the result as a JSON line; status 1 unless all was measured."""
    try:
        report = carry_out(request, child=child, listeners=[print_event])
    except LabctlError as error:
        print_line(failure_line(error))
        raise
    print_line(report_line(report))
    _judge(report)


def finish(report: RunReport) -> None:
    """Print the path of the run's file as the last line; status 1 unless all was measured."""
    for remark in report.remarks:
        say_note(remark)
    print(report.product or report.journal)
    _judge(report)


def _judge(report: RunReport) -> None:
    outcome = report.outcome
    if outcome.status != "complete" or outcome.skipped or report.product is None:
        raise typer.Exit(FAILED)


def carry_out(
    request: RunRequest, *, child: bool = False, listeners: Sequence[Listener] = ()
) -> RunReport:
    """Show the plan, run, show progress, tell ``listeners``; returns how it ended."""
    console = screen(error=True)
    _show_plan(request)
    host = ChildHost() if child else LocalHost()
    with RunDisplay(console) as display, commands_by_interrupt(host.post, console.print):
        return host.run(request, [display, *listeners])


def _show_plan(request: RunRequest) -> None:
    if request.resume is None:
        setup, _, plan = prepare(request)
    else:
        setup, _, plan = prepare_again(request, open_past(request.resume))
    where = f"{setup.name}, simulated (seed {request.seed})" if request.simulate else setup.name
    expected = lab_time(plan.expected_s or 0.0)
    screen(error=True).print(
        f"{plan.name}: {plan.points} points, about {expected} of lab time, on {where}"
    )
    for notice in setup.notices:
        say_note(notice)
