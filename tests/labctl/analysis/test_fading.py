"""ON fraction against lit time, for dwells that were drawn one by one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import fit_fading
from labctl.errors import AnalysisError

STRETCHES, LENGTH_S = 12, 300.0
START, PER_HOUR = 0.98, -0.04
SEEDS = 40
BEGIN_S: NDArray[np.float64] = LENGTH_S * np.arange(float(STRETCHES))
LENGTHS_S: NDArray[np.float64] = np.full(STRETCHES, LENGTH_S)


def fractions(seed: int) -> NDArray[np.float64]:
    """ON fractions of a dot with power-law dwells, exponent 1.6, OFF from 1 ms to 10 s."""
    rng = np.random.default_rng([seed, 14])
    found = np.zeros(STRETCHES)
    now_s, on = 0.0, True
    while now_s < STRETCHES * LENGTH_S:
        share = START + PER_HOUR * now_s / 3600
        low, high = 0.001**-0.6, 10**-0.6
        dwell_s = float((low + rng.random() * (high - low)) ** (-1 / 0.6))
        end_s = now_s + dwell_s * (share / (1 - share) if on else 1.0)
        if on:
            inside = np.minimum(end_s, BEGIN_S + LENGTH_S) - np.maximum(now_s, BEGIN_S)
            found += np.maximum(inside, 0.0) / LENGTH_S
        now_s, on = end_s, not on
    return found


def test_start_end_and_change_are_honest() -> None:
    fits = [fit_fading(BEGIN_S, LENGTHS_S, fractions(seed)) for seed in range(SEEDS)]
    for quantity, truth in (
        ([fit.start for fit in fits], START),
        ([fit.end for fit in fits], START + PER_HOUR),
        ([fit.change_per_hour for fit in fits], PER_HOUR),
    ):
        pulls = np.array([one.pull(truth) for one in quantity])
        # Four standard deviations of what 40 seeds allow, and the tails of power laws.
        assert abs(pulls.mean()) < 4 * 1.3 / SEEDS**0.5
        assert 0.6 < pulls.std() < 1.6
        assert np.mean(np.abs(pulls) < 1.96) > 0.8


def test_an_exact_line_is_found() -> None:
    middle_h = (BEGIN_S + LENGTH_S / 2) / 3600
    fit = fit_fading(BEGIN_S, LENGTHS_S, START + PER_HOUR * middle_h)
    assert fit.start.value == pytest.approx(START)
    assert fit.end.value == pytest.approx(START + PER_HOUR)
    assert fit.change_per_hour.value == pytest.approx(PER_HOUR)


@pytest.mark.parametrize(("count", "share", "words"), [(4, 0.9, "too few"), (12, 1.0, "never off")])
def test_what_tells_nothing_is_refused(count: int, share: float, words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        fit_fading(BEGIN_S[:count], LENGTHS_S[:count], np.full(count, share))
