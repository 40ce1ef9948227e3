"""A scatterer in the place of the sample: prompt laser light, and nothing of the dot."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl_sim.world import World
from labctl_sim.world.photons import Apd, ApdTruth, Bench, Input, Run

Lit = Callable[..., World]
PER_PULSE = 12.0
LASER_NM = 405.0
BIN_PS = 8
SPAN_PS = 2048


def at_the_laser_line(lit_world: Lit, *, lines_per_mm: float = 300.0) -> World:
    world = lit_world()
    world.spectrograph.exit = "side"
    world.spectrograph.lines_per_mm = lines_per_mm
    world.spectrograph.centre_nm = LASER_NM
    world.put_scatterer(PER_PULSE)
    return world


def rates_hz(world: World, count: int = 1, **truth: Any) -> list[float]:
    apds = [Apd(ApdTruth(**truth), channel=number + 1) for number in range(count)]
    return Bench(world).rates_hz(apds, 0.0)


def semicircle(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distribution of one coordinate of a point in the unit disc."""
    x = np.clip(x, -1.0, 1.0)
    return 0.5 + (x * np.sqrt(1.0 - x * x) + np.arcsin(x)) / math.pi


def irf(edges_ps: NDArray[np.float64], sd_ps: float, spread_ps: float) -> NDArray[np.float64]:
    """Share of prompt light between edges, ps after the pulse, cable included.

    Path differences on the grating (semicircle from 0 to ``spread_ps``), convolved on a grid of
    1 ps with a Gaussian and with the exponential tail that a tenth of the photons has.
    """
    truth = ApdTruth()
    steps = np.arange(-1024, 4096, dtype=np.float64)
    paths = np.diff(semicircle((np.append(steps, 4096.0) - 0.5 * spread_ps) / (0.5 * spread_ps)))
    gauss = np.exp(-0.5 * (steps / sd_ps) ** 2)
    tail = np.where(steps >= 0.0, np.exp(-np.abs(steps) / truth.tail_ps), 0.0)
    tail[steps == 0.0] = 0.5
    blur = gauss / gauss.sum()
    late = np.convolve(blur, tail / tail.sum())[1024 : 1024 + len(steps)]
    response = (1.0 - truth.tail_fraction) * blur + truth.tail_fraction * late
    # Paths are shares of bins from a step to the next, Gaussian and tail weights of points.
    density = np.convolve(response, paths)[1024 : 1024 + len(steps)]
    summed = np.concatenate([[0.0], np.cumsum(density)])
    begins = np.append(steps, 4096.0) + 1e3 * truth.cable_ns
    return np.diff(np.interp(edges_ps, begins, summed))


@pytest.mark.parametrize("lines_per_mm", [300.0, 1800.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_its_decay_is_the_response_function(
    lit_world: Lit, clock: Any, lines_per_mm: float, seed: int
) -> None:
    world = at_the_laser_line(lambda: lit_world(seed=seed), lines_per_mm=lines_per_mm)
    # Without dead time and faults every photon of a pulse counts, and nothing else.
    truth = ApdTruth(
        dark_rate_hz=0.0, dead_time_ns=0.0, afterpulse_probability=0.0, crosstalk_probability=0.0
    )
    run = Run(
        Bench(world),
        [Apd(truth)],
        [Input(0, 0, True)],
        device="tagger",
        number=0,
        electronics_sd_ps=12.0,
    )
    clock.s = 3.0
    delays = (run.stream.until(3.0, end=True) >> 3) % 100_000
    assert len(delays) > 400_000
    edges = np.arange(3000 - SPAN_PS // 4, 3000 + SPAN_PS, BIN_PS, dtype=np.float64)
    found = np.histogram(delays, edges)[0]
    sd_ps = math.hypot(math.hypot(50.0, 10.0) / math.sqrt(8.0 * math.log(2.0)), 12.0)
    lit_mm = world.spectrograph.truth.focal_length_mm / 6.5
    spread_ps = lit_mm * lines_per_mm * LASER_NM / 0.299792458e6
    expected = len(delays) * irf(edges, sd_ps, spread_ps)
    # Delays are whole ps, rounded down. Bins with at least 25 counts: chi² is then about normal.
    enough = expected >= 25.0
    chi2 = float(((found - expected)[enough] ** 2 / expected[enough]).sum())
    bins = int(enough.sum())
    assert bins > 40
    assert abs(chi2 - bins) < 5.0 * math.sqrt(2.0 * bins)
    assert found[~enough].sum() == pytest.approx(expected[~enough].sum(), abs=60.0)


def test_the_rate_leaves_no_pile_up_and_needs_the_right_wavelength(lit_world: Lit) -> None:
    world = at_the_laser_line(lit_world)
    pulses_hz = world.laser.rep_rate_hz
    (alone,) = rates_hz(world)
    assert 0.01 < alone / pulses_hz < 0.05
    first, second = rates_hz(world, 2)
    assert first == second == pytest.approx(0.5 * alone, rel=0.02)
    world.spectrograph.centre_nm = 531.0
    assert rates_hz(world)[0] < 100.0


def test_it_follows_the_attenuator_and_the_shutter(lit_world: Lit) -> None:
    world = at_the_laser_line(lit_world)
    linear: dict[str, Any] = {"dark_rate_hz": 0.0, "dead_time_ns": 0.0}
    full = rates_hz(world, **linear)[0]
    world.table.attenuation_rel = 0.1
    assert rates_hz(world, **linear)[0] == pytest.approx(0.1 * full, rel=1e-6)
    world.table.shutter_open = False
    assert Bench(world).rates_hz([Apd(ApdTruth())], 10.0)[0] == pytest.approx(50.0, rel=0.01)


def test_its_filters_are_chosen_for_the_attenuator_as_it_stands(lit_world: Lit) -> None:
    world = at_the_laser_line(lit_world)
    usual = rates_hz(world)[0]
    world.put_scatterer(None)
    world.table.attenuation_rel = 0.014
    world.put_scatterer(PER_PULSE)
    assert rates_hz(world)[0] == pytest.approx(usual, rel=1e-9)
    assert world.scattered_photons() == pytest.approx(PER_PULSE, rel=1e-9)


def test_the_dot_is_gone_and_comes_back(lit_world: Lit) -> None:
    world = lit_world()
    direct = Apd(ApdTruth(light_path="direct"))
    bench = Bench(world)
    before = bench.look([direct], 0.0)
    assert set(before.sources) == {"A1"}
    world.put_scatterer(PER_PULSE)
    assert set(bench.look([direct], 0.0).sources) == {"laser"}
    scene = world.scene(0.0)
    assert scene.emitters == ()
    assert scene.leak_photons_hz == pytest.approx(PER_PULSE * 1e7 * 0.015)
    world.put_scatterer(None)
    assert bench.look([direct], 0.0) == before
    assert len(world.scene(0.0).emitters) == 1


def test_polarized_laser_light_obeys_malus_behind_the_analyser(lit_world: Lit) -> None:
    """With a fixed output the grating has no part in it; the minimum is the extinction."""
    world = at_the_laser_line(lit_world)
    world.put_scatterer(PER_PULSE)
    world.laser = replace(world.laser, polarization_deg=30.0, polarization_off_deg=0.5)
    world.table.fixed_output_polarization_deg = 90.0
    seen: dict[float, float] = {}
    for turn_deg in (0.0, 60.0, 90.0):
        world.table.analyser_deg = 30.5 + turn_deg
        seen[turn_deg] = rates_hz(world, dark_rate_hz=0.0, dead_time_ns=0.0)[0]
    assert seen[60.0] / seen[0.0] == pytest.approx(0.25, rel=1e-3)
    assert seen[90.0] / seen[0.0] == pytest.approx(1e-4, rel=1e-3)


def test_only_without_the_long_pass_does_laser_light_come(lit_world: Lit) -> None:
    world = at_the_laser_line(lit_world)
    without = rates_hz(world, dark_rate_hz=0.0, dead_time_ns=0.0)[0]
    world.put_scatterer(None)
    photons_hz = world.laser_photons_hz()
    world.table.laser_line_leak_rel = PER_PULSE * world.laser.rep_rate_hz / photons_hz
    behind = rates_hz(world, dark_rate_hz=0.0, dead_time_ns=0.0)[0]
    assert behind < 1e-5 * without


def test_the_dot_does_not_bleach_meanwhile(lit_world: Lit, clock: Any) -> None:
    dot = {"edge_length": "23 nm", "lifetime": "100 ps"}
    dots = {"A1": dot | {"bleaching": {"excitations": 2e8, "blue_shift": "0 meV"}}}
    world, other = lit_world(memory=True, dots=dots), lit_world(memory=True, dots=dots)
    clock.s = 10.0
    world.put_scatterer(PER_PULSE)
    left = world.surroundings("A1", 10.0)[1]
    assert 0.1 < left < 0.9
    clock.s = 50.0
    assert world.surroundings("A1", 50.0)[1] == left
    world.put_scatterer(None)
    clock.s = 60.0
    assert world.surroundings("A1", 60.0)[1] == pytest.approx(
        other.surroundings("A1", 20.0)[1], rel=1e-9
    )


def test_a_running_module_sees_the_change(lit_world: Lit) -> None:
    world = lit_world()
    bench = Bench(world)
    before = bench.state()
    world.put_scatterer(PER_PULSE)
    assert bench.state() != before
