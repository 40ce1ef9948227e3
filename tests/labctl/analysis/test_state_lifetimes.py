"""Lifetime above a free background, with the noise of the response in the error."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import DecayColumns, state_lifetime
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]

COLUMN_S, COLUMNS, PERIOD_S, FIRST = 0.25e-9, 400, 100e-9, 24
TAU_S = 10e-9


def histogram(delays: Vector) -> NDArray[np.int64]:
    return np.histogram(delays % PERIOD_S, np.arange(COLUMNS + 1) * COLUMN_S)[0].astype(np.int64)


def arrivals(rng: np.random.Generator, count: int) -> Vector:
    """A jitter of 0.15 ns, and afterpulses of 1 % after 24 ns and 30 ns on average."""
    delays: Vector = 3e-9 + rng.normal(0, 0.15e-9, count)
    echoes = rng.choice(delays, count // 100) + 24e-9 + rng.exponential(30e-9, count // 100)
    return np.concatenate([delays, echoes])


def decay(rng: np.random.Generator, count: int, dark: int) -> NDArray[np.int64]:
    delays = arrivals(rng, count)
    light = delays + rng.exponential(TAU_S, delays.size)
    return histogram(np.concatenate([light, rng.uniform(0, PERIOD_S, dark)]))


@pytest.mark.parametrize(("scattered", "widened"), [(300_000, 1.0), (1000, 1.5)])
def test_pulls_with_afterpulses_and_a_noisy_response(scattered: int, widened: float) -> None:
    pulls: list[float] = []
    errors: list[float] = []
    for seed in range(40):
        rng = np.random.default_rng([seed, scattered])
        response = histogram(arrivals(rng, scattered)).astype(np.float64)
        columns = DecayColumns(COLUMN_S, COLUMNS, response, PERIOD_S, FIRST)
        counts = decay(rng, 50_000, 2500)[FIRST:]
        found = state_lifetime(counts, columns, response)
        pulls.append(found.tau_s.pull(TAU_S))
        errors.append(found.tau_s.error / state_lifetime(counts, columns).tau_s.error)
    assert abs(np.mean(pulls)) < 0.4 + 3 / np.sqrt(40)
    assert 0.65 < np.std(pulls) < 1.4
    assert np.mean(errors) == pytest.approx(widened, abs=0.03)


def test_the_background_is_what_was_put_in() -> None:
    rng = np.random.default_rng(1)
    columns = DecayColumns(COLUMN_S, COLUMNS - FIRST, None, PERIOD_S)
    light = rng.exponential(TAU_S, 200_000)
    row = histogram(np.concatenate([light, rng.uniform(0, PERIOD_S, 40_000)]))[FIRST:]
    found = state_lifetime(row, columns)
    assert found.background.covers(100.0, 4.0)
    assert found.tau_s.covers(TAU_S, 4.0)
    assert found.deviance_per_bin == pytest.approx(1.0, abs=0.3)


def test_too_few_photons() -> None:
    with pytest.raises(AnalysisError, match="too few"):
        state_lifetime(np.ones(50, np.int64), DecayColumns(COLUMN_S, 50))
