"""Dwells that are too short to be seen, planted and taken away."""

import numpy as np
import pytest

from labctl.analysis import DwellSequence
from labctl.results._missed_dwells import missed_error_s

RESOLUTION_S = 3.6e-3
PAIRS = 300


def drawn(seed: int, shortest_s: float) -> tuple[DwellSequence, float]:
    """Dwells with exponent 1.6 as they are seen, and the OFF time that is missing."""
    rng = np.random.default_rng([seed, 14])
    low, high = shortest_s**-0.6, 10.0**-0.6
    off_s = (low + rng.random(PAIRS) * (high - low)) ** (-1 / 0.6)
    on_s = rng.exponential(2.0, PAIRS + 1)
    seen = off_s > 1.2 * RESOLUTION_S
    # What is missed joins the ON dwells on both sides of it.
    joined: list[float] = [float(on_s[0])]
    for on, off, kept in zip(on_s[1:], off_s, seen, strict=True):
        if kept:
            joined += [float(off), float(on)]
        else:
            joined[-1] += float(off + on)
    durations = np.array(joined)
    states = np.arange(durations.size) % 2 == 0
    return DwellSequence(durations, states), float(off_s[~seen].sum())


def error_s(dwells: DwellSequence) -> float:
    return missed_error_s(dwells, {True: 2.0}, RESOLUTION_S)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_missed_is_within_two_errors_and_not_lost_in_them(seed: int) -> None:
    dwells, missing_s = drawn(seed, 1e-3)
    assert missing_s > 0
    assert 0.5 * missing_s < error_s(dwells) < 3 * missing_s


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_missed_if_the_law_ends_above_what_is_seen(seed: int) -> None:
    dwells, missing_s = drawn(seed, 2.1 * RESOLUTION_S)
    assert missing_s == 0.0
    assert error_s(dwells) == 0.0
