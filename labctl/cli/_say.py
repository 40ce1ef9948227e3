"""How the command line speaks: problems on standard error, results on standard output."""

import json
import os
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from labctl.errors import Problem

__all__ = ["BAD_INPUT", "FAILED", "say_data", "say_error", "say_note", "say_problems", "screen"]

FAILED, BAD_INPUT = 1, 2
_NO_LIMIT = 1000
"""Characters in a line of a file or pipe."""


def screen(*, error: bool = False) -> Console:
    """Return the terminal; long lines are not broken, so that other programs can read them.

    Where there is no terminal, tables are as wide as they are, unless ``COLUMNS`` says otherwise.
    """
    console = Console(stderr=error, soft_wrap=True, highlight=False, markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _NO_LIMIT
    return console


def say_problems(problems: Sequence[Problem]) -> None:
    """Write every problem: where, what, how to mend it."""
    console = screen(error=True)
    for problem in problems:
        where = (f"{problem.where}: ", "bold") if problem.where else ""
        hint = (f" ({problem.hint})", "cyan") if problem.hint else ""
        console.print(Text.assemble(where, (problem.what, "red"), hint))
    number = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    console.print(f"{number}; nothing was touched")


def say_error(text: str) -> None:
    """Write what failed."""
    screen(error=True).print(Text(text, style="bold red"))


def say_note(text: str) -> None:
    """Write what a person should know."""
    screen(error=True).print(Text(text, style="yellow"))


def say_data(data: Any) -> None:
    """Write JSON for other programs."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str))
