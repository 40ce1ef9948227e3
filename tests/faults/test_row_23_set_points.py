"""Row 23: set points out of range never reach an instrument, whoever asks for them.

For every settable of every shipped set-up: by a direct call, by a recipe, and from a window.
"""

import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labctl.errors import ConfigError, LabctlError, RefusedError
from labctl.host import Connection
from labctl.host.server import EngineRequest
from labctl.recipes import load_recipe
from labctl.roles import Limits, Settable
from labctl.setup import Setup
from served_engine import Hearer, attached, served
from shipped_setups import FOLDER, NAMES, connected, shipped

RECIPE = """
name: out of range
sample: {name: any}
steps:
  - scan: SETTABLE
    values: VALUES
    steps:
      - note: there
"""
NO_NUMBERS = (math.nan, math.inf, -math.inf)
FAR = 1e308
QUICK = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def settables_of(setup: Setup) -> dict[str, Limits]:
    """Return the limits of every settable of a set-up, by name."""
    return {
        f"{name}.{quantity}": spec.limits
        for name, entry in setup.instruments.items()
        for quantity, spec in entry.settables.items()
    }


EVERY = [(name, settable) for name in NAMES for settable in settables_of(shipped(name))]


def outside(limits: Limits) -> st.SearchStrategy[float]:
    """Draw what is no number, or lies outside, by the smallest step or by far."""
    below, above = math.nextafter(limits.low, -math.inf), math.nextafter(limits.high, math.inf)
    return st.one_of(
        st.sampled_from([*NO_NUMBERS, below, above, -FAR, FAR]),
        st.floats(max_value=below),
        st.floats(min_value=above),
    )


def edges(limits: Limits) -> list[float]:
    """Return what lies outside by a little, so that a recipe shows it in its digits."""
    step = max(1e-6, 1e-6 * max(abs(limits.low), abs(limits.high)))
    return [limits.low - step, limits.high + step, -FAR, FAR]


# Direct calls, of drivers and scripts alike


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Generator[Connection]:
    with connected(request.param) as found:
        yield found


def traffic(lab: Connection) -> int:
    """Return how many bytes and calls all instruments have exchanged so far."""
    recorder: Any = lab.recorder
    return sum(recorder._counts.values())


def settable_of(lab: Connection, name: str) -> Settable:
    try:
        return lab.station.settable(name)
    except RefusedError as error:
        pytest.skip(f"the simulated unit does not have it: {error}")


@pytest.mark.parametrize(("lab", "settable"), EVERY, indirect=["lab"])
def test_no_command_reaches_an_instrument(lab: Connection, settable: str) -> None:
    instrument, _, quantity = settable.partition(".")
    found, limits = settable_of(lab, settable), lab.station[instrument].limits(quantity)

    @QUICK
    @given(outside(limits))
    def property_(value: float) -> None:
        before = traffic(lab)
        with pytest.raises(RefusedError, match=r"is not a number|is out of range") as caught:
            found.start(value)
        assert traffic(lab) == before
        assert caught.value.device == instrument
        assert quantity in str(caught.value)

    property_()
    assert value_was_not_kept(lab, instrument, quantity, limits)


def value_was_not_kept(lab: Connection, instrument: str, quantity: str, limits: Limits) -> bool:
    """Whether nothing that was refused would be pushed again after a reconnect."""
    ordered = lab.station[instrument].ordered()
    return quantity not in ordered or ordered[quantity] in limits


# Recipes


@pytest.mark.parametrize(("name", "settable"), EVERY)
def test_a_recipe_with_it_does_not_begin(tmp_path: Path, name: str, settable: str) -> None:
    setup = shipped(name)
    limits = settables_of(setup)[settable]
    inside = limits.low
    for value in [*NO_NUMBERS, *edges(limits)]:
        written = {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}.get(repr(value), repr(value))
        for values in (f"[{written}]", f"[{inside!r}, {written}]"):
            path = tmp_path / "recipe.yaml"
            path.write_text(RECIPE.replace("SETTABLE", settable).replace("VALUES", values), "utf-8")
            with pytest.raises(ConfigError, match=r"recipe\.yaml:\d+"):
                load_recipe(path, setup)


# Windows


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hearer]:
    folder = tmp_path_factory.mktemp("engine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCTL_RUNTIME_DIR", str(folder / "runtime"))
        request = EngineRequest(
            setup=FOLDER / "microscope.yaml", simulate=True, out=folder / "data"
        )
        with served(request), attached(request) as hearer:
            yield hearer


def test_a_window_is_refused_it(window: Hearer) -> None:
    def set_to(settable: str, value: Any) -> None:
        name, _, quantity = settable.partition(".")
        window.ask("set", name=name, quantity=quantity, value=value)

    for settable, limits in settables_of(shipped("microscope")).items():
        for value in [*NO_NUMBERS, *edges(limits)]:
            wanted = "is not a number|is out of range|has no settable"
            with pytest.raises(LabctlError, match=wanted):
                set_to(settable, value)
        for value in ("4 K", None, [1.0], {"a": 1}):
            with pytest.raises(LabctlError):
                set_to(settable, value)
    for axis, steps in (("x", 10**9), ("z", -(10**9)), ("w", 1)):
        with pytest.raises(LabctlError, match=r"out of range|no axis"):
            window.ask("step", name="stage", axis=axis, steps=steps)
