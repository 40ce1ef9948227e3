"""Random processes on a fixed time grid: whoever asks, and how often, changes nothing."""

import math
from collections.abc import Callable

import numpy as np

from labctl_sim.world._types import FloatArray

_BLOCK = 1024


class GridNoise:
    """White normal noise of unit variance, one number per tick of an absolute time grid."""

    def __init__(self, generator: Callable[[int], np.random.Generator]) -> None:
        """``generator(block)`` is the source of the block of 1024 ticks with this number."""
        self._generator = generator
        self._blocks: dict[int, FloatArray] = {}

    def at(self, tick: int) -> float:
        """The number of one tick."""
        return float(self._block(tick // _BLOCK)[tick % _BLOCK])

    def between(self, first: int, last: int) -> FloatArray:
        """Numbers of the ticks ``first`` to ``last``, both included; shape (n,), float64."""
        blocks = range(first // _BLOCK, last // _BLOCK + 1)
        joined = np.concatenate([self._block(number) for number in blocks])
        begin = first - blocks[0] * _BLOCK
        return joined[begin : begin + last - first + 1]

    def _block(self, number: int) -> FloatArray:
        if number not in self._blocks:
            if len(self._blocks) >= 8:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = self._generator(number).standard_normal(_BLOCK)
        return self._blocks[number]


class GridWalk:
    """First-order autoregressive process, or a plain random walk, on a time grid."""

    def __init__(self, noise: GridNoise, tick_s: float, correlation_s: float | None) -> None:
        """``correlation_s`` None makes a random walk of variance 1 per hour, begun at 0."""
        self._noise = noise
        self._tick_s = tick_s
        if correlation_s is None:
            self._keep, self._kick = 1.0, math.sqrt(tick_s / 3600.0)
        else:
            self._keep = math.exp(-tick_s / correlation_s)
            self._kick = math.sqrt(1.0 - self._keep**2)
        self._values = [0.0 if correlation_s is None else noise.at(0)]

    def at(self, elapsed_s: float) -> float:
        """Value at a time since the process began, linear between ticks."""
        position = max(elapsed_s, 0.0) / self._tick_s
        index = int(position)
        while len(self._values) < index + 2:
            step = self._noise.at(len(self._values))
            self._values.append(self._keep * self._values[-1] + self._kick * step)
        share = position - index
        return self._values[index] * (1.0 - share) + self._values[index + 1] * share
