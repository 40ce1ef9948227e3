"""Random numbers for compiled code: xoshiro256++, seeded anew for each cell of time.

Blackman and Vigna, ACM Trans. Math. Softw. 47, 36 (2021); normal numbers by the ziggurat of
Marsaglia and Tsang, J. Stat. Softw. 5 (8) (2000), with the layers of Doornik (2005).
"""

import math

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
_LAYERS = 128
_TAIL = 3.442619855899
_AREA = 9.91256303526217e-3


def _ziggurat() -> tuple[FloatArray, FloatArray]:
    """Right edges of the layers, and the share of each that lies wholly under the curve."""
    edges = np.zeros(_LAYERS + 1)
    height = math.exp(-0.5 * _TAIL * _TAIL)
    edges[0], edges[1] = _AREA / height, _TAIL
    for layer in range(2, _LAYERS):
        edges[layer] = math.sqrt(-2.0 * math.log(_AREA / edges[layer - 1] + height))
        height = math.exp(-0.5 * edges[layer] ** 2)
    return edges, edges[1:] / edges[:-1]


_EDGES, _INSIDE = _ziggurat()


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
    return -math.log(draw_unit(words))


@jit
def draw_normal(words: Words) -> float:
    """Normal number of variance 1."""
    while True:
        bits = draw_bits(words)
        layer = int(bits & np.uint64(_LAYERS - 1))
        share = 2.0 * float(bits >> _S11) * _UNIT - 1.0
        if abs(share) < _INSIDE[layer]:
            return share * _EDGES[layer]
        if layer == 0:
            while True:
                beyond = draw_exponential(words) / _TAIL
                if 2.0 * draw_exponential(words) > beyond * beyond:
                    return _TAIL + beyond if share > 0.0 else -_TAIL - beyond
        x = share * _EDGES[layer]
        lower = math.exp(-0.5 * (_EDGES[layer] ** 2 - x * x))
        upper = math.exp(-0.5 * (_EDGES[layer + 1] ** 2 - x * x))
        if upper + draw_unit(words) * (lower - upper) < 1.0:
            return x


@jit
def draw_disc(words: Words) -> float:
    """One coordinate of a point evenly in the unit disc: density 2 sqrt(1 - x^2) / pi."""
    while True:
        x = 2.0 * draw_unit(words) - 1.0
        y = 2.0 * draw_unit(words) - 1.0
        if x * x + y * y <= 1.0:
            return x


@jit
def normal_numbers(key: Words, count: int) -> FloatArray:
    """That many normal numbers of one seed, float64; lets a test look at the generator."""
    words = np.empty(4, dtype=np.uint64)
    seed_words(words, key, 0, 0)
    numbers = np.empty(count)
    for index in range(count):
        numbers[index] = draw_normal(words)
    return numbers
