"""Composites against the simulated cryogenic table: belief, truth, calibration hooks."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from labctl.errors import ConfigError, DeviceRefusedError, RefusedError
from labctl.host import Connection, SimulatedBy, connect_station
from labctl.optics import EdgeFacts
from labctl.roles import (
    Attenuator,
    EdgeFilter,
    Instrument,
    Limits,
    Rotator,
    Selector,
    Shutter,
)
from labctl.setup import load_setup
from labctl.transport import LibraryLink
from labctl_drivers.optics.analyser import Analyser, AnalyserSettings
from labctl_drivers.optics.edge_filter import TiltedEdgeFilterSettings
from labctl_drivers.optics.waveplate_attenuator import (
    WaveplateAttenuator,
    WaveplateAttenuatorSettings,
)

SETUPS = Path(__file__).parents[3] / "configs" / "setups"


@contextmanager
def connected(name: str, speed: float | None = None) -> Generator[tuple[Connection, Any]]:
    setup = load_setup(SETUPS / f"{name}.yaml")
    with connect_station(setup, SimulatedBy(seed=0, speed=speed)) as connection:
        rig: Any = connection.rig
        yield connection, rig


def go(lab: Connection, name: str, value: float) -> float:
    settable = lab.station.settable(name)
    settable.start(value)
    deadline_s = lab.clock.now() + settable.spec.timeout_s
    assert lab.clock.wait_until(settable.arrived, deadline_s=deadline_s, what=name)
    return settable.confirm(value)


def slide(lab: Connection, name: str, position: str) -> None:
    lab.station.get(name, Selector).start_position(position)


def test_fluences_become_angles_and_angles_light(tmp_path: Path) -> None:
    truth = "{zero_offset: -2.5 deg, scale_error_rel: 0.0, backlash: 0 deg}"
    text = (SETUPS / "alternatives.yaml").read_text(encoding="utf-8")
    text = text.replace(
        "address: ASRL8::INSTR\n", f"address: ASRL8::INSTR\n    simulate: {{truth: {truth}}}\n"
    )
    exact = "rotator: power_mount\n    simulate: {truth: {extinction_rel: 0.001}}\n"
    file = tmp_path / "exact.yaml"
    file.write_text(text.replace("rotator: power_mount\n", exact), encoding="utf-8")
    setup = load_setup(file, sample=SETUPS.parent / "samples" / "cspbbr3_23nm.yaml")
    with connect_station(setup, SimulatedBy(seed=0)) as lab:
        rig: Any = lab.rig
        for fluence in (0.05, 0.3, 2.0, 9.0, 12.0):
            assert go(lab, "attenuator.fluence", fluence) == pytest.approx(fluence, rel=0.02)
            true = 12.0 * rig.world.table.attenuation_rel
            assert true == pytest.approx(fluence, rel=0.01)


def test_what_was_never_calibrated_is_wrong_until_it_is() -> None:
    with connected("alternatives") as (lab, rig):
        go(lab, "attenuator.fluence", 0.12)
        table = rig.world.table
        assert not table.attenuation_rel == pytest.approx(0.01, rel=0.05)
        attenuator: Any = lab.station.get("attenuator", Attenuator)
        angles = [0.0 + step for step in range(43)]
        found: list[float] = []
        for angle_deg in angles:
            go(lab, "power_mount.angle", angle_deg)
            found.append(table.attenuation_rel)
        attenuator.use_curve(angles, found)
        assert attenuator.snapshot()["curve"] == "measured"
        for fluence in (0.3, 2.0, 9.0):
            go(lab, "attenuator.fluence", fluence)
            # At 0.3: 1.2 % by straight lines between points 1 deg apart, 2.2 % by 0.05 deg of
            # backlash, since the ring comes from the other side than when it was calibrated.
            assert 12.0 * table.attenuation_rel == pytest.approx(fluence, rel=0.04)


def test_no_home_is_searched_in_the_light() -> None:
    with connected("alternatives") as (lab, rig):
        shutter, mount = (lab.station[name] for name in ("shutter", "power_mount"))
        assert isinstance(shutter, Shutter)
        assert isinstance(mount, Rotator)
        assert not mount.is_homed()
        shutter.set_open(True)
        before_deg = mount.read_angle()
        with pytest.raises(RefusedError, match="search its home"):
            lab.station.settable("attenuator.fluence").start(2.0)
        assert (mount.is_moving(), mount.read_angle()) == (False, before_deg)
        shutter.set_open(False)
        go(lab, "attenuator.fluence", 2.0)
        # It knows its home now, and passes no maximum on the way.
        shutter.set_open(True)
        go(lab, "attenuator.fluence", 1.0)
        assert rig.world.table.attenuation_rel < 0.2


def test_less_than_the_extinction_is_refused() -> None:
    with connected("alternatives") as (lab, _):
        attenuator = lab.station.get("attenuator", Attenuator)
        assert attenuator.limits("fluence") == Limits(0.05, 12.0)
        for fluence in (0.01, 12.1, float("nan")):
            with pytest.raises(RefusedError, match="fluence"):
                attenuator.start_fluence(fluence)


@pytest.mark.parametrize("speed", [None, 20.0], ids=["virtual", "wall"])
def test_the_direction_turns_twice_as_fast_as_the_plate(speed: float | None) -> None:
    with connected("microscope", speed=speed) as (lab, rig):
        table = rig.world.table
        go(lab, "analyser.angle", 60.0)
        assert table.analyser_deg is None
        slide(lab, "analyser_slide", "in")
        shown_deg = lab.station.get("analyser_mount", Rotator).read_angle()
        assert shown_deg == pytest.approx(45.0 + 30.0, abs=0.02)
        # 1.7 deg of the mount are 3.4 deg of the direction: it was never calibrated.
        assert table.analyser_deg == pytest.approx(60.0 - 3.4, abs=0.2)
        assert table.analyser.behind_deg(None) == 90.0
        found = lab.station["analyser"].snapshot()
        assert (found["in_path"], found["polarization_remedy"]) == (True, "fixed_analyser")
        assert found["angle_deg"] == pytest.approx(60.0, abs=0.04)
        slide(lab, "analyser_slide", "out")
        assert table.analyser_deg is None


def test_an_analyser_turns_with_its_mount() -> None:
    with connected("alternatives") as (lab, rig):
        for angle_deg in (0.0, 30.0, 350.0):
            go(lab, "analyser.angle", angle_deg)
            true_deg = rig.world.table.analyser_deg
            assert (true_deg - angle_deg + 90.0) % 180.0 - 90.0 == pytest.approx(-0.2, abs=0.15)
        assert lab.station["analyser"].snapshot()["polarization_remedy"] == "depolariser"


def test_the_edge_is_elsewhere_until_it_is_calibrated() -> None:
    with connected("microscope") as (lab, rig):
        slide(lab, "edge_slide", "in")
        go(lab, "edge_filter.edge", 532.0)
        table = rig.world.table
        assert abs(table.edge_filter_nm - 532.0) > 0.5
        # The mount's home lies 1.7 deg off and the filter 0.6 deg; truths of the simulation.
        edge = lab.station.get("edge_filter", EdgeFilter)
        edge.use_facts(EdgeFacts(565.9, 1.825, 2.3))
        for edge_nm in (505.0, 532.0, 555.0):
            go(lab, "edge_filter.edge", edge_nm)
            # Jitter, 0.05 deg of backlash and 2e-4 of scale, at most 1.4 nm per deg.
            assert table.edge_filter_nm == pytest.approx(edge_nm, abs=0.1)
        assert edge.optical_density(600.0) == pytest.approx(5.0, abs=0.01)
        slide(lab, "edge_slide", "out")
        assert table.edge_filter_nm is None
        assert edge.optical_density(600.0) == 0.0


def test_a_ring_that_sticks_is_told_by_what_it_carries() -> None:
    with connected("microscope") as (lab, rig):
        go(lab, "edge_filter.edge", 540.0)
        rig.inject("edge_mount", "stick")
        with pytest.raises(DeviceRefusedError, match=r"edge_mount.*mechanical time-out"):
            go(lab, "edge_filter.edge", 530.0)


def plain_attenuator() -> WaveplateAttenuator:
    settings = WaveplateAttenuatorSettings.model_validate(
        {"rotator": "mount", "full_fluence": "10 uJ/cm^2"}
    )
    return WaveplateAttenuator("att", LibraryLink(), settings, {})


@pytest.mark.parametrize(
    ("angles", "passed", "says"),
    [
        ([0.0], [1.0], "two at least"),
        ([0.0, 45.0], [1.0], "as many"),
        ([0.0, 20.0, 45.0], [1.0, 0.2, 0.3], "one branch"),
        ([0.0, 45.0, 20.0], [1.0, 0.3, 0.2], "one branch"),
        ([0.0, 45.0], [1.0, float("nan")], "must be numbers"),
        ([0.0, 45.0], [1.0, -0.1], "from 0 on"),
        ([0.0, 400.0], [1.0, 0.1], "whole turn"),
    ],
)
def test_no_curve(angles: list[float], passed: list[float], says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        plain_attenuator().use_curve(angles, passed)


def test_parts_are_asked_for_by_name_and_role() -> None:
    attenuator = plain_attenuator()
    assert attenuator.part_names() == {"rotator": "mount", "light": "shutter"}
    with pytest.raises(RefusedError, match="connect the set-up first"):
        attenuator.read_transmission()
    parts: dict[str, Instrument] = {"rotator": attenuator}
    with pytest.raises(ConfigError, match="'att' is a attenuator, not a rotator"):
        attenuator.use_parts(parts)
    with pytest.raises(ConfigError, match="'rotator' names no rotator"):
        attenuator.use_parts({})


def test_an_analyser_without_a_slide_always_stands_in_the_light() -> None:
    settings = AnalyserSettings.model_validate({"rotator": "mount"})
    assert Analyser("ana", LibraryLink(), settings, {}).in_path()


def test_settings_that_leave_no_tilt() -> None:
    with pytest.raises(ValueError, match="least_tilt is not less"):
        TiltedEdgeFilterSettings.model_validate(
            {"rotator": "m", "least_tilt": "40 deg", "most_tilt": "30 deg"}
        )
