"""Dots get their names back after shift, rotation, loss and gain; doubt is no name."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import name_dots
from labctl.errors import AnalysisError

TOLERANCE_UM, ERROR_UM, FIELD_UM = 0.4, 0.06, 40.0
Places = NDArray[np.float64]


def sample(seed: int, number: int = 30) -> tuple[list[str], Places]:
    """Dots that are at least 1.5 um apart, as a finder needs them to be."""
    rng, places = np.random.default_rng([seed, 1]), list[Places]()
    while len(places) < number:
        place = rng.uniform(0.0, FIELD_UM, 2)
        if all(np.hypot(*(place - other)) > 1.5 for other in places):
            places.append(place)
    return [f"D{n:03d}" for n in range(1, number + 1)], np.array(places)


def next_cooldown(seed: int, names: list[str], places: Places) -> tuple[list[str | None], Places]:
    """Every fifth dot is gone, as many are new; shift, rotation, scale and errors of places."""
    rng = np.random.default_rng([seed, 2])
    kept = rng.permutation(len(places))[: len(places) * 4 // 5]
    true: list[str | None] = [names[n] for n in kept]
    new = rng.uniform(0.0, FIELD_UM, (len(places) // 5, 2))
    angle, scale = math.radians(rng.uniform(-3.0, 3.0)), rng.uniform(0.98, 1.02)
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    seen = np.concatenate([places[kept], new]) @ turn.T + rng.uniform(-15.0, 15.0, 2)
    order = rng.permutation(len(seen))
    everything = [*true, *[None] * len(new)]
    return (
        [everything[n] for n in order],
        (seen + rng.normal(0.0, ERROR_UM, seen.shape))[order],
    )


@pytest.mark.parametrize("seed", range(20))
def test_names_come_back(seed: int) -> None:
    names, places = sample(seed)
    true, seen = next_cooldown(seed, names, places)
    found = name_dots(names, places, seen, TOLERANCE_UM, scale_range=(0.97, 1.03))
    again = [(own, other) for own, other in zip(found.names, true, strict=True) if other]
    assert all(own == other for own, other in again)
    # A new dot lies by chance within the tolerance of one that is gone in a percent of cases.
    fresh = [own for own, other in zip(found.names, true, strict=True) if other is None]
    assert len([name for name in fresh if name in names]) <= 1
    assert len(set(found.names)) == len(found.names)
    gone = set(names) - {name for name in true if name}
    told = set(found.missing) | set(found.elsewhere)
    assert told <= gone
    assert len(gone - told) <= 1
    for name, place in zip(found.names, found.places, strict=True):
        if name in names:
            assert np.hypot(*(place - places[names.index(name)])) < TOLERANCE_UM


def test_another_sample_is_refused() -> None:
    names, places = sample(0)
    _, others = sample(1)
    with pytest.raises(AnalysisError, match="is not found"):
        name_dots(names, places, others, TOLERANCE_UM)


def test_a_pattern_that_fits_at_several_places_is_refused() -> None:
    names, cluster = sample(0, 10)
    cluster = cluster / 4.0
    twice = np.concatenate([cluster, cluster + np.array([20.0, 3.0])])
    with pytest.raises(AnalysisError, match="fits at several places"):
        name_dots(names, cluster, twice, TOLERANCE_UM)


def test_two_dots_are_no_constellation() -> None:
    names, places = sample(0)
    with pytest.raises(AnalysisError, match="no constellation"):
        name_dots(names, places, places[:2], TOLERANCE_UM)


def test_dots_outside_of_what_was_seen_are_not_missing() -> None:
    names, places = sample(0)
    inside = places[:, 0] < FIELD_UM / 2
    found = name_dots(names, places, places[inside], TOLERANCE_UM)
    assert found.missing == ()
    assert set(found.elsewhere) == {n for n, near in zip(names, inside, strict=True) if not near}
