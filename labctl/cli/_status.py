"""``labctl status``: how an engine stands, without a window."""

from pathlib import Path
from typing import Annotated, Any

import typer

from labctl.cli._say import say_data, screen
from labctl.cli._which_engine import At, TokenFile, far_engine
from labctl.errors import LabctlError
from labctl.host.server import EngineClient, attach, attach_to

__all__ = ["status"]

_ANSWERS_S = 20.0
_LINES = 5


def status(
    setup: Annotated[Path | None, typer.Option(help="Set-up file (YAML).")] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="The engine of the simulated set-up.")
    ] = False,
    engine: At = "",
    token_file: TokenFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write everything as JSON.")] = False,
) -> None:
    """Ask an engine how it stands, and hang up."""
    far = far_engine(setup, engine, token_file)
    client: EngineClient | None = None
    if far is not None:
        client = attach_to(far, _unheard, _nothing)
    elif setup is not None:
        client = attach(setup, simulate=simulate, told=_unheard, gone=_nothing)
    if client is None:
        message = f"no engine answers at {engine}" if engine else f"no engine has {setup}"
        raise LabctlError(message)
    try:
        told: dict[str, Any] = client.ask("snapshot").result(_ANSWERS_S)
    finally:
        client.close()
    if as_json:
        say_data(told)
    else:
        _show(told)


def _show(told: dict[str, Any]) -> None:
    engine, run, console = told["engine"], told["run"], screen()
    how = "connected" if engine["connected"] else engine["problem"] or "connecting"
    simulated = ", simulated" if engine["simulated"] else ""
    console.print(f"{engine['setup']}: {how}{simulated}, {engine['task'] or 'idle'}")
    if engine["listens"]:
        console.print(f"listens at {engine['listens']}")
    if run["run"]:
        of = f" of {run['expected']}" if run["expected"] else ""
        console.print(f"run {run['name']!r}: {run['state']}, {run['points']}{of} points")
    if engine["queue"]:
        console.print(f"queue: {', '.join(entry['name'] for entry in engine['queue'])}")
    for entry in told["log"][-_LINES:]:
        console.print(f"{entry['t_utc']} {entry['level']} {entry['device']}: {entry['text']}")


def _unheard(*_: object) -> None:
    """Take what an engine tells without being asked."""


def _nothing() -> None:
    """Take it that the engine hangs up; whoever waits for an answer is told."""
