"""``labctl run``: a recipe on a set-up, real or simulated."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli._display import RunDisplay, lab_time
from labctl.cli._interrupt import commands_by_interrupt
from labctl.errors import ConfigError, LabctlError
from labctl.host import ChildHost, LocalHost, RunReport, RunRequest, prepare

__all__ = ["carry_out", "run"]

BAD_INPUT, NOT_COMPLETE = 2, 1


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
    report = carry_out(request, child=child)
    print(report.product or report.journal)
    if report.outcome.status != "complete":
        raise typer.Exit(NOT_COMPLETE)


def carry_out(request: RunRequest, *, child: bool = False) -> RunReport:
    """Show the plan, run, show progress; bad input ends the program with status 2."""
    console = Console(stderr=True)
    try:
        _show_plan(console, request)
        host = ChildHost() if child else LocalHost()
        with RunDisplay(console) as display, commands_by_interrupt(host.post, console.print):
            return host.run(request, [display])
    except ConfigError as error:
        for problem in error.problems:
            console.print(str(problem), style="red", highlight=False, markup=False)
        raise typer.Exit(BAD_INPUT) from error
    except LabctlError as error:
        console.print(str(error), style="bold red", highlight=False, markup=False)
        raise typer.Exit(NOT_COMPLETE) from error


def _show_plan(console: Console, request: RunRequest) -> None:
    setup, _, plan = prepare(request)
    where = f"{setup.name}, simulated (seed {request.seed})" if request.simulate else setup.name
    expected = lab_time(plan.expected_s or 0.0)
    console.print(
        f"{plan.name}: {plan.points} points, about {expected} of lab time, on {where}",
        highlight=False,
        markup=False,
    )
    for notice in setup.notices:
        console.print(notice, style="yellow", highlight=False, markup=False)
