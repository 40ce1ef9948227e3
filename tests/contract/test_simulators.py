"""What every installed simulator must be, and that drivers and simulators come in pairs."""

import inspect
import re
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest

from labctl.units import SUFFIX_UNITS, split_suffix

SIMULATORS = sorted(entry_points(group="labctl.simulators"), key=lambda entry: entry.name)
DRIVERS = {entry.name: entry for entry in entry_points(group="labctl.drivers")}
PARAMETERS = ["name", "world", "settings", "truth"]

PURE_NUMBERS = {
    *("rel", "ratio", "fraction", "probability", "efficiency", "exponent", "density", "factor"),
    *(
        "number",
        "count",
        "counts",
        "bits",
        "gain",
        "steps",
        "grating",
        "columns",
        "rows",
        "row",
        "px",
    ),
    *("e", "adu", "baud"),
}
"""Last words of names of numbers without unit, or in units that are not converted."""


@pytest.fixture(params=SIMULATORS, ids=[entry.name for entry in SIMULATORS])
def entry(request: pytest.FixtureRequest) -> EntryPoint:
    return request.param


@pytest.fixture
def simulator(entry: EntryPoint) -> type[Any]:
    return entry.load()


def has_unit(name: str) -> bool:
    """Whether the name of a number ends in its whole unit, or says that it is a pure number."""
    stem, unit = split_suffix(name)
    last = stem.rpartition("_")[2]
    if unit is None:
        return last in PURE_NUMBERS or "_per_" in name
    # A compound such as "_v_s" with only "_s" in the table would be read as seconds.
    return last not in SUFFIX_UNITS and last not in ("per", "e", "adu", "px", "row", "rows")


@pytest.mark.parametrize(
    "name",
    ["base_temperature_k", "noise_at_4k_k", "line_w_k", "quantum_efficiency", "e_per_adu_low"],
)
def test_a_name_with_its_unit_is_accepted(name: str) -> None:
    assert has_unit(name)


@pytest.mark.parametrize(
    "name", ["base_temperature", "slope_v_s", "turning_deg_per_s", "gain_e_k", "speed"]
)
def test_a_name_without_its_whole_unit_is_not(name: str) -> None:
    assert not has_unit(name)


def test_every_driver_has_a_simulator_and_every_simulator_a_driver() -> None:
    assert {entry.name for entry in SIMULATORS} == set(DRIVERS)


def test_it_is_reached_like_its_driver(entry: EntryPoint, simulator: type[Any]) -> None:
    if entry.name not in DRIVERS:
        pytest.fail("there is no driver of this name")
    assert simulator.interface == DRIVERS[entry.name].load().interface


def test_it_is_made_from_name_world_settings_and_truth(simulator: type[Any]) -> None:
    assert list(inspect.signature(simulator).parameters) == PARAMETERS


def test_it_can_be_attached(simulator: type[Any]) -> None:
    wanted = {"stream": ["open"], "http": ["open"]}.get(simulator.interface, ["call", "face"])
    assert not [name for name in wanted if not callable(getattr(simulator, name, None))]


def test_its_truths_are_plain_values(simulator: type[Any]) -> None:
    kinds = (bool, int, float, str)
    assert not [key for key, value in simulator.truth_defaults.items() if type(value) not in kinds]


def test_its_truths_carry_their_units(simulator: type[Any]) -> None:
    numbers = [k for k, v in simulator.truth_defaults.items() if type(v) in (int, float)]
    assert not [key for key in numbers if not has_unit(key)]


def test_its_truths_can_be_written_in_a_set_up(simulator: type[Any]) -> None:
    """Two keys that differ only in their unit would be one key there."""
    stems = [split_suffix(key)[0] for key in simulator.truth_defaults]
    assert len(stems) == len(set(stems))
    assert not [key for key in simulator.truth_defaults if not re.fullmatch("[a-z][a-z0-9_]*", key)]


def test_it_is_explained(simulator: type[Any]) -> None:
    module = inspect.getmodule(simulator)
    assert inspect.getdoc(module)
    assert inspect.getdoc(simulator)


def test_a_library_forgets_a_program_that_has_died(simulator: type[Any]) -> None:
    # The operating system closes handles of a dead process; the rig must, too.
    assert callable(getattr(simulator, "drop_client", None)) or simulator.interface != "library"
