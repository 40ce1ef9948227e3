"""Random numbers for compiled code: xoshiro256++, seeded anew for each cell of time.

Blackman and Vigna, ACM Trans. Math. Softw. 47, 36 (2021); normal and exponential numbers by the
ziggurat of Marsaglia and Tsang, J. Stat. Softw. 5 (8) (2000); those of a disc by layers likewise.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from labctl_sim.world._types import FloatArray
from labctl_sim.world.photons._jit import inlined, jit

Words = NDArray[np.uint64]
State = tuple[np.uint64, np.uint64, np.uint64, np.uint64]
"""Handed from draw to draw, so that it stays in registers."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S11, _S17, _S19 = np.uint64(11), np.uint64(17), np.uint64(19)
_S23, _S27, _S30, _S31 = np.uint64(23), np.uint64(27), np.uint64(30), np.uint64(31)
_S41, _S45 = np.uint64(41), np.uint64(45)
_UNIT = 2.0**-53
_ONE, _NORMAL_MASK, _EXPONENTIAL_MASK = np.uint64(1), np.uint64(127), np.uint64(255)
_NORMAL_LAYERS, _NORMAL_TAIL, _NORMAL_AREA = 128, 3.442619855899, 9.91256303526217e-3
_EXPONENTIAL_LAYERS, _EXPONENTIAL_TAIL = 256, 7.69711747013104972
_EXPONENTIAL_AREA = 3.949659822581572e-3
_DOME_LAYERS, _DOME_MASK = 256, np.uint64(255)


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


def _dome(layers: int) -> tuple[FloatArray, FloatArray]:
    """The same for ``sqrt(1 - x^2)`` from 0 to 1, where the layers just fill the height of 1."""
    least, most = 0.25 * math.pi / layers, 1.0 / layers
    edges = np.zeros(layers + 1)
    for _ in range(60):
        area, height = 0.5 * (least + most), 0.0
        for layer in range(layers):
            edges[layer] = math.sqrt(1.0 - height * height)
            height += area / float(edges[layer])
            if height >= 1.0:
                break
        least, most = (least, area) if height >= 1.0 else (area, most)
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
_RIMS, _COVERED = _dome(_DOME_LAYERS)


@inlined
def seeded(key: Words, cell: int, source: int) -> State:
    """The state of a stream's key, shape (2,), in a cell for a source in it."""
    mixed = key[0] ^ (np.uint64(cell) * _GOLDEN) ^ (np.uint64(source) * _MIX_2)
    return (
        _mixed(key, mixed + _GOLDEN),
        _mixed(key, mixed + _GOLDEN + _GOLDEN),
        _mixed(key, mixed + _GOLDEN + _GOLDEN + _GOLDEN),
        _mixed(key, mixed + _GOLDEN + _GOLDEN + _GOLDEN + _GOLDEN),
    )


@inlined
def _mixed(key: Words, word: np.uint64) -> np.uint64:
    z = word ^ key[1]
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@inlined
def draw_bits(state: State) -> tuple[np.uint64, State]:
    """64 random bits."""
    a, b, c, d = state
    total = a + d
    result = ((total << _S23) | (total >> _S41)) + a
    shifted = b << _S17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << _S45) | (d >> _S19)
    return result, (a, b, c, d)


@inlined
def _share(bits: np.uint64) -> float:
    """The upper 53 bits as a number from 0 to below 1."""
    return float(np.int64(bits >> _S11)) * _UNIT


@inlined
def draw_unit(state: State) -> tuple[float, State]:
    """Uniform number, above 0 and up to 1, so that its logarithm is finite."""
    bits, state = draw_bits(state)
    return (float(np.int64(bits >> _S11)) + 1.0) * _UNIT, state


@inlined
def draw_exponential(state: State) -> tuple[float, State]:
    """Exponential number of mean 1."""
    bits, state = draw_bits(state)
    layer = bits & _EXPONENTIAL_MASK
    share = _share(bits)
    if share < _BELOW[layer]:
        return share * _STEPS[layer], state
    return _exponential_edge(state, bits)


@jit
def _exponential_edge(state: State, bits: np.uint64) -> tuple[float, State]:
    """The rare case: outside the part of the layer that lies wholly under the curve."""
    start = 0.0
    while True:
        layer = bits & _EXPONENTIAL_MASK
        share = _share(bits)
        x = share * _STEPS[layer]
        if share < _BELOW[layer]:
            return start + x, state
        if layer == 0:
            # Beyond the tail's beginning the law looks as at 0.
            start += _EXPONENTIAL_TAIL
        else:
            lower, upper = math.exp(-_STEPS[layer]), math.exp(-_STEPS[layer + _ONE])
            unit, state = draw_unit(state)
            if lower + unit * (upper - lower) < math.exp(-x):
                return start + x, state
        bits, state = draw_bits(state)


@inlined
def draw_normal(state: State) -> tuple[float, State]:
    """Normal number of variance 1."""
    bits, state = draw_bits(state)
    layer = bits & _NORMAL_MASK
    share = 2.0 * _share(bits) - 1.0
    if abs(share) < _INSIDE[layer]:
        return share * _EDGES[layer], state
    return _normal_edge(state, bits)


@jit
def _normal_edge(state: State, bits: np.uint64) -> tuple[float, State]:
    """The rare case: outside the part of the layer that lies wholly under the curve."""
    while True:
        layer = bits & _NORMAL_MASK
        share = 2.0 * _share(bits) - 1.0
        x = share * _EDGES[layer]
        if abs(share) < _INSIDE[layer]:
            return x, state
        if layer == 0:
            return _beyond(state, share)
        lower = math.exp(-0.5 * _EDGES[layer] ** 2)
        upper = math.exp(-0.5 * _EDGES[layer + _ONE] ** 2)
        unit, state = draw_unit(state)
        if lower + unit * (upper - lower) < math.exp(-0.5 * x * x):
            return x, state
        bits, state = draw_bits(state)


@jit
def _beyond(state: State, sign: float) -> tuple[float, State]:
    while True:
        first, state = draw_exponential(state)
        second, state = draw_exponential(state)
        beyond = first / _NORMAL_TAIL
        if 2.0 * second > beyond * beyond:
            return math.copysign(_NORMAL_TAIL + beyond, sign), state


@inlined
def draw_disc(state: State) -> tuple[float, State]:
    """One coordinate of a point evenly in the unit disc: density 2 sqrt(1 - x^2) / pi."""
    bits, state = draw_bits(state)
    layer = bits & _DOME_MASK
    share = 2.0 * _share(bits) - 1.0
    if abs(share) < _COVERED[layer]:
        return share * _RIMS[layer], state
    return _disc_edge(state, bits)


@jit
def _disc_edge(state: State, bits: np.uint64) -> tuple[float, State]:
    """The rare case: outside the part of the layer that lies wholly under the curve."""
    while True:
        layer = bits & _DOME_MASK
        share = 2.0 * _share(bits) - 1.0
        x = share * _RIMS[layer]
        if abs(share) < _COVERED[layer]:
            return x, state
        lower, upper = math.sqrt(1.0 - _RIMS[layer] ** 2), math.sqrt(1.0 - _RIMS[layer + _ONE] ** 2)
        unit, state = draw_unit(state)
        if lower + unit * (upper - lower) < math.sqrt(1.0 - x * x):
            return x, state
        bits, state = draw_bits(state)


def numbers(key: Words, count: int) -> FloatArray:
    """Uniform, exponential, normal and disc numbers of one seed; shape (4, count), float64."""
    found = np.empty((4, count))
    fill_numbers(key, found)
    return found


@jit
def fill_numbers(key: Words, found: FloatArray) -> None:
    """See `numbers`."""
    for kind in range(4):
        state = seeded(key, 0, kind)
        for index in range(found.shape[1]):
            if kind == 0:
                number, state = draw_unit(state)
            elif kind == 1:
                number, state = draw_exponential(state)
            elif kind == 2:
                number, state = draw_normal(state)
            else:
                number, state = draw_disc(state)
            found[kind, index] = number
