"""The generator in compiled code gives the laws that it says."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from labctl_sim.world.photons._random import numbers

COUNT = 200_000


def disc(x: float) -> float:
    return 0.5 + (x * math.sqrt(1.0 - x * x) + math.asin(x)) / math.pi


def normal(x: float) -> float:
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


LAWS: dict[int, Callable[[float], float]] = {
    0: lambda x: x,
    1: lambda x: -math.expm1(-x),
    2: normal,
    3: disc,
}


@pytest.mark.parametrize("kind", LAWS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_law(kind: int, seed: int) -> None:
    found = numbers(np.array([seed, 7], dtype=np.uint64), COUNT)[kind]
    law = np.array([LAWS[kind](float(x)) for x in np.sort(found)])
    distance = np.abs(law - np.arange(COUNT) / COUNT).max()
    assert distance < 2.2 / COUNT**0.5


def test_cells_and_sources_do_not_repeat() -> None:
    one = numbers(np.array([0, 7], dtype=np.uint64), 1000)[0]
    other = numbers(np.array([1, 7], dtype=np.uint64), 1000)[0]
    assert abs(np.corrcoef(one, other)[0, 1]) < 5.0 / 1000**0.5
