"""Lifetimes of few photons, and lifetime against intensity."""

from math import inf

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    BlinkingKind,
    DecayColumns,
    Intensity,
    blinking_type,
    find_change_points,
    fit_lifetimes,
    flid,
    group_levels,
    segment_decays,
)
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]

COLUMN_S, COLUMNS, PERIOD_S = 0.5e-9, 100, 50e-9
BACKGROUND = 30.0


def response(seed: int = 99) -> Vector:
    """A Gaussian response at 5 ns, itself recorded with a million photons."""
    delays = np.random.default_rng(seed).normal(5e-9, 0.4e-9, 1_000_000)
    return np.histogram(delays, np.arange(COLUMNS + 1) * COLUMN_S)[0].astype(np.float64)


def decays(
    seed: int, rows: int, photons: float, tau_s: float, *, late: bool, background: float
) -> NDArray[np.int64]:
    """Histograms of rows of photons, photon by photon; ``late``: through the response."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(photons, rows)
    delay: Vector = rng.exponential(tau_s, int(counts.sum()))
    if late:
        delay += rng.normal(5e-9, 0.4e-9, delay.size)
    dark = rng.poisson(background, rows)
    row = np.concatenate([np.repeat(np.arange(rows), counts), np.repeat(np.arange(rows), dark)])
    delay = np.concatenate([delay % PERIOD_S, rng.uniform(0, PERIOD_S, int(dark.sum()))])
    cell = row * COLUMNS + (delay / COLUMN_S).astype(np.int64)
    return np.bincount(cell, minlength=rows * COLUMNS).reshape(rows, COLUMNS)


@pytest.mark.parametrize("photons", [300.0, 3000.0])
@pytest.mark.parametrize("tau_s", [1e-9, 6e-9, 20e-9])
@pytest.mark.parametrize("late", [False, True])
def test_pulls_of_lifetimes(late: bool, tau_s: float, photons: float) -> None:
    columns = DecayColumns(COLUMN_S, COLUMNS, response() if late else None, PERIOD_S)
    rows = decays(1, 400, photons, tau_s, late=late, background=BACKGROUND)
    found = fit_lifetimes(rows, columns, BACKGROUND)
    # The logarithm is more nearly normal than a lifetime of few photons.
    pulls = np.log(found.tau_s / tau_s) * found.tau_s / found.error_s
    assert not np.any(found.at_limit)
    assert abs(pulls.mean()) < 0.4
    assert 0.75 < pulls.std() < 1.3
    assert abs(np.median(found.tau_s) / tau_s - 1) < 4 / np.sqrt(400 * photons) * 10 + 0.01


def test_the_closed_form_of_the_error() -> None:
    # All of an exponential, no background: tau / sqrt(N).
    columns = DecayColumns(0.05e-9, 4000)
    rng = np.random.default_rng(0)
    row = np.bincount((rng.exponential(5e-9, 10_000) / 0.05e-9).astype(int), minlength=4000)
    found = fit_lifetimes(row[None, :4000], columns)
    assert found.error_s[0] == pytest.approx(found.tau_s[0] / 100, rel=0.01)
    assert abs(found.tau_s[0] / 5e-9 - 1) < 0.04


def test_shapes_of_periodic_light_against_a_sum_over_pulses() -> None:
    taps = response()
    found = DecayColumns(COLUMN_S, COLUMNS, taps, PERIOD_S).shapes(np.array([9e-9]))[0]
    fine = 20
    at = (np.arange(40 * COLUMNS * fine) + 0.5) / fine * COLUMN_S
    # From the middle of a column on.
    column = (at / COLUMN_S + 0.5).astype(np.int64)
    light = np.bincount(column % COLUMNS, np.exp(-at / 9e-9), minlength=COLUMNS)
    wanted = np.array([taps @ light[(k - np.arange(COLUMNS)) % COLUMNS] for k in range(COLUMNS)])
    assert found == pytest.approx(wanted / wanted.sum(), rel=2e-3)
    assert found.sum() == pytest.approx(1.0)


def test_rows_without_light_have_no_lifetime() -> None:
    rows = np.zeros((2, COLUMNS), np.int64)
    rows[1, :5] = 20
    found = fit_lifetimes(rows, DecayColumns(COLUMN_S, COLUMNS))
    assert np.isnan(found.tau_s[0])
    assert np.isfinite(found.tau_s[1])
    with pytest.raises(AnalysisError, match="enough photons"):
        flid(rows[:1], 0.01, DecayColumns(COLUMN_S, COLUMNS))


@pytest.mark.parametrize("smeared", [False, True])
def test_the_distribution_has_the_share_of_each_state(smeared: bool) -> None:
    bright = decays(2, 600, 700, 6e-9, late=False, background=0)
    dark = decays(3, 200, 105, 2.4e-9, late=False, background=0)
    found = flid(
        np.concatenate([bright, dark]), 0.01, DecayColumns(COLUMN_S, COLUMNS), smeared=smeared
    )
    rate = (found.rate_edges_hz[:-1] + found.rate_edges_hz[1:]) / 2
    tau = (found.lifetime_edges_s[:-1] + found.lifetime_edges_s[1:]) / 2
    assert found.density.sum() == pytest.approx(1.0, abs=0.01)
    upper = found.density[rate > 40e3][:, tau > 4e-9].sum()
    lower = found.density[rate < 40e3][:, tau < 4e-9].sum()
    assert upper == pytest.approx(0.75, abs=0.01)
    assert lower == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("lifetime", "intensity", "kind"),
    [(0.4, 0.15, BlinkingKind.A), (1.0, 0.15, BlinkingKind.B), (0.3, 0.3, BlinkingKind.A)],
)
def test_pulls_of_the_ratios_and_the_kind(
    lifetime: float, intensity: float, kind: BlinkingKind
) -> None:
    pulls: list[list[float]] = []
    dark_hz = 400.0
    for seed in range(40):
        bright = decays(2 * seed, 60, 700, 6e-9, late=False, background=4)
        dim = decays(2 * seed + 1, 60, 700 * intensity, 6e-9 * lifetime, late=False, background=4)
        rows = np.concatenate([bright, dim])
        on = np.arange(120) < 60
        columns = DecayColumns(COLUMN_S, COLUMNS)
        found = blinking_type(rows, 0.01, on, columns, background_hz=dark_hz)
        slope = float(np.log(lifetime) / np.log(intensity))
        pulls.append(
            [
                found.lifetime_ratio.pull(lifetime),
                found.intensity_ratio.pull(intensity),
                found.slope.pull(slope),
            ]
        )
        assert found.kind is kind
    mean, spread = np.mean(pulls, axis=0), np.std(pulls, axis=0)
    # 40 pulls: the mean has a deviation of 0.16, the deviation one of 0.11.
    assert np.all(np.abs(mean) < 0.4 + 0.16)
    assert np.all((spread > 0.75 - 0.11) & (spread < 1.3 + 0.11))


def test_few_photons_decide_nothing() -> None:
    rows = np.concatenate(
        [
            decays(0, 5, 60, 6e-9, late=False, background=0),
            decays(1, 5, 20, 5e-9, late=False, background=0),
        ]
    )
    columns = DecayColumns(COLUMN_S, COLUMNS)
    found = blinking_type(rows, 0.01, np.arange(10) < 5, columns)
    assert found.kind is BlinkingKind.UNDECIDED
    with pytest.raises(AnalysisError, match="no light"):
        blinking_type(rows, 0.01, np.ones(10, np.bool_), columns)


def test_all_photons_can_give_the_intensity() -> None:
    rows = np.concatenate(
        [
            decays(0, 50, 700, 6e-9, late=False, background=0),
            decays(1, 50, 105, 2.4e-9, late=False, background=0),
        ]
    )
    gated = DecayColumns(COLUMN_S, COLUMNS - 10, None, inf)
    on = np.arange(100) < 50
    whole = Intensity(rows.sum(axis=1))
    found = blinking_type(rows[:, 10:], 0.01, on, gated, intensity=whole)
    assert found.intensity_ratio.covers(0.15, 4)
    assert blinking_type(rows[:, 10:], 0.01, on, gated).intensity_ratio.value < 0.08


def test_segments_between_change_points_have_their_decays() -> None:
    rng = np.random.default_rng(4)
    gaps = np.concatenate(
        [rng.exponential(1 / (50e3 if k % 2 == 0 else 7.5e3), 2000) for k in range(10)]
    )
    photons = np.round(np.cumsum(gaps) * 1e9).astype(np.int64)
    points = find_change_points(photons, 1e-9)
    delay = (rng.exponential(6e-9, photons.size) / 0.25e-9).astype(np.uint16)
    rows = segment_decays(points, delay, (4, 204), 2)
    assert rows.shape == (points.counts.size, 100)
    assert rows.sum() == np.count_nonzero((delay >= 4) & (delay < 204))
    first = points.segment_of == 0
    wanted = np.bincount((delay[first].astype(np.int64) - 4) // 2 + 2, minlength=202)[2:102]
    assert np.array_equal(rows[0], wanted)
    on = group_levels(points).on()
    columns = DecayColumns(0.5e-9, 100)
    found = blinking_type(rows, points.duration_s, on, columns, binned=False)
    assert found.kind is BlinkingKind.B
    assert found.intensity_ratio.covers(0.15, 4)
    assert found.on_lifetime_s.covers(6e-9, 4)
