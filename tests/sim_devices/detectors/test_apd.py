"""A detector's switches, and what they do to the stream of its module."""

from collections.abc import Callable
from typing import Any

import pytest

from labctl_sim.detectors.pdm import Pdm
from labctl_sim.detectors.spcm_aqrh import SpcmAqrh
from labctl_sim.picoquant.multiharp150 import MultiHarp150
from labctl_sim.world.photons import Bench
from tcspc_bench import T3, HandClock, make_world

Setup = tuple[HandClock, Any, Any, MultiHarp150]


@pytest.fixture
def bench() -> Setup:
    clock = HandClock()
    world = make_world(clock.now, clock.schedule)
    tagger = MultiHarp150("tcspc", world, {}, {})
    first = Pdm("apd_1", world, {"tagger": "tcspc", "channel": 1}, {})
    second = SpcmAqrh("apd_2", world, {"tagger": "tcspc", "channel": 3}, {"dark_rate_hz": 700.0})
    tagger.call("OpenDevice", [0])
    tagger.call("Initialize", [0, T3, 0])
    clock.advance(0.3)
    return clock, first, second, tagger


def rate(setup: Setup, channel: int) -> int:
    setup[0].advance(0.2)
    return int(setup[3].call("GetCountRate", [0, channel])[1][0])


def expected(setup: Setup) -> list[float]:
    bench = Bench.of(setup[1].world)
    return bench.rates_hz(bench.apds("tcspc"), setup[0].s)


def test_they_count_at_their_inputs(bench: Setup) -> None:
    assert rate(bench, 0) == pytest.approx(
        expected(bench)[0], abs=5.0 * (expected(bench)[0] / 0.1) ** 0.5
    )
    assert rate(bench, 1) == 0
    assert rate(bench, 2) == pytest.approx(
        expected(bench)[1], abs=5.0 * (expected(bench)[1] / 0.1) ** 0.5
    )


def test_power_gate_and_shutter(bench: Setup) -> None:
    _, first, second, _ = bench
    hand = first.face(first.call)
    for switch in (hand.power, hand.gate):
        switch(False)
        assert rate(bench, 0) == 0
        switch(True)
        assert rate(bench, 0) > 3000
    other = second.face(second.call)
    other.shutter(False)
    assert rate(bench, 2) == pytest.approx(700, abs=420)
    assert hand.is_powered()
    first.fault_switch_off()
    assert not hand.is_powered()
    first.clear_faults()
    assert hand.is_powered()


def test_light_goes_where_the_exit_mirror_points(bench: Setup) -> None:
    _, first, _, _ = bench
    first.world.spectrograph.exit = "front"
    assert rate(bench, 0) == pytest.approx(50, abs=120)


def test_the_band_of_the_exit_slit_moves_with_the_grating(bench: Setup) -> None:
    _, first, _, _ = bench
    first.world.spectrograph.centre_nm -= 8.0
    assert rate(bench, 0) < 300


@pytest.mark.parametrize("kind", [Pdm, SpcmAqrh])
def test_a_detector_before_the_grating_has_no_path_differences(
    bench: Setup, kind: Callable[..., Any]
) -> None:
    world = bench[1].world
    near = kind("apd_3", world, {"tagger": "other"}, {"light_path": "direct"}).apd
    far = bench[1].apd
    seen = Bench.of(world).look([far, near], 0.0)
    assert [round(timing.spread_ps) for timing in seen.timings] == [41, 0]
    world.spectrograph.lines_per_mm = 1800.0
    seen = Bench.of(world).look([far, near], 0.0)
    assert [round(timing.spread_ps) for timing in seen.timings] == [244, 0]
