"""Recipes before they are run: what is wrong with them, how long they take, what they will do."""

from itertools import islice
from pathlib import Path
from typing import Any

from labctl.errors import ConfigError
from labctl.host._local import prepare
from labctl.host._request import RunRequest
from labctl.host.server._queue import Entry
from labctl.host.server._request import EngineRequest
from labctl.recipes import Measure, Move, Note, Step, Visit, Wait, estimate, expand, read_recipe
from labctl.setup import Setup, parse_yaml

__all__ = ["check_recipe", "queue_entry"]

_MOST_STEPS = 2_000


def check_recipe(setup: Setup, text: str, path: str = "recipe.yaml") -> dict[str, Any]:
    """Return everything that is wrong with the text of a recipe, or what it will do.

    Returns:
        ``problems`` with what, where (``file:line``) and hint; without any, ``name``, ``points``,
        ``seconds``, ``parts`` (s by settable and measurement), ``steps`` (the first thousands)
        and ``tree`` (the recipe with all defaults).
    """
    try:
        recipe = read_recipe(parse_yaml(text, Path(path)), setup)
    except ConfigError as error:
        found = [{"what": p.what, "where": p.where, "hint": p.hint} for p in error.problems]
        return {"problems": found}
    expected = estimate(recipe, setup)
    return {
        "problems": [],
        "name": recipe.name,
        "points": expected.points,
        "seconds": expected.seconds,
        "parts": dict(expected.parts),
        "steps": [_words(step) for step in islice(expand(recipe), _MOST_STEPS)],
        "tree": recipe.resolved(),
    }


def queue_entry(request: EngineRequest, recipe: str) -> Entry:
    """Return an entry of the queue for a recipe file that is right.

    Raises:
        ConfigError: Something is wrong with it.
    """
    asked = RunRequest(
        setup=request.setup,
        recipe=Path(recipe),
        simulate=request.simulate,
        speed=request.speed,
        sample=request.sample,
        changes=request.changes,
    )
    _, found, plan = prepare(asked)
    return Entry(0, Path(recipe).expanduser().resolve(), found.name, plan.points, plan.expected_s)


def _words(step: Step) -> str:
    match step:
        case Move():
            return f"{step.settable} = {step.value:g} {step.unit}".rstrip()
        case Measure():
            return f"{step.measurement.kind} {step.label}".rstrip()
        case Wait():
            return f"wait {step.seconds:g} s"
        case Note():
            return f"note: {step.text}"
        case Visit():
            return f"dot {step.dot}"
