"""What the detectors see follows dot, filters, grating, temperature and room."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from labctl_sim.sample import Decay, Dot, Laws
from labctl_sim.world import World
from labctl_sim.world.photons import Apd, ApdTruth, Bench, Light
from labctl_sim.world.photons._lifetimes import exciton_lifetime_ps, lifetimes_ps

Lit = Callable[..., World]
DIRECT = {"light_path": "direct"}
DOT: dict[str, Any] = {"edge_length": "30 nm", "lifetime": "180 ps", "populations": [1.0, 0.0, 0.0]}


def look(world: World, *truths: dict[str, Any]) -> Light:
    bench = Bench(world)
    return bench.look([Apd(ApdTruth(**truth)) for truth in truths], 0.0)


def rate(world: World, **truth: Any) -> float:
    """Detected photons per pulse of the dot on the axis, one detector alone."""
    source = look(world, DIRECT | truth).sources.get("A1")
    return source.models[0].mean[0] if source else 0.0


def test_the_rate_is_yield_times_throughput(lit_world: Lit) -> None:
    world = lit_world()
    excited = -math.expm1(-world.excitations())
    # One dipole along the detection plane is collected 1.5 times as well as the mean direction.
    assert rate(world) == pytest.approx(excited * 1.5 * 0.010 * 0.45, rel=0.01)


def test_arms_of_a_splitter_share(lit_world: Lit) -> None:
    world = lit_world()
    model = look(world, DIRECT, DIRECT | {"arm_fraction": 0.3}).sources["A1"].models[0]
    assert model.mean[0] == pytest.approx(0.5 * rate(world), rel=1e-9)
    assert model.mean[1] == pytest.approx(0.3 * rate(world), rel=1e-9)


def test_an_analyser_obeys_malus(lit_world: Lit) -> None:
    world = lit_world(dots={"A1": DOT | {"huang_rhys_factor": 0.0, "multiexciton_yield": 0.0}})
    open_rate = rate(world)
    for angle_deg in (0.0, 30.0, 60.0, 90.0):
        world.table.analyser_deg = angle_deg
        law = 1e-4 + (1.0 - 1e-4) * math.cos(math.radians(angle_deg)) ** 2
        assert rate(world) == pytest.approx(law * open_rate, rel=1e-6)


def test_the_short_pass_takes_multiexcitons_and_some_excitons(lit_world: Lit) -> None:
    world = lit_world(dots={"A1": DOT | {"huang_rhys_factor": 0.0}})
    neutral = look(world, DIRECT).sources["A1"].models[0]
    line_nm = 1239.842 / world.truth()["energy_ev"]
    world.table.edge_filter_nm = line_nm + 1.6
    filtered = look(world, DIRECT).sources["A1"].models[0]
    assert 0.7 < filtered.last[0] / neutral.last[0] < 1.0
    assert 0.05 < filtered.others[0] / neutral.others[0] < 0.3


def test_a_band_pass_in_one_arm(lit_world: Lit) -> None:
    world = lit_world(dots={"A1": DOT})
    line_nm = 1239.842 / world.truth()["energy_ev"]
    inside = rate(world, band_centre_nm=line_nm, band_width_nm=3.0)
    outside = rate(world, band_centre_nm=line_nm + 30.0, band_width_nm=3.0)
    assert outside < 0.05 * inside < 0.05 * rate(world)


def test_the_curve_of_efficiency(lit_world: Lit) -> None:
    world = lit_world()
    assert rate(world, curve="spcm") == pytest.approx(rate(world), rel=0.05)


def test_room_light_and_darks(lit_world: Lit) -> None:
    world = lit_world()
    assert look(world, DIRECT).steady_hz == (50.0,)
    world.table.room_light_rel = 0.5
    assert look(world, DIRECT).steady_hz == (50.0 + 1e6,)


def test_too_much_light_blinds_until_it_is_gone(lit_world: Lit) -> None:
    world = lit_world()
    bench, apd = Bench(world), Apd(ApdTruth(light_path="direct", limit_mhz=1.0))
    for room, blind in ((0.1, False), (1.0, True), (1.0, True), (0.0, False)):
        world.table.room_light_rel = room
        seen = bench.look([apd], 0.0)
        assert apd.blind == blind
        assert (seen.steady_hz[0] > 0.0) is not blind
        assert ("A1" in seen.sources) is not blind
    assert apd.overloads == 1


def test_laser_leak_is_prompt_poissonian_light(lit_world: Lit) -> None:
    world = lit_world()
    assert "laser" not in look(world, DIRECT).sources
    world.table.laser_line_leak_rel = 1e-3
    model = look(world, DIRECT).sources["laser"].models[0]
    assert model.independent
    assert model.taus_ps[0] == 0.0
    assert model.mean[0] > 0.0


def test_a_warm_dot_lives_longer(lit_world: Lit) -> None:
    law = Decay()
    assert exciton_lifetime_ps(law, 100.0, 4.0) == pytest.approx(100.0, rel=1e-6)
    assert exciton_lifetime_ps(law, 100.0, 90.0) == pytest.approx(1000.0, rel=0.01)
    taus: dict[float, tuple[float, ...]] = {}
    for kelvin in (4.0, 90.0):
        world = lit_world(temperature_k=kelvin)
        taus[kelvin] = look(world, DIRECT).sources["A1"].models[0].taus_ps[:2]
    assert taus[4.0] == pytest.approx((180.0, 45.0), rel=1e-6)
    assert taus[90.0][0] == pytest.approx(1796.0, rel=0.02)


def test_at_room_temperature_the_sample_s_lifetimes_hold() -> None:
    laws = Laws.model_validate({"room_temperature": {}})
    dot = Dot.model_validate({"edge_length": "10 nm", "lifetime": "100 ps"})
    assert lifetimes_ps(laws, dot, 295.0) == [6000.0, 800.0]


def test_off_and_charged_dots_are_dim_and_short(lit_world: Lit) -> None:
    dot: dict[str, Any] = DOT | {"trion_share": 0.1, "blinking": {"type": "A"}}
    neutral, charged, off = look(lit_world(dots={"A1": dot}), DIRECT).sources["A1"].models
    for model in (charged, off):
        assert model.taus_ps == pytest.approx((72.0,), rel=0.01)
        assert model.mean[0] < 0.2 * neutral.mean[0]
        assert len(model.counts) == 1


def test_a_superlattice_shares_its_light(lit_world: Lit) -> None:
    alone = look(lit_world(dots={"A1": DOT}), DIRECT).sources["A1"].models[0]
    sources = look(lit_world(dots={"A1": DOT | {"superlattice": {}}}), DIRECT).sources
    single, band = sources["A1"].models[0], sources["A1 superlattice"].models[0]
    assert single.mean[0] == pytest.approx(0.5 * alone.mean[0], rel=1e-6)
    assert band.mean[0] == pytest.approx(0.5 * alone.mean[0], rel=0.05)
    assert band.taus_ps[0] == pytest.approx(0.4 * 180.0, rel=0.01)


def test_without_memory_nothing_blinks(lit_world: Lit) -> None:
    dots: dict[str, Any] = {"A1": DOT | {"blinking": {}}}
    assert Bench(lit_world(dots=dots)).blinking("A1") is None
    assert Bench(lit_world(dots=dots, memory=True)).blinking("A1") is not None
