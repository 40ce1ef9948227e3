"""The world as a whole."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labctl_sim.sample import load_sample
from labctl_sim.world import (
    EmccdTruth,
    LaserTruth,
    SpectrographTruth,
    ThermalTruth,
    World,
    truth_defaults,
)
from labctl_sim.world._grating import blaze_rel

Maker = Callable[..., World]


def test_unknown_dots_are_named(make_world: Maker) -> None:
    with pytest.raises(KeyError, match="no dot 'Z9'"):
        make_world(dot="Z9")
    with pytest.raises(KeyError, match="it has"):
        make_world().select_dot("Z9")


def test_later_actions_hold_the_lock_and_can_be_cancelled(make_world: Maker, clock: Any) -> None:
    world, done = make_world(), list[float]()
    clock.s = 2.0
    world.after(1.5, lambda: done.append(clock.s))
    cancel = world.after(9.0, lambda: done.append(-1.0))
    cancel()
    ((at_s, action),) = clock.events
    assert at_s == 3.5
    action()
    assert done == [2.0]


def test_an_action_that_is_cancelled_when_it_was_due_already_is_not_done(
    make_world: Maker, clock: Any
) -> None:
    """In real time it may be waiting for the lock that its canceller holds."""
    world, done = make_world(), list[str]()
    cancel = world.after(1.0, lambda: done.append("too late"))
    ((_, due),) = clock.events
    cancel()
    due()
    assert done == []


def test_points_seed_the_detectors(make_world: Maker, clock: Any) -> None:
    world = make_world()
    clock.s = 5.0
    world.begin_point("p1")
    assert (world.point_id, world.point_began_s) == ("p1", 5.0)
    first = world.generator("camera", 0).standard_normal(4)
    np.testing.assert_array_equal(world.generator("camera", 0).standard_normal(4), first)
    assert np.any(world.generator("tagger", 0).standard_normal(4) != first)
    world.begin_point("p2")
    assert np.any(world.generator("camera", 0).standard_normal(4) != first)


def test_twenty_five_thousand_electrons_per_pixel_at_one_excitation(lit_world: Maker) -> None:
    world = lit_world()
    assert world.excitations() == pytest.approx(1.0, abs=0.01)
    # Average over directions, 0.63 excitons per pulse.
    dots = {"A1": {"edge_length": "30 nm", "lifetime": "180 ps"}}
    brightest = float(lit_world(dots=dots).electron_rate_per_pixel().max())
    assert 8e3 < brightest < 25e3, "three lines share the light"
    assert float(world.electron_rate_per_pixel().max()) == pytest.approx(25e3, rel=0.6)


def test_total_light_against_the_budget(lit_world: Maker) -> None:
    world = lit_world()
    truth, camera = world.spectrograph.truth, EmccdTruth()
    emitted = 1.5 * 1e7 * -math.expm1(-world.excitations())
    blaze = np.sinc(1 - 500.0 / 530.2) ** 2
    expected = emitted * truth.throughput_rel * blaze * camera.quantum_efficiency
    polarization = 2 * 1.0 / (1 + truth.polarization_300_ratio)
    total = float(world.electron_rate_per_pixel().sum())
    # The Lorentzian's tails beyond the sensor and the slope of the efficiency cost below 1 %.
    assert total == pytest.approx(expected * polarization, rel=0.01)


def test_dark_table_is_dark(make_world: Maker) -> None:
    assert not make_world().electron_rate_per_pixel().any()


def test_neighbours_do_not_show_but_can_be_selected(lit_world: Maker) -> None:
    dot = {"edge_length": "30 nm", "lifetime": "180 ps", "regime": "auger"}
    dots = {
        "A1": dot,
        "B2": dot | {"edge_length": "20 nm", "position": ["4 um", "3 um", "0 um"]},
    }
    alone, pair = lit_world(dots={"A1": dot}), lit_world(dots=dots)
    np.testing.assert_allclose(
        pair.electron_rate_per_pixel(), alone.electron_rate_per_pixel(), rtol=1e-6
    )
    pair.select_dot("B2")
    assert pair.truth()["dot"] == "B2"
    assert pair.truth()["energy_ev"] > alone.truth()["energy_ev"]


def test_a_moved_stage_takes_the_dot_out_of_the_spot(lit_world: Maker) -> None:
    world = lit_world()
    world.stage_um = (0.0, 0.0, 0.0)
    centred = float(world.electron_rate_per_pixel().sum())
    world.stage_um = (0.0, 0.35, 0.0)
    shifted = float(world.electron_rate_per_pixel().sum())
    fluence = math.exp(-2 * (0.35 / 1.2) ** 2)
    absorbed = math.expm1(-world.excitations() * fluence) / math.expm1(-world.excitations())
    assert shifted / centred == pytest.approx(math.exp(-0.5) * absorbed, rel=1e-3)


def test_mean_power_of_the_papers_fluence(make_world: Maker) -> None:
    # 0.85 uJ/cm^2 in a spot of 2.4 um at 10 MHz are 0.19 uW.
    photon_j = 1239.842 / 405.0 * 1.602177e-19
    assert make_world().laser_photons_hz() * photon_j == pytest.approx(0.192e-6, rel=0.01)


def test_truth_can_be_moved_and_the_light_follows(lit_world: Maker) -> None:
    peaks: list[int] = []
    for offset_px in (0.0, 25.0):
        world = lit_world()
        world.attach_spectrograph({"centre_offset_300_px": offset_px, "some_other_key": 1})
        peaks.append(int(np.argmax(world.electron_rate_per_pixel())))
    assert peaks[1] - peaks[0] == 25


def test_air_shifts_the_line_by_its_index(lit_world: Maker) -> None:
    places: list[float] = []
    for in_air in (True, False):
        world = lit_world()
        world.attach_spectrograph({"in_air": in_air})
        world.spectrograph.lines_per_mm = 1800.0
        rate = world.electron_rate_per_pixel()
        places.append(float(rate @ np.arange(1600)) / float(rate.sum()))
    mount = world.spectrograph.mount(16.0, 1600)
    assert mount is not None
    apart = np.diff(mount.wavelength_nm(np.array(places)))[0]
    assert apart == pytest.approx(530.0 * 2.78e-4, rel=0.03)


def test_lamp_lines_fall_where_the_true_geometry_puts_them(make_world: Maker) -> None:
    world = make_world()
    world.table.lamp = "neon"
    rate = world.electron_rate_per_pixel()
    mount = world.spectrograph.mount(16.0, 1600)
    assert mount is not None
    at = mount.pixel(540.05616)
    near = slice(int(at) - 8, int(at) + 9)
    centre = float(rate[near] @ np.arange(1600)[near]) / float(rate[near].sum())
    assert centre == pytest.approx(at, abs=0.01)


def test_analyser_follows_malus_over_a_bare_grating(lit_world: Maker) -> None:
    world = lit_world()
    world.attach_spectrograph({"polarization_300_ratio": 1.0, "stray_light_rel": 0.0})
    bare = float(world.electron_rate_per_pixel().sum())
    for angle_deg in (0.0, 30.0, 60.0, 90.0):
        world.table.analyser_deg = angle_deg
        seen = float(world.electron_rate_per_pixel().sum()) / bare
        assert seen == pytest.approx(max(math.cos(math.radians(angle_deg)) ** 2, 1e-4), rel=2e-3)


def test_edge_filter_cuts_the_blue_side(lit_world: Maker) -> None:
    world = lit_world()
    open_rate = float(world.electron_rate_per_pixel().sum())
    world.table.edge_filter_nm = 500.0
    assert float(world.electron_rate_per_pixel().sum()) < 1e-3 * open_rate


def test_biexciton_mirrors_the_triplet(lit_world: Maker) -> None:
    tilted = {"azimuth": "20 deg", "tilt": "40 deg", "spin": "30 deg"}
    dot = {"edge_length": "30 nm", "lifetime": "180 ps", "huang_rhys_factor": 0}
    dots = {"A1": dot | {"orientation": tilted}}
    lines = lit_world(dots=dots).truth()["bands"]
    single = sorted(line["energy_ev"] for line in lines if line["kind"] == "exciton")
    double = sorted(line["energy_ev"] for line in lines if line["kind"] == "multiexciton")
    sums = [a + b for a, b in zip(single, reversed(double), strict=True)]
    np.testing.assert_allclose(sums, sums[0], rtol=1e-12)
    assert 1e3 * (np.mean(single) - np.mean(double)) == pytest.approx(14.0, abs=0.01)


def test_charging_moves_light_into_one_trion_line(lit_world: Maker) -> None:
    def lines(share: float) -> list[dict[str, Any]]:
        dot = {"edge_length": "30 nm", "lifetime": "180 ps", "huang_rhys_factor": 0}
        dots = {"A1": dot | {"trion_share": share, "trion_yield_factor": 0.5, "regime": "auger"}}
        return lit_world(dots=dots).truth()["bands"]

    neutral = sum(line["photons_per_pulse"] for line in lines(0.0) if line["kind"] == "exciton")
    trion = [line for line in lines(0.4) if line["kind"] == "trion"]
    assert len(trion) == 1
    assert trion[0]["photons_per_pulse"] == pytest.approx(0.2 * neutral)


def test_superlattice_band_shares_the_light(lit_world: Maker) -> None:
    dot = {"edge_length": "30 nm", "lifetime": "180 ps"}
    plain = lit_world(dots={"A1": dot}).truth()["bands"]
    coupled = lit_world(dots={"A1": dot | {"superlattice": {"share": 0.4}}}).truth()["bands"]
    light = [sum(line["photons_per_pulse"] for line in lines) for lines in (plain, coupled)]
    assert light[0] == pytest.approx(light[1])
    band = next(line for line in coupled if line["kind"] == "superlattice")
    assert band["photons_per_pulse"] == pytest.approx(0.4 * light[0])


def test_room_temperature_shows_the_urbach_tail(lit_world: Maker) -> None:
    world = lit_world(temperature_k=295.0, laws={"room_temperature": {}})
    world.attach_spectrograph({"stray_light_rel": 0.0})
    world.spectrograph.centre_nm = 525.0
    rate = world.electron_rate_per_pixel()
    mount = world.spectrograph.mount(16.0, 1600)
    assert mount is not None
    wavelength_nm = mount.wavelength_nm(np.arange(1600.0))
    energy_ev = 1239.842 / wavelength_nm
    peak_ev = energy_ev[int(np.argmax(rate))]
    deep = (energy_ev < peak_ev - 0.12) & (energy_ev > peak_ev - 0.20)
    path = EmccdTruth().efficiency(wavelength_nm) * blaze_rel(wavelength_nm, 500.0)
    photons = rate / path * wavelength_nm**2
    slope = np.polyfit(energy_ev[deep], np.log(photons[deep]), 1)[0]
    assert 1e3 / slope == pytest.approx(14.0, rel=0.02)


def test_zero_order_shows_at_zero_nanometres(lit_world: Maker) -> None:
    world = lit_world()
    world.spectrograph.centre_nm = 0.0
    rate = world.electron_rate_per_pixel()
    assert int(np.argmax(rate)) == pytest.approx(802, abs=1)
    assert float(rate.max()) > 1e3


def test_truth_defaults_are_plain_values() -> None:
    for kind in (ThermalTruth, SpectrographTruth, EmccdTruth):
        defaults = truth_defaults(kind)
        assert defaults
        assert all(isinstance(value, float | int | bool | str) for value in defaults.values())


def test_a_world_is_repeatable_and_has_a_plain_laser() -> None:
    assert LaserTruth(**{"wavelength_nm": 450.0}).wavelength_nm == 450.0
    with pytest.raises(ValueError, match="schema_version"):
        load_sample({"name": "x"})
