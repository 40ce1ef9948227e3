"""Constellations: found with dots missing and added, never by chance, never ambiguous."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from labctl.analysis import match_constellations
from labctl.errors import AnalysisError

Places = NDArray[np.float64]
TOLERANCE_UM = 0.2


def turned(places: Places, degrees: float, scale: float, shift: tuple[float, float]) -> Places:
    angle = math.radians(degrees)
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    return places @ turn.T + np.array(shift)


def two_lists(seed: int, number: int, degrees: float, scale: float) -> tuple[Places, Places, int]:
    """Same dots, 20 % missing in each list, 20 % more added in the second, 50 nm scatter.

    Third is the number of dots in both.
    """
    rng = np.random.default_rng(seed)
    dots = rng.uniform(-20.0, 20.0, (number, 2))
    seen = turned(dots, degrees, scale, (3.0, -4.0)) + 0.05 * rng.standard_normal((number, 2))
    in_first, in_second = rng.random((2, number)) > 0.2
    first, second = dots[in_first], seen[in_second]
    added = rng.uniform(-20.0, 20.0, (number // 5, 2)) + np.array([3.0, -4.0])
    both = int(np.sum(in_first & in_second))
    return rng.permutation(first), rng.permutation(np.concatenate([second, added])), both


@pytest.mark.parametrize("number", [25, 60])
def test_dots_are_found_again(number: int) -> None:
    """12 draws each: all found; pulls of rotation within 1 +- 0.65 (standard error 20 %)."""
    pulls: list[float] = []
    for seed in range(12):
        degrees = float(np.random.default_rng(seed + 500).uniform(-3.0, 3.0))
        first, second, both = two_lists(seed, number, degrees, 1.0)
        found = match_constellations(first, second, TOLERANCE_UM)
        assert 0.9 * both <= len(found.pairs) <= both + 2
        assert found.rms < 0.12
        assert found.confidence > 0.999
        assert found.scale.error == 0.0
        moved = found.apply(first[found.pairs[:, 0]])
        assert np.all(np.hypot(*(moved - second[found.pairs[:, 1]]).T) <= TOLERANCE_UM)
        pulls.append(found.rotation_deg.pull(degrees))
    assert np.std(pulls) == pytest.approx(1.0, abs=0.65)


def test_scale_can_be_free() -> None:
    pulls: list[float] = []
    for seed in range(12):
        first, second, _ = two_lists(seed, 40, 1.0, 1.03)
        found = match_constellations(first, second, TOLERANCE_UM, scale_range=(0.9, 1.1))
        pulls.append(found.scale.pull(1.03))
    assert np.std(pulls) == pytest.approx(1.0, abs=0.65)


def test_other_dots_are_not_taken_for_the_same() -> None:
    """Of 30 pairs of independent lists none matches; 1e-3 each is what is accepted."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        with pytest.raises(AnalysisError, match="is not found among"):
            match_constellations(
                rng.uniform(-20.0, 20.0, (30, 2)), rng.uniform(-20.0, 20.0, (30, 2)), TOLERANCE_UM
            )


def test_a_lattice_is_ambiguous() -> None:
    lattice = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), axis=-1).reshape(-1, 2) * 5.0
    with pytest.raises(AnalysisError, match="fits at several places"):
        match_constellations(lattice, lattice + np.array([1.0, 2.0]), TOLERANCE_UM)


def test_too_large_a_rotation_is_not_found() -> None:
    first, second, _ = two_lists(0, 40, 9.0, 1.0)
    with pytest.raises(AnalysisError, match="is not found among"):
        match_constellations(first, second, TOLERANCE_UM)
    found = match_constellations(first, second, TOLERANCE_UM, largest_rotation_deg=12.0)
    assert found.rotation_deg.value == pytest.approx(9.0, abs=0.3)


def test_no_constellation() -> None:
    with pytest.raises(AnalysisError, match="at least 3"):
        match_constellations(np.zeros((2, 2)), np.zeros((9, 2)), TOLERANCE_UM)
    with pytest.raises(AnalysisError, match="no list of x, y"):
        match_constellations(np.full((5, 2), np.nan), np.zeros((9, 2)), TOLERANCE_UM)
    with pytest.raises(AnalysisError, match="is none"):
        match_constellations(np.zeros((5, 2)), np.zeros((9, 2)), 0.0)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1000.0, 1000.0), st.floats(-1000.0, 1000.0))
def test_order_and_place_of_the_lists_do_not_matter(seed: int, x: float, y: float) -> None:
    first, second, _ = two_lists(1, 30, 2.0, 1.0)
    usual = match_constellations(first, second, TOLERANCE_UM)
    rng = np.random.default_rng(seed)
    order_a, order_b = rng.permutation(len(first)), rng.permutation(len(second))
    moved = match_constellations(first[order_a], second[order_b] + np.array([x, y]), TOLERANCE_UM)
    pairs = {(int(order_a[a]), int(order_b[b])) for a, b in moved.pairs}
    assert pairs == {(int(a), int(b)) for a, b in usual.pairs}
    assert moved.shift_x.value - usual.shift_x.value == pytest.approx(x, abs=1e-6)
    assert moved.rotation_deg.value == pytest.approx(usual.rotation_deg.value, abs=1e-6)
