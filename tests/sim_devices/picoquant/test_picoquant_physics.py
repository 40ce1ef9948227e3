"""What the world does to the photons, as counted by a client of the library.

Detectors stand before the spectrograph, where they see all light of the dot. Bounds are 5
standard deviations of the counts unless said otherwise.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl_sim.detectors.pdm import Pdm
from labctl_sim.picoquant._replay import decode
from labctl_sim.world.photons import Bench
from tcspc_bench import T2, T3, TcspcBench

Make = Callable[..., TcspcBench]
Ints = NDArray[np.int64]
IDEAL: dict[str, Any] = {
    "light_path": "direct",
    "dark_rate_hz": 0.0,
    "dead_time_ns": 0.0,
    "afterpulse_probability": 0.0,
    "crosstalk_probability": 0.0,
}
# One dipole, no phonon side band: the line is linearly polarized and narrow.
LINEAR: dict[str, Any] = {
    "populations": [1.0, 0.0, 0.0],
    "huang_rhys_factor": 0.0,
    "multiexciton_yield": 0.0,
}
TICK_S = 5e-12
REP_RATE_HZ = 1e7


def multiharp(tcspc: Make, dot: dict[str, Any], *truths: dict[str, Any], mode: int) -> TcspcBench:
    """A MultiHarp 150 with a detector of each truth at its inputs 1, 2, …; it is open."""
    bench = tcspc("MH", dot=dot)
    for number, truth in enumerate(truths, 1):
        settings = {"tagger": "tcspc", "channel": number}
        Pdm(f"apd_{number}", bench.world, settings, IDEAL | truth)
    bench.open(mode)
    return bench


def photons(bench: TcspcBench, time_ms: int) -> tuple[Ints, Ints]:
    """Ticks or sync numbers, and channels, of a run."""
    ticks, _, channels = decode(bench.acquire(time_ms), bench.sim.model.form, t3=bench_t3(bench))
    photon = channels < 7
    return ticks[photon], channels[photon]


def bench_t3(bench: TcspcBench) -> bool:
    return bool(bench.sim._settings.mode == T3)


def counts(bench: TcspcBench, time_ms: int, inputs: int = 1) -> list[int]:
    """Photons of each input in a run."""
    found = np.bincount(photons(bench, time_ms)[1], minlength=inputs)
    return [int(count) for count in found]


def spread(*numbers: float) -> float:
    """Five standard deviations of a sum or difference of counts."""
    return 5.0 * math.sqrt(sum(numbers))


def darkness(tcspc: Make, *truths: dict[str, Any]) -> TcspcBench:
    """Detectors that give only darks, with absolute times."""
    bench = multiharp(tcspc, {}, *truths, mode=T2)
    bench.world.table.laser_on = False
    bench.clock.advance(0.3)
    return bench


def test_an_analyser_passes_what_malus_says(tcspc: Make) -> None:
    bench = multiharp(tcspc, LINEAR, {}, mode=T3)
    (whole,) = counts(bench, 500)
    assert whole > 10_000
    for angle_deg in (0.0, 30.0, 45.0, 60.0, 90.0, 120.0):
        bench.world.table.analyser_deg = angle_deg
        (found,) = counts(bench, 500)
        law = math.cos(math.radians(angle_deg)) ** 2
        # An extinction of 1e-4 adds that share of the whole.
        assert found == pytest.approx(law * whole, abs=spread(law * whole, law**2 * whole) + 20)


def test_an_analyser_that_turns_during_a_run_acts_from_then_on(tcspc: Make) -> None:
    bench = multiharp(tcspc, LINEAR, {}, mode=T3)
    bench.world.table.analyser_deg = 0.0
    bench.run("StartMeas", 1000)
    bench.clock.advance(0.5)
    bench.world.table.analyser_deg = 90.0
    bench.clock.advance(0.6)
    ticks, _, channels = decode(bench.read(), bench.sim.model.form, t3=True)
    at_s = ticks[channels < 7] / REP_RATE_HZ
    before, after = int((at_s < 0.5).sum()), int((at_s > 0.6).sum())
    assert before > 10_000
    # The module looks at the path every 0.1 s.
    assert after < 0.01 * before
    assert 0x101 in channels, "the rotator's marker"
    bench.run("StopMeas")


def test_an_edge_filter_takes_the_line_or_leaves_it(tcspc: Make) -> None:
    bench = multiharp(tcspc, LINEAR, {}, mode=T3)
    line_nm = 1239.842 / bench.world.truth()["energy_ev"]
    found: dict[float, int] = {}
    for offset_nm in (math.nan, 30.0, 0.0, -30.0):
        filtered = not math.isnan(offset_nm)
        bench.world.table.edge_filter_nm = line_nm + offset_nm if filtered else None
        (found[offset_nm],) = counts(bench, 500)
    whole, above, at, below = found.values()
    assert above == pytest.approx(whole, abs=spread(whole, above) + 0.1 * whole)
    assert 0.2 * whole < at < 0.8 * above
    assert below < 0.01 * whole


def test_a_splitter_shares_as_it_is_built(tcspc: Make) -> None:
    for fraction in (0.5, 0.3):
        arms = ({"arm_fraction": fraction}, {"arm_fraction": 1.0 - fraction})
        bench = multiharp(tcspc, {}, *arms, mode=T3)
        first, second = counts(bench, 1000, 2)
        total = first + second
        # Binomial: of all photons a share goes to the first.
        bound = 5.0 * math.sqrt(total * fraction * (1.0 - fraction))
        assert first == pytest.approx(fraction * total, abs=bound)


def test_a_dot_bleaches_with_its_dose(tcspc: Make) -> None:
    per_s = tcspc("MH").world.excitations() * REP_RATE_HZ
    life_s = 4.0
    bleaching = {"excitations": per_s * life_s, "blue_shift": "0 meV"}
    bench = multiharp(tcspc, {"bleaching": bleaching}, {}, mode=T3)
    (first,) = counts(bench, 200)
    bench.world.table.shutter_open = False
    bench.clock.advance(10.0)
    bench.world.table.shutter_open = True
    begin_s = bench.clock.now()
    bench.clock.advance(3.0)
    dark_lit_s = bench.clock.now() - begin_s
    (later,) = counts(bench, 200)
    # The first run, its reading and the end of it were lit, too: 0.2 s and a reading of 0.02 s.
    left = math.exp(-(dark_lit_s + 0.2) / life_s)
    bound = spread(left * first, left**2 * first) + left * first * 0.06 / life_s
    assert later == pytest.approx(left * first, abs=bound)


def test_a_blinking_dot_is_off_for_its_share(tcspc: Make) -> None:
    blinking = {
        "kind": "telegraph",
        "on_share": 0.7,
        "on_share_after_one_hour": 0.7,
        "shortest": "100 ms",
        "longest": "500 ms",
        "off_yield_factor": 0.0,
    }
    bench = multiharp(tcspc, {"blinking": blinking}, {}, mode=T3)
    begin_s = bench.clock.now()
    ticks, _ = photons(bench, 10_000)
    trace = np.bincount((ticks / REP_RATE_HZ / 0.01).astype(np.int64), minlength=1000)[:1000]
    bright = np.quantile(trace, 0.75)
    assert bright > 100
    on_share = float((trace > 0.5 * bright).mean())
    dwells = Bench.of(bench.world).blinking("A7")
    assert dwells is not None
    # Its clock is light: the shutter has been open since the world began. Bins in which it
    # switches, at most 10 ms of some 100 ms, fall to either side.
    told = dwells.on_share(begin_s, begin_s + 10.0)
    assert on_share == pytest.approx(told, abs=0.03)
    assert 0.4 < on_share < 0.95
    off = trace[trace < 0.1 * bright]
    assert len(off) > 20


@pytest.mark.parametrize("rate_hz", [2e5, 2e6])
def test_dead_time_takes_what_the_closed_form_says(tcspc: Make, rate_hz: float) -> None:
    dead_s, live_s = 77e-9, 0.5
    bench = darkness(tcspc, {"dark_rate_hz": rate_hz, "dead_time_ns": 77.0})
    ticks, _ = photons(bench, round(1e3 * live_s))
    busy = rate_hz * dead_s
    wanted = live_s * rate_hz / (1.0 + busy)
    # A dead time that is not prolonged makes counts regular: variance over mean (1 + r tau)^-2.
    assert len(ticks) == pytest.approx(wanted, abs=5.0 * math.sqrt(wanted) / (1.0 + busy))
    assert np.diff(ticks).min() >= dead_s / TICK_S - 1
    meter_hz = bench.number("GetCountRate", 0)
    assert meter_hz == pytest.approx(wanted / live_s, abs=5.0 * math.sqrt(wanted / live_s / 0.1))


def test_afterpulses_stand_in_a_peak_behind_the_dead_time(tcspc: Make) -> None:
    rate_hz, share, dead_ns, delay_ns = 1e5, 0.05, 77.0, 30.0
    bench = darkness(
        tcspc,
        {
            "dark_rate_hz": rate_hz,
            "dead_time_ns": dead_ns,
            "afterpulse_probability": share,
            "afterpulse_delay_ns": delay_ns,
        },
    )
    ticks, _ = photons(bench, 1000)
    gaps_ns = np.diff(ticks) * TICK_S * 1e9
    # Five delays hold 99.3 per cent of an exponential; chance gives r t in that time.
    window_ns = 5.0 * delay_ns
    near = int(((gaps_ns >= dead_ns - 0.01) & (gaps_ns < dead_ns + window_ns)).sum())
    by_chance = len(ticks) * rate_hz * window_ns * 1e-9
    wanted = len(ticks) * share * 0.993 + by_chance
    assert near == pytest.approx(wanted, abs=spread(wanted) + 0.03 * wanted)
    late = int(((gaps_ns >= 1000.0) & (gaps_ns < 1000.0 + window_ns)).sum())
    survived = (1.0 - share) * math.exp(-rate_hz * (1000.0 - dead_ns) * 1e-9)
    assert late == pytest.approx(by_chance * survived, abs=spread(by_chance) + 0.03 * by_chance)


def test_cross_talk_stands_in_two_side_peaks(tcspc: Make) -> None:
    rate_hz, share, delay_ns = 1e5, 0.02, 20.0
    truth = {
        "dark_rate_hz": rate_hz,
        "crosstalk_probability": share,
        "crosstalk_delay_ns": delay_ns,
        "jitter_fwhm_ps": 0.0,
    }
    bench = darkness(tcspc, truth, truth)
    ticks, channels = photons(bench, 1000)
    one, two = (ticks[channels == c] * TICK_S * 1e9 for c in (0, 1))
    lags = np.arange(-40.0, 41.0, 1.0)
    # Photons of the second detector before those of the first, shifted, each.
    before: list[Ints] = [np.searchsorted(two, one + lag) for lag in lags - 0.5]
    pairs = np.array([int(np.sum(numbers)) for numbers in before], dtype=np.int64)
    areas = np.diff(pairs)
    at = lags[:-1]
    flat = rate_hz * rate_hz * 1e-9
    for side_ns in (-delay_ns, delay_ns):
        peak = int(areas[np.abs(at - side_ns) <= 2.0].sum())
        wanted = share * rate_hz + 5.0 * flat
        assert peak == pytest.approx(wanted, abs=spread(wanted) + 0.03 * wanted)
    rest = int(areas[np.abs(np.abs(at) - delay_ns) > 3.0].sum())
    bins = int((np.abs(np.abs(at) - delay_ns) > 3.0).sum())
    assert rest == pytest.approx(bins * flat, abs=spread(bins * flat) + 0.1 * bins * flat)
