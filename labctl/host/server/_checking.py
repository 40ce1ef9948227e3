"""Recipes before they are run: what is wrong with them, how long they take, what they will do."""

from itertools import islice
from pathlib import Path
from typing import Any

from labctl.errors import ConfigError
from labctl.host._local import prepare, prepare_again
from labctl.host._past import open_past, resume_request
from labctl.host._request import RunRequest
from labctl.host.server._queue import Entry
from labctl.host.server._request import EngineRequest
from labctl.recipes import Measure, Move, Note, Step, Visit, Wait, estimate, expand, read_recipe
from labctl.setup import Setup, parse_yaml

__all__ = ["check_recipe", "queue_entry", "resume_entry", "run_request"]

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
    path = Path(recipe).expanduser().resolve()
    _, found, plan = prepare(run_request(request, path))
    return Entry(0, path, found.name, plan.points, plan.expected_s)


def resume_entry(request: EngineRequest, run: str, *, accept: bool) -> Entry:
    """Return an entry of the queue that goes on with an interrupted run.

    Raises:
        ConfigError: It is complete, or a script has made it.
        StorageError: It cannot be read, or is going on.
    """
    begun = resume_request(Path(run), accept=accept, setup=request.setup)
    past = open_past(Path(run))
    _, found, plan = prepare_again(begun, past)
    left = None if plan.points is None else max(plan.points - past.points, 0)
    name = f"{found.name} (goes on after {past.points} points)"
    return Entry(0, begun.recipe, name, left, plan.expected_s, past.folder.path, accept)


def run_request(request: EngineRequest, recipe: Path) -> RunRequest:
    """Return what a host is asked for, to run a recipe on the engine's set-up.

    The dot is that of the recipe: that of the engine only says where the simulation begins.
    """
    return RunRequest(
        setup=request.setup,
        recipe=recipe,
        simulate=request.simulate,
        speed=request.speed,
        seed=request.seed,
        sample=request.sample,
        out=request.out,
        changes=request.changes,
    )


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
