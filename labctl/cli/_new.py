"""``labctl new``: a recipe or set-up to begin with, every key explained."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import typer

from labctl.cli._say import screen
from labctl.errors import ConfigError, Problem

__all__ = ["new", "template"]


def new(
    kind: Annotated[Literal["recipe", "setup"], typer.Argument(help="What to begin.")],
    file: Annotated[Path, typer.Argument(help="The file to write.")],
) -> None:
    """Write a new recipe or set-up with comments; never overwrites a file."""
    try:
        with file.open("x", encoding="utf-8") as new_file:
            new_file.write(template(kind))
    except FileExistsError as error:
        raise ConfigError([Problem("is there already", str(file), "give another name")]) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError([Problem(f"cannot be written: {reason}", str(file))]) from error
    screen().print(f"{file} written; check it with: labctl check {file}")


def template(kind: str) -> str:
    """Return the text of a new file."""
    return files("labctl.cli").joinpath("templates", f"{kind}.yaml").read_text(encoding="utf-8")
