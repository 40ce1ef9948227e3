"""``labctl schema``: JSON schemas, so that editors complete and check files while one types."""

from typing import Annotated, Literal

import typer

from labctl.cli._say import say_data

__all__ = ["schema"]


def schema(
    kind: Annotated[
        Literal["recipe", "setup"], typer.Argument(help="Which file the schema describes.")
    ] = "recipe",
) -> None:
    """Write the JSON schema of a recipe or set-up file."""
    if kind == "setup":
        from labctl.setup import setup_schema

        say_data(setup_schema())
        return
    from labctl.recipes import json_schema

    say_data(json_schema())
