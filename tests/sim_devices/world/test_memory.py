"""Drift, slow spectral diffusion, dose; and that all of it can be switched off."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labctl_sim.sample import Bleaching
from labctl_sim.world import World
from labctl_sim.world._drift import DriftTruth, thermal_drift_um
from labctl_sim.world._grid import GridNoise, GridWalk
from labctl_sim.world._memory import bleached

Maker = Callable[..., World]
BLEACHING = {"A1": {"edge_length": "30 nm", "lifetime": "180 ps", "regime": "auger",
                    "bleaching": {"excitations": 1e10, "blue_shift": "5 meV"}}}  # fmt: skip


def test_drift_has_the_slopes_of_the_notes() -> None:
    def moved_um(from_k: float, to_k: float, slope: float) -> float:
        truth = DriftTruth()
        return thermal_drift_um(truth, to_k, slope) - thermal_drift_um(truth, from_k, slope)

    assert moved_um(85.0, 100.0, 0.15) == pytest.approx(15 * 0.15, rel=1e-6), "2 um above 30 K"
    assert moved_um(85.0, 100.0, 0.3) == pytest.approx(4.5, rel=1e-6)
    assert moved_um(4.0, 15.0, 0.15) < 0.03


def test_drift_is_a_truth_of_the_cryostat(make_world: Maker, clock: Any) -> None:
    world = make_world(memory=True)
    assert world.attach_cryostat({"drift_walk_um": 0.0}).truth.drift_walk_um == 0.0
    clock.s = 3600.0
    still = world.memory.drift_um(DriftTruth(drift_walk_um=0.0), clock.s, 60.0)
    slope = thermal_drift_um(DriftTruth(), 60.0, 0.15)
    assert still == pytest.approx((slope, 0.4 * slope, 2.0 * slope))
    wide = world.memory.drift_um(DriftTruth(drift_aspect_rel=1.0), clock.s, 60.0)
    walk = world.memory.drift_um(DriftTruth(), clock.s, 60.0)
    assert wide[1] - walk[1] == pytest.approx(0.6 * slope)
    assert walk[0] != still[0]


def test_random_walk_spreads_with_the_square_root_of_time() -> None:
    ends: list[float] = []
    for seed in range(200):
        noise = GridNoise(lambda block, seed=seed: np.random.default_rng([seed, block]))
        ends.append(GridWalk(noise, 10.0, None).at(4 * 3600.0))
    # 200 walks give the deviation to 5 %; bound four errors.
    assert float(np.std(ends)) == pytest.approx(2.0, rel=0.2)


def test_diffusion_has_unit_variance_and_its_correlation_time() -> None:
    noise = GridNoise(lambda block: np.random.default_rng([0, block]))
    walk = GridWalk(noise, 10.0, 300.0)
    values = np.array([walk.at(10.0 * index) for index in range(60_000)])
    # 1000 independent stretches: variance to 4.5 %, correlation to 0.03; bound four errors.
    assert float(values.var()) == pytest.approx(1.0, rel=0.18)
    lagged = float(np.mean(values[:-30] * values[30:]))
    assert lagged == pytest.approx(math.exp(-1.0), abs=0.12)


def test_asking_a_walk_changes_nothing() -> None:
    def walk() -> GridWalk:
        return GridWalk(GridNoise(lambda block: np.random.default_rng(block)), 10.0, 300.0)

    asked = walk()
    for at_s in (3.0, 500.0, 7.0, 100.0):
        asked.at(at_s)
    assert asked.at(54_321.0) == walk().at(54_321.0)


def test_grid_noise_survives_forgetting_old_blocks() -> None:
    noise = GridNoise(lambda block: np.random.default_rng(block))
    early = noise.at(5)
    for tick in range(0, 50_000, 1000):
        noise.at(tick)
    assert noise.at(5) == early
    np.testing.assert_array_equal(
        noise.between(1000, 3000)[:3], [noise.at(1000 + i) for i in range(3)]
    )


def test_bleaching_is_exponential_in_dose() -> None:
    law = Bleaching.model_validate({"excitations": 1e9, "blue_shift": "5 meV"})
    left, shift_mev = bleached(law, 1e9)
    assert left == pytest.approx(math.exp(-1.0))
    assert shift_mev == pytest.approx(5.0 * (1.0 - math.exp(-1.0)))
    assert bleached(None, 1e20) == (1.0, 0.0)


def test_light_bleaches_and_darkness_does_not(lit_world: Maker, clock: Any) -> None:
    world = lit_world(memory=True, dots=BLEACHING)
    before = float(world.electron_rate_per_pixel().sum())
    dose_s = 1e10 / (world.excitations() * 1e7)
    world.table.shutter_open = False
    clock.s = 5000.0
    world.table.shutter_open = True
    assert float(world.electron_rate_per_pixel().sum()) == pytest.approx(before, rel=1e-3)
    clock.s += dose_s
    after = float(world.electron_rate_per_pixel().sum())
    assert after == pytest.approx(before * math.exp(-1.0), rel=5e-3)


def test_dose_stays_with_the_dot(lit_world: Maker, clock: Any) -> None:
    pair = BLEACHING | {"A2": BLEACHING["A1"] | {"position": ["9 um", "0 um", "0 um"]}}
    world = lit_world(memory=True, dots=pair)
    fresh = world.electron_rate_per_pixel().sum()
    clock.s = 1000.0
    world.select_dot("A2")
    assert world.electron_rate_per_pixel().sum() == pytest.approx(fresh, rel=1e-2)
    clock.s = 1001.0
    world.select_dot("A1")
    assert world.electron_rate_per_pixel().sum() < 0.8 * fresh


def test_each_dot_has_the_light_of_its_place_in_the_spot(lit_world: Maker, clock: Any) -> None:
    pair = BLEACHING | {"A2": BLEACHING["A1"] | {"position": ["0.6 um", "0 um", "0 um"]}}
    world: Any = lit_world(memory=True, dots=pair)
    world.attach_stage(drift=False)
    began_s = clock.s
    waist_um = 0.5 * world.laser.spot_1e2_diameter_um
    for moved_um, seconds in ((0.0, 10.0), (-0.6, 30.0), (0.3, 5.0)):
        world.move_stage(0, moved_um - world.stage_um[0])
        clock.s += seconds
    world.table.shutter_open = False
    clock.s += 100.0
    world.move_stage(1, 1.0)

    def share(um: float) -> float:
        return math.exp(-2.0 * (um / waist_um) ** 2)

    full = world._excitations(world.dot, world.peak_uj_cm2()) * world.laser.rep_rate_hz
    for name, x_um in (("A1", 0.0), ("A2", 0.6)):
        places = ((0.0, 10.0), (-0.6, 30.0), (0.3, 5.0))
        wanted = sum(seconds * share(x_um + moved_um) for moved_um, seconds in places)
        earlier_s = began_s if name == "A1" else began_s * share(0.6)
        got = world._dose(name, clock.s) / full
        assert got == pytest.approx(wanted + earlier_s, rel=1e-6)


def test_memory_off_switches_everything_off(lit_world: Maker, clock: Any) -> None:
    world = lit_world(memory=False, dots=BLEACHING)
    world.stage_um = (0.0, 0.0, 0.0)
    before = world.electron_rate_per_pixel()
    energy_ev = world.truth()["energy_ev"]
    clock.s = 1e5
    np.testing.assert_array_equal(world.electron_rate_per_pixel(), before)
    assert world.truth()["energy_ev"] == energy_ev


def test_memory_on_lets_the_line_wander(lit_world: Maker, clock: Any) -> None:
    world = lit_world(memory=True)
    energies: list[float] = []
    for hour in range(200):
        clock.s = 3600.0 * hour
        energies.append(1e3 * world.truth()["energy_ev"])
    # Slow standard deviation 0.05 meV, 200 independent values: 5 %; bound four errors.
    assert float(np.std(energies)) == pytest.approx(0.05, rel=0.2)


def test_drift_shows_only_with_a_stage(lit_world: Maker, clock: Any) -> None:
    world = lit_world(memory=True, temperature_k=40.0)
    held = float(world.electron_rate_per_pixel().sum())
    world.thermal.set_target(55.0)
    clock.s = 1200.0
    by_hand = float(world.electron_rate_per_pixel().sum())
    assert by_hand > 0.7 * held, "someone keeps the dot in place"
    world.stage_um = (0.0, 0.0, 0.0)
    assert float(world.electron_rate_per_pixel().sum()) < 1e-3 * held
    world.select_dot("A1")
    assert float(world.electron_rate_per_pixel().sum()) == pytest.approx(by_hand, rel=0.01)
