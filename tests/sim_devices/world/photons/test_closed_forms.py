"""Photon statistics against closed forms, at 5 standard deviations of each estimate."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from labctl_sim.world.photons import PhotonStream, Times, Timing, bunched, cascade
from photon_statistics import g2_zero

TOTAL = 3_000_000
END_S = TOTAL * 1e-7
HALF = (0.5, 0.5)
Make = Callable[..., PhotonStream]


def times_ps(events: Times) -> Times:
    return events >> 3


@pytest.mark.parametrize(("mean", "expected"), [(0.1, 0.051), (1.5, 0.069)])
def test_an_auger_limited_dot_antibunches_as_feld_2024_says(
    make_stream: Make, mean: float, expected: float
) -> None:
    q = 0.05
    p1, p2 = -math.expm1(-mean), 1.0 - math.exp(-mean) * (1.0 + mean)
    law = 2.0 * p2 * q / (p1 + p2 * q) ** 2
    assert law == pytest.approx(expected, abs=1e-3)
    model = cascade(mean, 2, HALF, [q * share for share in HALF], [100.0, 25.0])
    found, sd = g2_zero(make_stream([model]).until(END_S, end=True), TOTAL)
    assert found == pytest.approx(law, abs=5.0 * sd)


@pytest.mark.parametrize("mean", [0.2, 1.0, 3.0])
def test_a_weakly_confined_dot_does_not_antibunch(make_stream: Make, mean: float) -> None:
    model = cascade(mean, None, HALF, HALF, [100.0 / n**2 for n in range(1, 20)])
    found, sd = g2_zero(make_stream([model]).until(END_S, end=True), TOTAL)
    assert found == pytest.approx(1.0, abs=5.0 * sd)


def test_without_its_multiexcitons_it_antibunches(make_stream: Make) -> None:
    model = cascade(1.0, None, HALF, (0.0, 0.0), [100.0])
    found, _ = g2_zero(make_stream([model]).until(END_S, end=True), TOTAL)
    assert found == 0.0


def test_laser_light_gives_one_and_a_superlattice_bunches(make_stream: Make) -> None:
    for bunching in (1.0, 1.5):
        model = bunched(0.3, bunching, HALF, 40.0)
        found, sd = g2_zero(make_stream([model]).until(END_S, end=True), TOTAL)
        assert found == pytest.approx(bunching, abs=5.0 * sd)


def test_the_saturation_law(make_stream: Make) -> None:
    for mean in (0.1, 1.0, 4.0):
        model = cascade(mean, None, (0.02, 0.03), (0.0, 0.0), [100.0])
        events = make_stream([model]).until(0.3, end=True)
        expected = 3_000_000 * 0.05 * -math.expm1(-mean)
        assert len(events) == pytest.approx(expected, abs=5.0 * math.sqrt(expected))
        assert sum(model.mean) == pytest.approx(0.05 * -math.expm1(-mean), rel=1e-9)


def test_mean_counts_of_a_thinned_cascade(make_stream: Make) -> None:
    model = cascade(2.0, None, (0.01, 0.02), (0.03, 0.01), [100.0, 25.0])
    events = make_stream([model]).until(0.2, end=True)
    for detector in range(2):
        expected = 2_000_000 * model.mean[detector]
        count = int(((events & 7) == detector).sum())
        assert count == pytest.approx(expected, abs=6.0 * math.sqrt(expected))


def test_the_decay_is_the_exciton_s_fed_by_the_biexciton(make_stream: Make) -> None:
    """Auger-limited, all see N = 2 or more: the exciton's mean delay is tau_XX + tau_X."""
    model = cascade(40.0, 2, (0.01,), (0.0,), [1000.0, 250.0])
    stream = make_stream([model], steady_hz=(0.0,), rep_rate_hz=1e7)
    delays = times_ps(stream.until(0.3, end=True)) % 100_000
    sd = math.hypot(1000.0, 250.0) / math.sqrt(len(delays))
    assert delays.mean() + 0.5 == pytest.approx(1250.0, abs=5.0 * sd)


def test_jitter_tail_and_grating_add_up(make_stream: Make) -> None:
    timing = Timing(sd_ps=20.0, tail_ps=60.0, tail_share=0.1, spread_ps=245.0)
    model = bunched(0.1, 1.0, (1.0,), 0.0)
    stream = make_stream([model], steady_hz=(0.0,), timing=timing)
    late = times_ps(stream.until(0.2, end=True)) + 500
    delays = late % 100_000 - 500
    mean = 0.1 * 60.0 + 0.5 * 245.0 - 0.5
    variance = 20.0**2 + 2.0 * 0.1 * 60.0**2 - 6.0**2 + 245.0**2 / 16.0
    assert delays.mean() == pytest.approx(mean, abs=5.0 * math.sqrt(variance / len(delays)))
    assert delays.var() == pytest.approx(variance, rel=0.02)


def test_dead_time_loses_what_a_steady_source_must_lose(make_stream: Make) -> None:
    rate_hz, dead_s = 2e6, 77e-9
    stream = make_stream([], steady_hz=(rate_hz,), dead_ps=77_000)
    events = stream.until(0.2, end=True)
    expected = 0.2 * rate_hz / (1.0 + rate_hz * dead_s)
    assert len(events) == pytest.approx(expected, abs=5.0 * math.sqrt(expected))
    assert np.diff(times_ps(events)).min() >= 77_000
    assert stream.clicks[0] >= len(events)


def test_afterpulses_and_crosstalk_come_in_their_share(make_stream: Make) -> None:
    stream = make_stream(
        [],
        steady_hz=(2e5, 0.0),
        dead_ps=77_000,
        afterpulse_probability=0.05,
        afterpulse_ps=3e4,
        crosstalk_probability=0.02,
        crosstalk_ps=20_000,
    )
    events = stream.until(1.0, end=True)
    first, second = (int(((events & 7) == k).sum()) for k in range(2))
    primary = 2e5 / (1.0 + 2e5 * 77e-9)
    assert first == pytest.approx(primary / 0.95, rel=0.01)
    assert second == pytest.approx(0.02 * first / 0.95, abs=5.0 * math.sqrt(0.02 * first) + 20.0)
    gaps = np.diff(times_ps(events[(events & 7) == 0]))
    assert ((gaps >= 77_000) & (gaps < 77_000 + 90_000)).mean() > 0.05


def test_darks_are_poissonian(make_stream: Make) -> None:
    events = make_stream([], steady_hz=(1000.0, 3000.0)).until(10.0, end=True)
    counts = np.bincount(times_ps(events) // 10**10, minlength=1000)
    assert counts.mean() == pytest.approx(40.0, abs=5.0 * math.sqrt(40.0 / 1000))
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=5.0 * math.sqrt(2.0 / 1000))
