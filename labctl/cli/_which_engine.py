"""Which engine a command is about: that of a set-up of this computer, or one that is far away."""

import re
from pathlib import Path
from typing import Annotated

import typer

from labctl.errors import ConfigError, Problem
from labctl.host.server import FarEngine, read_token, token_in

__all__ = ["At", "TokenFile", "far_engine"]

_VARIABLE = "LABCTL_TOKEN"

At = Annotated[
    str,
    typer.Option("--engine", metavar="HOST:PORT", help="Engine that listens for other computers."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(help=f"File with the token of that engine; else {_VARIABLE} holds it."),
]


def far_engine(setup: Path | None, at: str, token_file: Path | None) -> FarEngine | None:
    """Return the engine that is named by its place; None: it is that of the set-up.

    Raises:
        ConfigError: Neither or both are named, the place is none, or there is no good token.
    """
    if setup is not None and at:
        what = "the engine that listens there has a set-up already"
        raise _problem("--engine", what, "leave --setup out")
    if setup is None and not at:
        hint = "name a set-up file, or an engine with '--engine HOST:PORT'"
        raise _problem("--setup", "nothing says which engine", hint)
    if not at:
        return None
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\s\[\]]+)):(\d{1,5})", at)
    if found is None or not 0 < int(found[3]) < 65536:
        hint = "write it like '127.0.0.1:47110'"
        raise _problem("--engine", f"{at!r} is no place of an engine", hint)
    place = "--token-file"
    token = read_token(token_file, place) if token_file else token_in(_VARIABLE, place)
    return FarEngine(found[1] or found[2], int(found[3]), token)


def _problem(where: str, what: str, hint: str) -> ConfigError:
    return ConfigError([Problem(what, where, hint)])
