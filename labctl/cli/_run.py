"""``labctl run``: a recipe on a set-up, real or simulated."""

from pathlib import Path
from typing import Annotated

import typer

from labctl.cli._display import RunDisplay, lab_time
from labctl.cli._interrupt import commands_by_interrupt
from labctl.cli._say import FAILED, say_note, screen
from labctl.host import ChildHost, LocalHost, RunReport, RunRequest, prepare

__all__ = ["carry_out", "finish", "run"]


def run(
    recipe: Annotated[Path, typer.Argument(help="Recipe file (YAML).")],
    setup: Annotated[Path, typer.Option(help="Set-up file (YAML).")],
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Replace every instrument by its simulator.")
    ] = False,
    sample: Annotated[Path | None, typer.Option(help="Sample file of the simulation.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for runs.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="Change the set-up: key=value.")
    ] = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Simulate on the wall clock.")
    ] = False,
    speed: Annotated[
        float | None, typer.Option(help="Simulate on the wall clock, so many times faster.")
    ] = None,
    child: Annotated[
        bool, typer.Option("--child", help="Run the engine in a process of its own.")
    ] = False,
) -> None:
    """Carry out a recipe; the last line of output is the path of the file."""
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
    finish(carry_out(request, child=child))


def finish(report: RunReport) -> None:
    """Print the path of the run's file as the last line; status 1 unless all was measured."""
    print(report.product or report.journal)
    outcome = report.outcome
    if outcome.status != "complete" or outcome.skipped or report.product is None:
        raise typer.Exit(FAILED)


def carry_out(request: RunRequest, *, child: bool = False) -> RunReport:
    """Show the plan, run, show progress; returns how it ended."""
    console = screen(error=True)
    _show_plan(request)
    host = ChildHost() if child else LocalHost()
    with RunDisplay(console) as display, commands_by_interrupt(host.post, console.print):
        return host.run(request, [display])


def _show_plan(request: RunRequest) -> None:
    setup, _, plan = prepare(request)
    where = f"{setup.name}, simulated (seed {request.seed})" if request.simulate else setup.name
    expected = lab_time(plan.expected_s or 0.0)
    screen(error=True).print(
        f"{plan.name}: {plan.points} points, about {expected} of lab time, on {where}"
    )
    for notice in setup.notices:
        say_note(notice)
