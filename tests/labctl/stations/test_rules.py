"""A rule between two instruments of a set-up acts on whoever sets the quantity, in any time."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from labctl.errors import RefusedError
from labctl.host import Connection, SimulatedBy, connect_station
from labctl.roles import Positioner
from labctl.setup import load_setup

SETUP = Path(__file__).parents[3] / "configs" / "setups" / "microscope.yaml"
LIMIT = "limit: spectrograph.wavelength, to: [500 nm, 600 nm], when: cryostat.temperature"
TIMES = pytest.mark.parametrize("speed", [None, 5.0], ids=["virtual", "wall"])


@contextmanager
def ruled(condition: str, speed: float | None) -> Generator[Connection]:
    setup = load_setup(SETUP, changes=[f"rules=[{{{LIMIT}, {condition}, why: a test}}]"])
    assert setup.notices == ()
    with connect_station(setup, SimulatedBy(seed=0, speed=speed)) as connection:
        yield connection


@TIMES
def test_a_rule_whose_condition_holds_limits(speed: float | None) -> None:
    with ruled("below: 50 K", speed) as lab:
        wavelength = lab.station.settable("spectrograph.wavelength")
        with pytest.raises(RefusedError, match=r"cryostat.temperature is \d.* K.*\(a test\)"):
            wavelength.start(700.0)
        wavelength.start(531.0)
        assert lab.clock.wait_until(wavelength.arrived, deadline_s=99.0, what="the grating")
        assert wavelength.confirm(531.0) == pytest.approx(531.0, abs=0.02)


@TIMES
def test_a_rule_whose_condition_does_not_hold_does_not(speed: float | None) -> None:
    with ruled("above: 50 K", speed) as lab:
        wavelength = lab.station.settable("spectrograph.wavelength")
        wavelength.start(700.0)
        assert lab.clock.wait_until(wavelength.arrived, deadline_s=99.0, what="the grating")
        assert wavelength.confirm(700.0) == pytest.approx(700.0, abs=0.02)


@TIMES
@pytest.mark.parametrize("fault", ["nan", "hang"])
def test_without_a_reading_the_stricter_side_holds(speed: float | None, fault: str) -> None:
    with ruled("above: 50 K", speed) as lab:
        assert lab.rig is not None
        lab.rig.inject("cryostat", fault, for_s=1000.0)
        with pytest.raises(RefusedError, match="it counts as above 50 K"):
            lab.station.settable("spectrograph.wavelength").start(700.0)


@pytest.mark.parametrize("kelvin", [4.0, 300.0])
def test_the_stage_of_the_microscope_never_damages_a_warm_piezo(kelvin: float) -> None:
    truth = f"instruments.cryostat.simulate.truth.start_temperature={kelvin:g} K"
    with connect_station(load_setup(SETUP, changes=[truth]), SimulatedBy(seed=0)) as lab:
        rig: Any = lab.rig
        stage = lab.station.get("stage", Positioner)
        if kelvin > 100.0:
            for refused in (
                lambda: stage.start_steps("x", 100),
                lambda: stage.start_x(5.0),
                lambda: stage.settable("step_voltage_x").start(60.0),
            ):
                with pytest.raises(
                    RefusedError, match=r"cryostat.temperature is \d+ K.*warm piezo"
                ):
                    refused()
            stage.set_step_voltage("x", 30.0)
        stage.start_x(5.0)
        assert lab.clock.wait_until(stage.x_arrived, deadline_s=99.0, what="stage.x to arrive")
        # The believed step sizes are those at 4 K; warm steps are 3.5 times as large.
        assert 2.5 < rig.world.stage_um[0] < 25.0
        assert rig.world.happenings == []
