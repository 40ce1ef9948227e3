"""Random numbers for compiled code: xoshiro256++, seeded anew for each cell of time.

Blackman and Vigna, ACM Trans. Math. Softw. 47, 36 (2021); normal and exponential numbers by the
ziggurat of Marsaglia and Tsang, J. Stat. Softw. 5 (8) (2000).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from labctl_sim.world._types import FloatArray
from labctl_sim.world.photons._jit import jit

Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S11, _S17, _S19 = np.uint64(11), np.uint64(17), np.uint64(19)
_S23, _S27, _S30, _S31 = np.uint64(23), np.uint64(27), np.uint64(30), np.uint64(31)
_S41, _S45 = np.uint64(41), np.uint64(45)
_UNIT = 2.0**-53
_NORMAL_LAYERS, _NORMAL_TAIL, _NORMAL_AREA = 128, 3.442619855899, 9.91256303526217e-3
_EXPONENTIAL_LAYERS, _EXPONENTIAL_TAIL = 256, 7.69711747013104972
_EXPONENTIAL_AREA = 3.949659822581572e-3


def _ziggurat(
    layers: int,
    tail: float,
    area: float,
    density: Callable[[float], float],
    inverse: Callable[[float], float],
) -> tuple[FloatArray, FloatArray]:
    """Right edges of the layers, and the share of each that lies wholly under the curve."""
    edges = np.zeros(layers + 1)
    height = density(tail)
    edges[0], edges[1] = area / height, tail
    for layer in range(2, layers):
        edges[layer] = inverse(area / edges[layer - 1] + height)
        height = density(float(edges[layer]))
    return edges, edges[1:] / edges[:-1]


_EDGES, _INSIDE = _ziggurat(
    _NORMAL_LAYERS,
    _NORMAL_TAIL,
    _NORMAL_AREA,
    lambda x: math.exp(-0.5 * x * x),
    lambda y: math.sqrt(-2.0 * math.log(y)),
)
_STEPS, _BELOW = _ziggurat(
    _EXPONENTIAL_LAYERS,
    _EXPONENTIAL_TAIL,
    _EXPONENTIAL_AREA,
    lambda x: math.exp(-x),
    lambda y: -math.log(y),
)


@jit
def seed_words(words: Words, key: Words, cell: int, source: int) -> None:
    """Fill the state, shape (4,), from the stream's key (2,), a cell and a source in it."""
    mixed = key[0] ^ (np.uint64(cell) * _GOLDEN) ^ (np.uint64(source) * _MIX_2)
    for index in range(4):
        mixed = mixed + _GOLDEN
        z = mixed ^ key[1]
        z = (z ^ (z >> _S30)) * _MIX_1
        z = (z ^ (z >> _S27)) * _MIX_2
        words[index] = z ^ (z >> _S31)


@jit
def draw_bits(words: Words) -> np.uint64:
    """64 random bits."""
    total = words[0] + words[3]
    result = ((total << _S23) | (total >> _S41)) + words[0]
    shifted = words[1] << _S17
    words[2] ^= words[0]
    words[3] ^= words[1]
    words[1] ^= words[2]
    words[0] ^= words[3]
    words[2] ^= shifted
    words[3] = (words[3] << _S45) | (words[3] >> _S19)
    return result


@jit
def draw_unit(words: Words) -> float:
    """Uniform number, above 0 and up to 1, so that its logarithm is finite."""
    return (float(draw_bits(words) >> _S11) + 1.0) * _UNIT


@jit
def draw_exponential(words: Words) -> float:
    """Exponential number of mean 1."""
    start = 0.0
    while True:
        bits = draw_bits(words)
        layer = int(bits & np.uint64(_EXPONENTIAL_LAYERS - 1))
        share = float(bits >> _S11) * _UNIT
        x = share * _STEPS[layer]
        if share < _BELOW[layer]:
            return start + x
        if layer == 0:
            # Beyond the tail's beginning the law looks as at 0.
            start += _EXPONENTIAL_TAIL
            continue
        lower, upper = math.exp(-_STEPS[layer]), math.exp(-_STEPS[layer + 1])
        if lower + draw_unit(words) * (upper - lower) < math.exp(-x):
            return start + x


@jit
def draw_normal(words: Words) -> float:
    """Normal number of variance 1."""
    while True:
        bits = draw_bits(words)
        layer = int(bits & np.uint64(_NORMAL_LAYERS - 1))
        share = 2.0 * float(bits >> _S11) * _UNIT - 1.0
        x = share * _EDGES[layer]
        if abs(share) < _INSIDE[layer]:
            return x
        if layer == 0:
            return _beyond(words, share)
        lower = math.exp(-0.5 * _EDGES[layer] ** 2)
        upper = math.exp(-0.5 * _EDGES[layer + 1] ** 2)
        if lower + draw_unit(words) * (upper - lower) < math.exp(-0.5 * x * x):
            return x


@jit
def _beyond(words: Words, sign: float) -> float:
    while True:
        beyond = draw_exponential(words) / _NORMAL_TAIL
        if 2.0 * draw_exponential(words) > beyond * beyond:
            return math.copysign(_NORMAL_TAIL + beyond, sign)


@jit
def draw_disc(words: Words) -> float:
    """One coordinate of a point evenly in the unit disc: density 2 sqrt(1 - x^2) / pi."""
    while True:
        x = 2.0 * draw_unit(words) - 1.0
        y = 2.0 * draw_unit(words) - 1.0
        if x * x + y * y <= 1.0:
            return x


@jit
def numbers(key: Words, count: int) -> FloatArray:
    """Uniform, exponential, normal and disc numbers of one seed; shape (4, count), float64."""
    words = np.empty(4, dtype=np.uint64)
    found = np.empty((4, count))
    for kind in range(4):
        seed_words(words, key, 0, kind)
        for index in range(count):
            if kind == 0:
                found[kind, index] = draw_unit(words)
            elif kind == 1:
                found[kind, index] = draw_exponential(words)
            elif kind == 2:
                found[kind, index] = draw_normal(words)
            else:
                found[kind, index] = draw_disc(words)
    return found
