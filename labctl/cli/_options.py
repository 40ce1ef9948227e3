"""Options that several commands have, said once."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Changes", "Out", "Recipe", "Sample", "Seed", "SetupFile", "Simulate"]

Recipe = Annotated[Path, typer.Argument(help="Recipe file (YAML).")]
SetupFile = Annotated[Path, typer.Option(help="Set-up file (YAML).")]
Simulate = Annotated[
    bool, typer.Option("--simulate", help="Replace every instrument by its simulator.")
]
Sample = Annotated[
    Path | None, typer.Option(help="Sample file of the simulation, instead of the set-up's.")
]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Out = Annotated[Path | None, typer.Option(help="Folder for runs.")]
Changes = Annotated[list[str] | None, typer.Option("--set", help="Change the set-up: key=value.")]
