"""Fits of simulated decays return what was put in, with honest errors.

Exponentials are counted by the closed form of a Gaussian convolved with them, everything else
photon by photon; neither shares a formula with the fit. Pull bounds are
those of ``design.md`` 12 (seeds 0 to 99), wider where said so: a mean within 0.4 and a standard
deviation within 0.75 to 1.3.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import DecayFit, Irf, Measured, TimingConfiguration, fit_decay
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]
Draw = np.random.Generator
Delays = Callable[[Draw, int], Vector]

BIN_PS, BINS, PERIOD_PS, PULSE_PS = 8.0, 1024, 1e5, 1000.0


def late_ps(draw: Draw, count: int) -> Vector:
    """Detector of 50 ps FWHM with a tail of 60 ps in a tenth of the counts."""
    tail = draw.exponential(60.0, count) * (draw.random(count) < 0.1)
    return draw.normal(0.0, 50.0 / 2.35482, count) + tail


def counted(
    draw: Draw, times_ps: Vector, level: float, bins: int = BINS, period_ps: float = PERIOD_PS
) -> Vector:
    folded = np.mod(times_ps + PULSE_PS, period_ps)
    found = np.histogram(folded, np.arange(bins + 1) * BIN_PS)[0]
    return (found + draw.poisson(level, bins)).astype(np.float64)


def behind(taus_ps: dict[float, float]) -> Vector:
    """Share of each bin in exponentials with these shares of light behind the detector."""
    sd_ps, edges_ps = 50.0 / 2.35482, np.arange(BINS + 1, dtype=np.float64) * BIN_PS - PULSE_PS

    def cumulated(tau_ps: float) -> Vector:
        if tau_ps == 0.0:
            return normal_cdf(edges_ps / sd_ps)
        exponent = np.minimum(sd_ps**2 / (2 * tau_ps**2) - edges_ps / tau_ps, 500.0)
        tail = normal_cdf(edges_ps / sd_ps - sd_ps / tau_ps)
        return normal_cdf(edges_ps / sd_ps) - np.exp(exponent) * tail

    total = np.zeros(BINS)
    for tau_ps, share in taus_ps.items():
        late = (tau_ps * cumulated(tau_ps) - 60.0 * cumulated(60.0)) / (tau_ps - 60.0)
        total += share * np.diff(0.9 * cumulated(tau_ps) + 0.1 * late)
    return total


def normal_cdf(z: Vector) -> Vector:
    return 0.5 * np.array([math.erfc(-x / math.sqrt(2.0)) for x in z])


RESPONSE = behind({0.0: 1.0})


def response(draw: Draw, count: int = 300_000) -> Irf:
    return Irf(counts=draw.poisson(count * RESPONSE + 0.02).astype(np.float64), bin_ps=BIN_PS)


def cascade(tau_ps: float, mean: float, leak: float = 0.0) -> Delays:
    """Poissonian excitations that emit one after the other, tau / k^2 each; the last one counts."""

    def delays(draw: Draw, count: int) -> Vector:
        numbers = draw.poisson(mean, 3 * count + int(2 * count / mean))
        numbers = numbers[numbers > 0][:count]
        times, leaked = np.zeros(count), list[Vector]()
        for level in range(int(numbers.max()), 0, -1):
            there = numbers >= level
            times[there] += draw.exponential(tau_ps / level**2, int(there.sum()))
            if level > 1:
                leaked.append(times[there & (draw.random(count) < leak)])
        return np.concatenate([times, *leaked])

    return delays


SHORT, LONGER = behind({100.0: 1.0}), behind({300.0: 1.0})
TWO_TIMES = behind({800.0: 0.6, 150.0: 0.4})


def fit(
    seed: int, delays: Delays | Vector, count: int, irf_count: int = 300_000, **kinds: Any
) -> DecayFit:
    draw = np.random.default_rng(seed)
    irf = response(draw, irf_count)
    if isinstance(delays, np.ndarray):
        decay = draw.poisson(count * delays + 0.2).astype(np.float64)
    else:
        emitted = delays(draw, count)
        decay = counted(draw, late_ps(draw, len(emitted)) + emitted, 0.2)
    return fit_decay(decay, BIN_PS, irf, period_ps=PERIOD_PS, **kinds)


def check_pulls(pulls: list[float]) -> None:
    assert abs(np.mean(pulls)) < 0.4
    assert 0.75 < np.std(pulls) < 1.3


@pytest.mark.parametrize(
    ("count", "irf_count"), [(20_000, 300_000), (20_000, 3000), (300_000, 300_000), (300_000, 3000)]
)
def test_one_exponential_with_a_rich_and_a_poor_response(count: int, irf_count: int) -> None:
    fits = [fit(seed, SHORT, count, irf_count, model="mono") for seed in range(100)]
    check_pulls([one.lifetime_ps.pull(100.0) for one in fits])
    assert all(one.response_error_ps < one.lifetime_ps.error for one in fits)
    assert max(abs(one.goodness.z) for one in fits) < 4.0


def test_a_million_counts() -> None:
    fits = [fit(seed, SHORT, 1_000_000, 1_000_000, model="mono") for seed in range(100)]
    check_pulls([one.lifetime_ps.pull(100.0) for one in fits])
    assert fits[0].lifetime_ps.error < 0.2


@pytest.mark.parametrize("mean", [0.3, 1.0, 3.0, 10.0])
def test_the_exciton_behind_a_cascade(mean: float) -> None:
    delays = cascade(180.0, mean, 0.012)
    fits = [fit(seed, delays, 50_000, model="cascade") for seed in range(25)]
    lifetimes = [one.lifetime_ps.pull(180.0) for one in fits]
    # 25 seeds: 4 sigma of the mean, 99.9 % of the standard deviation.
    assert abs(np.mean(lifetimes)) < 0.8
    assert 0.55 < np.std(lifetimes) < 1.5
    excitations = [one.mean_excitations for one in fits]
    pulls = [one.pull(mean) for one in excitations if one is not None]
    assert len(pulls) == 25
    assert abs(np.mean(pulls)) < 0.8
    assert np.std(pulls) < 1.5


@pytest.mark.parametrize(("mean", "longer"), [(0.3, 1.02), (1.0, 1.06), (3.0, 1.2)])
def test_what_one_exponential_makes_of_a_cascade(mean: float, longer: float) -> None:
    """Too long a time and a poor fit; a tail is right, with a larger error."""
    whole = fit(0, cascade(180.0, mean), 100_000, model="mono")
    assert whole.lifetime_ps.value > longer * 180.0
    assert whole.goodness.z > (3.0 if mean >= 1.0 else 0.0)
    tail = fit(0, cascade(180.0, mean), 100_000, model="mono", window_ps=(1400.0, 8000.0))
    assert tail.lifetime_ps.covers(180.0, 3.5)
    best = fit(0, cascade(180.0, mean), 100_000, model="cascade")
    assert tail.lifetime_ps.error > 1.3 * best.lifetime_ps.error


def test_known_excitations_sharpen_the_lifetime() -> None:
    free = fit(0, cascade(180.0, 1.0), 50_000, model="cascade")
    told = fit(
        0, cascade(180.0, 1.0), 50_000, model="cascade",
        mean_excitations=Measured(1.0, 0.1), leak=Measured(0.0, 0.0),
    )  # fmt: skip
    assert told.lifetime_ps.error < free.lifetime_ps.error
    assert told.lifetime_ps.covers(180.0, 4.0)
    assert told.leak == Measured(0.0, 0.0)


def test_a_fed_level() -> None:
    def delays(draw: Draw, count: int) -> Vector:
        fed = draw.random(count) < 0.7
        return draw.exponential(400.0, count) + fed * draw.exponential(100.0, count)

    fits = [fit(seed, delays, 50_000, model="fed") for seed in range(40)]
    check_pulls([one.lifetime_ps.pull(400.0) for one in fits])
    rising = [one.components[1] for one in fits]
    assert all(one.counts.value < 0 for one in rising)
    assert abs(np.mean([one.tau_ps.pull(100.0) for one in rising])) < 0.7


def test_two_exponentials() -> None:
    fits = [fit(seed, TWO_TIMES, 50_000, model="biexponential") for seed in range(100)]
    slow, fast = zip(*(one.components for one in fits), strict=True)
    check_pulls([one.tau_ps.pull(800.0) for one in slow])
    check_pulls([one.tau_ps.pull(150.0) for one in fast])
    check_pulls([one.lifetime_ps.pull(0.6 * 800.0 + 0.4 * 150.0) for one in fits])
    share = [one.counts.value for one in slow]
    assert np.mean(share) == pytest.approx(30_000, rel=0.02)


def test_stretched() -> None:
    """Delays with the survival of exp(-(t/tau)^beta) as density: a gamma variable, transformed."""
    tau_ps, beta = 200.0, 0.7

    def delays(draw: Draw, count: int) -> Vector:
        return tau_ps * draw.gamma(1 / beta, size=count) ** (1 / beta)

    fits = [fit(seed, delays, 50_000, model="stretched") for seed in range(25)]
    exponents = [one.stretching for one in fits]
    pulls = [one.pull(beta) for one in exponents if one is not None]
    assert len(pulls) == 25
    # 25 seeds: 4 sigma of the mean, 99.9 % of the standard deviation.
    assert abs(np.mean(pulls)) < 0.8
    assert 0.55 < np.std(pulls) < 1.5
    assert np.mean([one.one_over_e_ps.value for one in fits]) == pytest.approx(tau_ps, rel=0.01)


def test_stretched_with_exponent_1_is_one_exponential() -> None:
    one = fit(0, LONGER, 50_000, model="mono")
    other = fit(0, LONGER, 50_000, model="stretched")
    assert other.stretching is not None
    assert other.stretching.covers(1.0, 4.0)
    assert one.one_over_e_ps.value == pytest.approx(one.lifetime_ps.value, rel=1e-5)
    assert one.one_over_e_ps.error == pytest.approx(one.lifetime_ps.error, rel=0.01)


@pytest.mark.parametrize(
    ("delays", "model"),
    [(SHORT, "mono"), (TWO_TIMES, "biexponential"), (cascade(180.0, 4.0), "cascade")],
)
def test_the_model_is_chosen_and_the_choice_stated(delays: Delays | Vector, model: str) -> None:
    chosen = [fit(seed, delays, 50_000) for seed in range(10)]
    assert sum(one.model == model for one in chosen) >= 9
    best = chosen[0]
    assert {one.model for one in best.candidates} == {"mono", "fed", "biexponential", "cascade"}
    assert best.candidates[0].model == best.model
    assert [one.bic for one in best.candidates] == sorted(one.bic for one in best.candidates)
    assert best.choice.startswith(best.model + ": BIC ")


def test_a_poor_response_does_not_make_up_components() -> None:
    chosen = [fit(seed, SHORT, 200_000, 5000).model for seed in range(20)]
    assert chosen.count("mono") >= 17


def test_what_is_left_of_earlier_pulses() -> None:
    """A decay of 4 ns at 100 MHz: without the period the time is far too long."""
    pulls: list[float] = []
    for seed in range(20):
        draw = np.random.default_rng(seed)
        irf = Irf(counts=counted(draw, late_ps(draw, 100_000), 0.02, 1250), bin_ps=BIN_PS)
        times = late_ps(draw, 100_000) + draw.exponential(4000.0, 100_000)
        decay = counted(draw, times, 0.2, 1250, 1e4)
        found = fit_decay(
            decay, BIN_PS, irf, model="mono", period_ps=1e4, background=Measured(0.2, 0.02)
        )
        pulls.append(found.lifetime_ps.pull(4000.0))
    # 20 seeds: 4 sigma of the mean, 99.9 % of the standard deviation.
    assert abs(np.mean(pulls)) < 0.9
    assert 0.5 < np.std(pulls) < 1.6


def test_the_shift_is_found_within_its_bounds() -> None:
    def delays(draw: Draw, count: int) -> Vector:
        return draw.exponential(200.0, count) + 3.0

    found = fit(0, delays, 200_000, model="mono")
    assert found.shift_ps.covers(3.0, 4.0)
    assert found.lifetime_ps.covers(200.0, 4.0)
    tight = fit(0, delays, 200_000, model="mono", shift_bounds_ps=(-1.0, 1.0))
    assert tight.shift_ps.value == 1.0
    assert "shift at its bound" in tight.flags
    held = fit(0, delays, 200_000, model="mono", shift_bounds_ps=(0.0, 0.0))
    assert held.shift_ps == Measured(0.0, 0.0)
    assert not {"shift at its bound"} & set(held.flags)


def test_few_counts_have_the_error_of_the_profile() -> None:
    fits = [fit(seed, SHORT, 40, model="mono") for seed in range(60)]
    assert {one.error_method for one in fits} == {"profile"}
    covered = [one.lifetime_ps.covers(100.0, 1.0) for one in fits]
    # 68 % of 60 within 99 %.
    assert 31 <= sum(covered) <= 51


def test_a_known_background_is_held() -> None:
    found = fit(0, SHORT, 20_000, model="mono", background=Measured(0.2, 0.0))
    assert found.background_counts == Measured(0.2, 0.0)


def test_a_foreign_response_warns() -> None:
    draw = np.random.default_rng(0)
    own: dict[str, Any] = {"grating_per_mm": 1800.0, "slit_um": 50.0, "detector": "apd_1"}
    more: dict[str, Any] = {"count_rate_hz": 1e4, "wavelength_nm": 405.0}
    plain = response(draw, 100_000)
    irf = Irf(counts=plain.counts, bin_ps=BIN_PS, **own, **more)
    decay = counted(draw, late_ps(draw, 20_000) + draw.exponential(100.0, 20_000), 0.2)
    same = TimingConfiguration(bin_ps=BIN_PS, **own, **more)
    assert fit_decay(decay, BIN_PS, irf, model="mono", configuration=same).warnings == ()
    other = TimingConfiguration(
        bin_ps=4.0,
        grating_per_mm=300.0,
        slit_um=100.0,
        detector="apd_2",
        count_rate_hz=1e6,
        wavelength_nm=300.0,
    )
    words = fit_decay(decay, BIN_PS, irf, model="mono", configuration=other).warnings
    assert len(words) == 5
    assert all(word.startswith("foreign instrument response, ") for word in words)
    named = ("grating", "slit", "detector", "bin", "count rate")
    assert [any(name in word for word in words) for name in named] == [True] * 5


def test_a_count_rate_matters_where_a_detector_walks() -> None:
    irf = Irf(counts=response(np.random.default_rng(0)).counts, bin_ps=BIN_PS, count_rate_hz=1e5)
    assert irf.foreign(TimingConfiguration(bin_ps=BIN_PS, count_rate_hz=2e3)) == ()
    (word,) = irf.foreign(TimingConfiguration(bin_ps=BIN_PS, count_rate_hz=1e6))
    assert "count rate" in word


def test_the_grating_spread_of_the_detection_path() -> None:
    """At 300 lines/mm 405 and 531 nm differ by 10 ps, two-tenths of the response's width."""
    plain = response(np.random.default_rng(0), 100_000)
    irf = Irf(counts=plain.counts, bin_ps=BIN_PS, grating_per_mm=300.0, wavelength_nm=405.0)
    at = TimingConfiguration(bin_ps=BIN_PS, grating_per_mm=300.0, wavelength_nm=531.0)
    (word,) = irf.foreign(at)
    assert "31 ps instead of 41 ps" in word
    near = TimingConfiguration(bin_ps=BIN_PS, grating_per_mm=300.0, wavelength_nm=410.0)
    assert irf.foreign(near) == ()
    unknown = TimingConfiguration(bin_ps=BIN_PS)
    assert irf.foreign(unknown) == ()
    assert irf.at(unknown) is irf


@pytest.mark.parametrize("lines_per_mm", [300.0, 1800.0])
def test_a_response_is_broadened_to_a_longer_wavelength(lines_per_mm: float) -> None:
    """By the variance of a disc's chords, w^2 / 16 with w = N lambda / c and N = 77 mm lit."""
    plain = response(np.random.default_rng(0), 100_000)
    irf = Irf(counts=plain.counts, bin_ps=BIN_PS, grating_per_mm=lines_per_mm, wavelength_nm=405.0)
    at = TimingConfiguration(bin_ps=BIN_PS, grating_per_mm=lines_per_mm, wavelength_nm=531.0)
    broad = irf.at(at)
    assert broad.foreign(at) == ()
    assert "405 nm broadened for 531 nm" in broad.adapted
    assert broad.counts.sum() == pytest.approx(irf.counts.sum(), rel=1e-3)
    w_ps = [lines_per_mm * 77.0 * nm / 2.99792458e5 for nm in (405.0, 531.0)]
    added_ps2 = (w_ps[1] ** 2 - w_ps[0] ** 2) / 16.0
    moments = [_moments(one.counts) for one in (irf, broad)]
    assert moments[1][0] == pytest.approx(moments[0][0], abs=0.5)
    assert moments[1][1] - moments[0][1] == pytest.approx(added_ps2, rel=0.05)
    assert broad.response.added_error_ps2 == pytest.approx(added_ps2 / 4.0)
    assert broad.response.moved_ps == pytest.approx((w_ps[1] - w_ps[0]) / 2.0)


def _moments(counts: Vector) -> tuple[float, float]:
    """Mean and variance, in ps, of what lies around the pulse."""
    bins = np.arange(80, 190)
    times, light = (bins * BIN_PS).astype(np.float64), counts[80:190]
    mean = float(light @ times / light.sum())
    return mean, float(light @ (times - mean) ** 2 / light.sum())


def test_a_response_is_not_made_narrower() -> None:
    """Then it stays, and the whole difference is in the error."""
    draw = np.random.default_rng(0)
    counts = response(draw).counts
    irf = Irf(counts=counts, bin_ps=BIN_PS, grating_per_mm=300.0, wavelength_nm=650.0)
    at = TimingConfiguration(bin_ps=BIN_PS, grating_per_mm=300.0, wavelength_nm=405.0)
    assert np.array_equal(irf.at(at).counts, counts)
    decay = counted(draw, late_ps(draw, 40_000) + draw.exponential(100.0, 40_000), 0.2)
    honest = fit_decay(decay, BIN_PS, irf, model="mono", configuration=at)
    (word,) = honest.warnings
    assert "spreads over 50 ps instead of 31 ps" in word
    assert honest.adapted == ""
    plain = fit_decay(decay, BIN_PS, irf, model="mono")
    assert honest.lifetime_ps.error > 1.1 * plain.lifetime_ps.error


def test_unusable_data_are_refused() -> None:
    irf = response(np.random.default_rng(0), 100_000)
    decay = irf.counts + 1.0
    refused: list[Callable[[], object]] = [
        lambda: fit_decay(np.zeros(BINS), BIN_PS, irf),
        lambda: fit_decay(-decay, BIN_PS, irf),
        lambda: fit_decay(decay * np.nan, BIN_PS, irf),
        lambda: fit_decay(decay, 4.0, irf),
        lambda: fit_decay(decay, BIN_PS, irf, window_ps=(0.0, 500.0)),
        lambda: fit_decay(decay, BIN_PS, irf, window_ps=(8150.0, 9000.0)),
        lambda: fit_decay(decay, BIN_PS, irf, model="cascade", exponent=1.0),
        lambda: fit_decay(decay, BIN_PS, Irf(counts=np.zeros(BINS), bin_ps=BIN_PS)),
        lambda: fit_decay(decay, BIN_PS, Irf(counts=np.ones(BINS), bin_ps=BIN_PS)),
    ]
    for call in refused:
        with pytest.raises(AnalysisError):
            call()
