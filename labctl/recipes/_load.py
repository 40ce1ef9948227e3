"""Loading a recipe: everything that is wrong with it is found before anything moves."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from labctl.errors import ConfigError
from labctl.recipes._check import bind, check_values
from labctl.recipes._parse import parse_file
from labctl.recipes._recipe import Recipe
from labctl.setup import Document, Setup, changed, in_order, load_yaml

__all__ = ["load_recipe", "parse_recipe", "read_recipe"]


def load_recipe(
    path: Path | str, setup: Setup | None = None, *, changes: Iterable[str] = ()
) -> Recipe:
    """Read a recipe and check it.

    Args:
        path: The file.
        setup: The set-up that shall carry it out; None checks the form only.
        changes: ``key=value`` changes of the recipe.

    Raises:
        ConfigError: With every problem, each with file and line.
    """
    return read_recipe(changed(load_yaml(Path(path)), changes), setup)


def parse_recipe(data: Mapping[str, Any], setup: Setup | None = None) -> Recipe:
    """Check a recipe that is given as plain data; otherwise as ``load_recipe``."""
    return read_recipe(Document(Path("recipe"), dict(data), {}), setup)


def read_recipe(document: Document, setup: Setup | None = None) -> Recipe:
    """Check a recipe that is already read; otherwise as ``load_recipe``."""
    file, problems = parse_file(document)
    if file is None:
        raise ConfigError(in_order(problems))
    recipe = Recipe(file, document.path)
    problems += check_values(recipe, document.where)
    if setup is not None:
        try:
            recipe = bind(recipe, setup, document.where)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(in_order(problems))
    return recipe
