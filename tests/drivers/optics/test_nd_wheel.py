"""Grey filters in a wheel: a few fluences, all others refused."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from labctl.errors import ConfigError, DeviceRefusedError, RefusedError
from labctl.roles import Attenuator, Limits
from labctl.transport import LibraryLink
from labctl_drivers.optics.nd_wheel import NdWheel, NdWheelSettings
from labctl_drivers.thorlabs.fw102c import Fw102c, Fw102cSettings

POSITIONS = ["empty", "grey 1", "grey 2", "grey 3", "glass", "blocked"]
DENSITIES = {"empty": 0.0, "grey 1": 0.5, "grey 2": 1.0, "grey 3": 2.0}


class Wheel:
    """A filter wheel beneath the filters."""

    def __init__(self, bench: Callable[..., Any], **limits: Limits) -> None:
        self.bench = bench(wheel={"simulator": "thorlabs.fw102c"})
        settings = Fw102cSettings.model_validate({"positions": POSITIONS})
        self.selector = Fw102c("wheel", self.bench.visa("wheel"), settings, {})
        self.driver = filters(limits=limits)
        self.driver.use_parts({"wheel": self.selector})
        self.selector.connect()
        self.driver.connect()

    def go(self, fluence_uj_cm2: float) -> float:
        settable = self.driver.settable("fluence")
        settable.start(fluence_uj_cm2)
        self.bench.clock.sleep(3.0)
        assert settable.arrived()
        return settable.confirm(fluence_uj_cm2)


@pytest.fixture
def wheel(bench: Callable[..., Any]) -> Any:
    made = Wheel(bench)
    yield made
    made.selector.close()


def filters(
    densities: dict[str, float] = DENSITIES, limits: dict[str, Limits] | None = None
) -> NdWheel:
    block = {"wheel": "wheel", "densities": densities, "full_fluence": "12 uJ/cm^2"}
    return NdWheel("attenuator", LibraryLink(), NdWheelSettings.model_validate(block), limits or {})


def test_fluences_that_there_are(wheel: Wheel) -> None:
    driver, table = wheel.driver, wheel.bench.rig.world.table
    assert isinstance(driver, Attenuator)
    assert driver.part_names() == {"wheel": "wheel"}
    assert list(driver.fluences_uj_cm2().values()) == pytest.approx([12.0, 3.7947, 1.2, 0.12], 1e-4)
    assert wheel.go(1.2) == pytest.approx(1.2)
    assert driver.snapshot()["position"] == "grey 2"
    # The filters are not what they are called.
    assert table.attenuation_rel == pytest.approx(10.0**-1.04)
    assert wheel.go(0.1215) == pytest.approx(0.12), "within 2 %"
    assert wheel.go(12.0) == 12.0
    assert table.attenuation_rel == 1.0


@pytest.mark.parametrize("fluence_uj_cm2", [5.0, 0.12 * 1.03, 0.0, 1e-6])
def test_other_fluences_are_refused_with_those_that_there_are(
    wheel: Wheel, fluence_uj_cm2: float
) -> None:
    with pytest.raises(RefusedError, match=r"there are 12, 3\.795, 1\.2, 0\.12 uJ/cm\^2"):
        wheel.driver.start_fluence(fluence_uj_cm2)
    assert wheel.selector.read_position() == "empty"


@pytest.mark.parametrize("fluence_uj_cm2", [12.1, -1.0, math.nan, math.inf])
def test_impossible_fluences(wheel: Wheel, fluence_uj_cm2: float) -> None:
    with pytest.raises(RefusedError):
        wheel.driver.start_fluence(fluence_uj_cm2)


def test_while_the_wheel_turns_nothing_is_known(wheel: Wheel) -> None:
    wheel.driver.start_fluence(1.2)
    assert not wheel.driver.fluence_arrived()
    with pytest.raises(RefusedError, match="stands at none of its positions"):
        wheel.driver.read_fluence()
    wheel.bench.clock.sleep(3.0)
    assert wheel.driver.fluence_arrived()


def test_a_position_without_a_density(wheel: Wheel) -> None:
    wheel.selector.start_position("glass")
    wheel.bench.clock.sleep(3.0)
    with pytest.raises(RefusedError, match="stands at 'glass', whose density is not known"):
        wheel.driver.read_transmission()


def test_a_stuck_wheel(wheel: Wheel) -> None:
    wheel.bench.rig.inject("wheel", "stick")
    with pytest.raises(DeviceRefusedError, match=r"is at 12 uJ/cm\^2 after the move"):
        wheel.go(1.2)


def test_densities_of_positions_that_there_are_not(wheel: Wheel) -> None:
    with pytest.raises(ConfigError, match=r"wheel has no position 'OD 1'.*empty, grey 1"):
        filters({"OD 1": 1.0}).use_parts({"wheel": wheel.selector})
    with pytest.raises(ConfigError, match="'wheel' names no selector"):
        filters().use_parts({})
    with pytest.raises(RefusedError, match="connect the set-up first"):
        filters().read_transmission()
