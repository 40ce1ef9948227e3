"""The program ``labctl``: its commands, loaded when they are asked for, and its exit status."""

import gc
import os
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from labctl.cli._say import BAD_INPUT, FAILED, say_error, say_problems
from labctl.errors import ConfigError, LabctlError

__all__ = ["app", "main"]

_MADE_BEFORE_GARBAGE = 20_000

COMMANDS = {
    "demo": "labctl.cli._demo:demo",
    "run": "labctl.cli._run:run",
    "rehearse": "labctl.cli._rehearse:rehearse",
    "check": "labctl.cli._check:check",
    "new": "labctl.cli._new:new",
    "schema": "labctl.cli._schema:schema",
    "devices": "labctl.cli._devices:devices",
    "show": "labctl.cli._show:show",
    "analyze": "labctl.cli._analyze:analyze",
    "report": "labctl.cli._export:report",
    "export": "labctl.cli._export:export",
    "resume": "labctl.cli._resume:resume",
    "report-failure": "labctl.cli._report_failure:report_failure",
    "recover": "labctl.cli._recover:recover",
    "gui": "labctl.cli._gui:gui",
    "engine": "labctl.cli._gui:engine",
    "status": "labctl.cli._status:status",
    "sim": "labctl.cli._sim:app",
}
"""Name → where it is; ``--help`` alone loads all of them."""


class Commands(TyperGroup):
    """Loads commands lazily and turns errors into exit status 2 (bad input) or 1."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found: Any = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            return get_command(found)
        single = typer.Typer(add_completion=False)
        single.command(cmd_name)(found)
        return get_command(single)

    def invoke(self, ctx: Any) -> Any:
        """Carry the command out."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            say_problems(error.problems)
            raise typer.Exit(BAD_INPUT) from error
        except LabctlError as error:
            say_error(str(error))
            raise typer.Exit(FAILED) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Instrument control and acquisition for cryogenic micro-photoluminescence.",
)


@app.callback()
def _root() -> None:
    """Instrument control and acquisition for cryogenic micro-photoluminescence."""


def main() -> None:
    """Run the program; the entry point of ``labctl``."""
    # The fits here are small: threads of a linear algebra library only fight the engine for cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Most of what is made at the start stays: to look through it for garbage after every 700
    # objects, as is the default, takes a sixth of that time.
    gc.set_threshold(_MADE_BEFORE_GARBAGE, 10, 10)
    app()
