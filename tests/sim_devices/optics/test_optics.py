"""Passive optics in the world: closed forms of what turning them does to the light."""

import math
from typing import Any

import pytest

from labctl_sim.optics import (
    HalfWaveAnalyser,
    RotatingAnalyser,
    TiltedEdgeFilter,
    WaveplateAttenuator,
)
from labctl_sim.world import World
from labctl_sim.world.photons import Apd, ApdTruth, Bench

ON_SLIDE = {"rotator": "mount", "slide": "slide", "slide_position": "in"}


def turn(world: World, angle_deg: float) -> None:
    world.mounts.set("mount", angle_deg)


def camera_light(world: World, dipole_deg: float | None) -> float:
    return world.camera({}).optics().polarization_rel(dipole_deg, world.table.analyser)


def test_a_waveplate_in_front_of_a_polarizer(world: World) -> None:
    WaveplateAttenuator("att", world, {"rotator": "mount"}, {"plate_deg": 3.0})
    for angle_deg in range(0, 360, 7):
        turn(world, angle_deg)
        passed = 1.3e-3 + (1.0 - 1.3e-3) * math.cos(2.0 * math.radians(angle_deg - 3.0)) ** 2
        assert world.table.attenuation_rel == pytest.approx(passed)
    turn(world, 48.0)
    assert world.table.attenuation_rel == pytest.approx(1.3e-3)


def test_malus_with_the_analyser_s_extinction(world: World) -> None:
    RotatingAnalyser("ana", world, {"rotator": "mount"}, {"axis_deg": 4.0})
    for angle_deg in (4.0, 34.0, 94.0, 184.0):
        turn(world, angle_deg)
        malus = 1e-4 + (1.0 - 1e-4) * math.cos(math.radians(angle_deg - 4.0)) ** 2
        assert world.table.analyser.passed_rel(0.0, 1e-4) == pytest.approx(malus)
        assert world.table.analyser.passed_rel(None, 1e-4) == 0.5


@pytest.mark.parametrize(("lines_per_mm", "ratio"), [(1800.0, 2.5), (300.0, 1.2)])
def test_a_rotating_analyser_before_a_bare_grating_measures_the_grating(
    world: World, lines_per_mm: float, ratio: float
) -> None:
    RotatingAnalyser("ana", world, {"rotator": "mount"}, {})
    world.spectrograph.lines_per_mm = lines_per_mm
    light: list[float] = []
    for angle_deg in range(0, 180, 5):
        turn(world, float(angle_deg))
        light.append(camera_light(world, None))
    assert max(light) / min(light) == pytest.approx(ratio)
    assert light.index(max(light)) == 18
    assert sum(light) / len(light) == pytest.approx(0.5)


@pytest.mark.parametrize("lines_per_mm", [300.0, 1800.0])
def test_behind_a_half_wave_plate_the_fixed_analyser_measures_the_dot(
    world: World, lines_per_mm: float
) -> None:
    truth: dict[str, Any] = {"plate_deg": 5.0, "polarizer_deg": 90.0}
    HalfWaveAnalyser("ana", world, {"rotator": "mount"}, truth)
    world.spectrograph.lines_per_mm = lines_per_mm
    turn(world, 5.0 + 45.0)
    s_rel = camera_light(world, 0.0)
    for angle_deg in range(0, 180, 5):
        turn(world, float(angle_deg))
        passes_deg = 2.0 * (angle_deg - 5.0) - 90.0
        assert camera_light(world, None) == pytest.approx(0.5 * s_rel, rel=2e-4)
        malus = 1e-4 + (1.0 - 1e-4) * math.cos(math.radians(passes_deg - 30.0)) ** 2
        assert camera_light(world, 30.0) == pytest.approx(malus * s_rel)


def test_a_depolariser_spares_the_grating(world: World) -> None:
    world.spectrograph.lines_per_mm = 1800.0
    RotatingAnalyser("ana", world, {"rotator": "mount"}, {"depolariser": True})
    for angle_deg in (0.0, 45.0, 90.0):
        turn(world, angle_deg)
        assert camera_light(world, None) == 0.5


def test_the_edge_follows_the_tilt(world: World) -> None:
    truth = {"normal_edge_nm": 561.0, "index_factor": 1.92, "normal_deg": 2.0}
    TiltedEdgeFilter("edge", world, {"rotator": "mount"}, truth)
    for tilt_deg, ratio in [(0, 1.0), (20, 0.9840), (40, 0.9423), (60, 0.8925)]:
        turn(world, 2.0 + tilt_deg)
        assert (world.table.edge_filter_nm or 0.0) / 561.0 == pytest.approx(ratio, abs=6e-5)


@pytest.mark.parametrize("kind", [RotatingAnalyser, HalfWaveAnalyser, TiltedEdgeFilter])
def test_out_of_the_light_it_does_nothing(world: World, kind: type[Any]) -> None:
    table = world.table
    world.places.set("slide", "out")
    kind("part", world, ON_SLIDE, {})
    turn(world, 30.0)
    assert (table.analyser_deg, table.edge_filter_nm) == (None, None)
    world.places.set("slide", "in")
    assert (table.analyser_deg, table.edge_filter_nm) != (None, None)
    world.places.set("slide", "out")
    assert (table.analyser_deg, table.edge_filter_nm) == (None, None)
    assert table.analyser == (None, None, False)


def test_a_part_that_is_taken_out_leaves_another_in_its_place_alone(world: World) -> None:
    world.places.set("slide", "out")
    RotatingAnalyser("first", world, ON_SLIDE, {})
    RotatingAnalyser("second", world, {"rotator": "mount"}, {})
    turn(world, 30.0)
    world.places.set("slide", "elsewhere")
    assert world.table.analyser_deg == 30.0


def test_a_loose_screw(world: World) -> None:
    analyser = RotatingAnalyser("ana", world, {"rotator": "mount"}, {})
    turn(world, 30.0)
    analyser.fault_slip(5.0)
    assert world.table.analyser_deg == 35.0
    analyser.clear_faults()
    assert world.table.analyser_deg == 30.0


@pytest.mark.parametrize("path", ["direct", "side"])
def test_photon_counters_see_through_the_analyser(world: World, path: str) -> None:
    world.table.laser_on = world.table.shutter_open = True
    world.table.room_light_rel = 0.0
    world.spectrograph.exit = "side"
    world.spectrograph.lines_per_mm = 1800.0
    apd = Apd(ApdTruth(light_path=path, dark_rate_hz=0.0, polarization_ratio=1.0))
    bench = Bench.of(world)

    def leak_hz() -> float:
        """Clicks by unpolarized scattered laser light."""
        light = bench.look([apd], 0.0)
        return light.sources["laser"].models[0].mean[0]

    world.spectrograph.centre_nm = world.laser.wavelength_nm
    world.put_scatterer(1e-3)
    bare = leak_hz()
    RotatingAnalyser("ana", world, {"rotator": "mount"}, {})
    turn(world, 0.0)
    p_rel = leak_hz() / bare
    turn(world, 90.0)
    s_rel = leak_hz() / bare
    ratio = 2.5 if path == "side" else 1.0
    assert s_rel / p_rel == pytest.approx(ratio, rel=1e-6)
    assert 0.5 * (s_rel + p_rel) == pytest.approx(0.5, rel=1e-3)
