"""Every recipe that comes with labctl, against the set-ups that come with it."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from labctl.errors import ConfigError
from labctl.host import not_in_force
from labctl.recipes import Measure, Move, Recipe, estimate, expand, json_schema, load_recipe
from labctl.setup import Setup, load_setup, setup_schema

CONFIGS = Path(__file__).parents[3] / "configs"
RECIPES = sorted((CONFIGS / "recipes").glob("*.yaml"))
SETUPS = [
    CONFIGS / "setups" / f"{name}.yaml" for name in ("microscope", "room_temperature", "two_photon")
]
SAMPLES = sorted((CONFIGS / "samples").glob("*.yaml"))


@pytest.fixture(scope="module")
def setup() -> Setup:
    return load_setup(CONFIGS / "setups" / "microscope.yaml")


@pytest.mark.parametrize("path", RECIPES, ids=[path.stem for path in RECIPES])
def test_every_shipped_recipe_runs_on_a_shipped_set_up(path: Path) -> None:
    recipe, setup = bound(path)
    expected = estimate(recipe, setup)
    assert expected.points == sum(isinstance(step, Measure) for step in expand(recipe))
    assert expected.seconds == pytest.approx(sum(expected.parts.values()))


@pytest.mark.parametrize("path", RECIPES, ids=[path.stem for path in RECIPES])
def test_every_shipped_recipe_makes_what_it_rests_on(path: Path, tmp_path: Path) -> None:
    """On a fresh machine nothing has been calibrated."""
    wanting = [
        not_in_force(setup, recipe.demands, tmp_path) for recipe, setup in bindings(path, [])
    ]
    assert [] in wanting, wanting[:1]


@cache
def mounted(setup: Path, sample: Path) -> Setup:
    return load_setup(setup, sample=sample)


def bound(path: Path) -> tuple[Recipe, Setup]:
    """Return the recipe on the first set-up and sample that it is for."""
    refusals: list[ConfigError] = []
    for recipe, setup in bindings(path, refusals):
        return recipe, setup
    raise min(refusals, key=lambda error: len(error.problems))


def bindings(path: Path, refusals: list[ConfigError]) -> Iterator[tuple[Recipe, Setup]]:
    """Yield the recipe on every set-up and sample that it is for; note why not on the others."""
    for setup_path, sample in product(SETUPS, SAMPLES):
        setup = mounted(setup_path, sample)
        try:
            yield load_recipe(path, setup), setup
        except ConfigError as error:
            refusals.append(error)


def test_the_temperature_series(setup: Setup) -> None:
    recipe = load_recipe(CONFIGS / "recipes" / "temperature_series.yaml", setup)
    moves = [step for step in expand(recipe) if isinstance(step, Move)]
    assert [move.value for move in moves] == [4, 10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert {(move.settable, move.unit) for move in moves} == {("cryostat.temperature", "K")}
    rule = moves[0].rule
    assert rule is not None
    assert recipe.dot == "A7"
    # 30 s and the dwell time for each of ten temperatures, and 10 s for each of 86 K.
    expected_s = 10 * (30.0 + rule.dwell_s) + 860.0
    assert estimate(recipe, setup).parts["cryostat.temperature"] == expected_s


def test_the_schemas_know_what_is_installed() -> None:
    recipe = json_schema()
    steps = recipe["$defs"]["step"]["anyOf"]
    verbs = {verb for step in steps for verb in step.get("required", [])}
    assert {"scan", "repeat", "wait", "note", "spectrum", "calibrate"} <= verbs
    assert recipe["properties"]["steps"]["items"] == {"$ref": "#/$defs/step"}
    assert recipe["additionalProperties"] is False
    drivers = setup_schema()["$defs"]["InstrumentBlock"]["properties"]["driver"]["enum"]
    assert "montana.cryostation" in drivers
