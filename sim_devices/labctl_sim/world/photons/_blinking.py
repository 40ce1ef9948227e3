"""Dwell times in two states."""

import bisect
import itertools
import math
from collections.abc import Callable

import numpy as np

from labctl_sim.sample import Blinking

_HOUR_S = 3600.0


class Dwells:
    """A process with two states that switches at random times; a fixed function of its time."""

    def __init__(
        self,
        generator: np.random.Generator,
        dwell_s: Callable[[np.random.Generator, bool, float], float],
        share: float,
    ) -> None:
        """Begin at 0.

        Args:
            generator: Source of chance; used by nobody else.
            dwell_s: Draws a dwell time from the generator, for a state that begins at a time.
            share: Probability that the process begins in the state that is called on.
        """
        self._generator, self._dwell_s = generator, dwell_s
        self._times_s = [0.0]
        self._on_first = bool(generator.random() < share)

    def states(self, begin_s: float, end_s: float) -> list[tuple[float, bool]]:
        """Whether it is on at ``begin_s``, then each switch before ``end_s`` and what follows."""
        while self._times_s[-1] < end_s:
            last_s, on = self._times_s[-1], self._on(len(self._times_s) - 1)
            self._times_s.append(last_s + self._dwell_s(self._generator, on, last_s))
        first = max(bisect.bisect_right(self._times_s, begin_s) - 1, 0)
        last = bisect.bisect_left(self._times_s, end_s)
        later = [(self._times_s[i], self._on(i)) for i in range(first + 1, last)]
        return [(begin_s, self._on(first)), *later]

    def on_share(self, begin_s: float, end_s: float) -> float:
        """Share of the time between that it is on."""
        if end_s <= begin_s:
            return float(self.states(begin_s, begin_s + 1e-9)[0][1])
        states = [*self.states(begin_s, end_s), (end_s, False)]
        lit_s = [b[0] - a[0] for a, b in itertools.pairwise(states) if a[1]]
        return math.fsum(lit_s) / (end_s - begin_s)

    def _on(self, index: int) -> bool:
        return self._on_first != bool(index % 2)


def blinking(law: Blinking, generator: np.random.Generator) -> Dwells:
    """Intermittency of a dot against the time that it was lit, s.

    OFF times follow the power law t^-a between the shortest and the longest time, or are
    exponential with the geometric mean of both; ON times are the same, longer by the ratio that
    makes the ON share, which goes exponentially through its value after one hour (assumed).
    """

    def dwell_s(source: np.random.Generator, on: bool, at_s: float) -> float:
        share = law.on_share * (law.on_share_after_one_hour / law.on_share) ** (at_s / _HOUR_S)
        longer = min(max(share, 1e-6) / max(1.0 - share, 1e-6), 1e6) if on else 1.0
        if law.kind == "telegraph":
            return longer * math.sqrt(law.shortest_s * law.longest_s) * source.exponential()
        return longer * power_law_s(law, float(source.random()))

    return Dwells(generator, dwell_s, law.on_share)


def power_law_s(law: Blinking, uniform: float) -> float:
    """Quantile of the power law t^-a, truncated at the shortest and longest time."""
    slope = 1.0 - law.exponent
    low, high = law.shortest_s**slope, law.longest_s**slope
    return float((low + uniform * (high - low)) ** (1.0 / slope))


def charging(share: float, mean_s: float, generator: np.random.Generator) -> Dwells:
    """Telegraph between charged (on) and neutral; ``mean_s`` is the mean charged time."""

    def dwell_s(source: np.random.Generator, on: bool, _at_s: float) -> float:
        mean = mean_s if on else mean_s * (1.0 - share) / share
        return mean * float(source.exponential())

    return Dwells(generator, dwell_s, share)
