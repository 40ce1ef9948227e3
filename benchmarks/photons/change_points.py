"""Change points of a blinking emitter beside the same search in plain numpy.

One million photons: 70 kcps while ON, 10 kcps while OFF, 50 ms and 25 ms on average. The other side
is the first pass of the algorithm alone (windows of 1000 photons that are divided as long as the
largest statistic is above its critical value), written with numpy, on the first part of the stream.
"""

import argparse
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Figure, text_table
from labctl.analysis import find_change_points, warm_up

PHOTONS = 1_000_000
TICK_S = 1e-7
WINDOW = 1000
_CRITICAL = 19.0

Ticks = NDArray[np.int64]


def blinking(photons: int) -> Ticks:
    """Return arrival times, ticks of 100 ns."""
    rng = np.random.default_rng(0)
    dwells = 2 * photons // 3000 + 100
    lasting_s = rng.exponential(1.0, dwells) * np.resize([0.05, 0.025], dwells)
    counts = rng.poisson(lasting_s * np.resize([70e3, 10e3], dwells))
    within_s = rng.random(int(counts.sum())) * np.repeat(lasting_s, counts)
    begin_s = np.concatenate([[0.0], np.cumsum(lasting_s)[:-1]])
    time_s = np.sort(np.repeat(begin_s, counts) + within_s)
    return (time_s / TICK_S).astype(np.int64)[:photons]


class Plain:
    """The statistic with numpy; what depends on the number of photons only is kept."""

    def __init__(self) -> None:
        count = np.arange(1, WINDOW + 2, dtype=np.float64)
        harmonic = np.concatenate([[0.0], np.cumsum(1 / count)])[: count.size]
        squares = np.concatenate([[0.0], np.cumsum(1 / count**2)])[: count.size]
        self._mean = count * (np.log(count) + np.euler_gamma - harmonic)
        self._variance = count**2 * (np.pi**2 / 6 - squares) - count

    def changes(self, time: Ticks) -> int:
        """Return the number of changes of the first pass."""
        found, first, final = 0, 0, time.size - 1
        while first < final:
            last = min(first + WINDOW, final)
            changes = self._divide(time, first, last)
            found += len(changes)
            first = max(changes) if changes else first + max((last - first) // 2, 1)
        return found

    def _divide(self, time: Ticks, first: int, last: int) -> list[int]:
        n = last - first
        if n < 4 or time[last] == time[first]:
            return []
        k = np.arange(2, n - 1)
        share = (time[first + 2 : last - 1] - time[first]) / (time[last] - time[first])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = k * np.log(k / (n * share)) + (n - k) * np.log((n - k) / (n * (1 - share)))
        mean = self._mean[k - 1] + self._mean[n - k - 1] - self._mean[n - 1]
        variance = self._variance[k - 1] + self._variance[n - k - 1] - self._variance[n - 1]
        statistic = (ratio - mean) / np.sqrt(variance) + 0.5 * np.log(4 * k * (n - k) / n**2)
        statistic = np.where(np.isfinite(statistic), statistic, -np.inf)
        best = int(np.argmax(statistic))
        if statistic[best] < _CRITICAL:
            return []
        change = first + 2 + best
        return [*self._divide(time, first, change), change, *self._divide(time, change, last)]


def _seconds(work: Callable[[], object]) -> float:
    began_s = process_time()
    work()
    return process_time() - began_s


def figures(rounds: int, scale: float = 1.0) -> list[Figure]:
    """Return the time for a million photons and the ratio to numpy, medians of the rounds."""
    warm_up()
    photons = round(PHOTONS * scale)
    time, plain = blinking(photons), Plain()
    part = time[: photons // 10]
    steady = np.cumsum(np.random.default_rng(1).geometric(0.007, photons))
    own: list[float] = []
    dull: list[float] = []
    ratio: list[float] = []
    for _ in range(rounds):
        own.append(_seconds(lambda: find_change_points(time, TICK_S)) / scale)
        dull.append(_seconds(lambda: find_change_points(steady, TICK_S)) / scale)
        ratio.append(_seconds(lambda: plain.changes(part)) * 10 / scale / own[-1])
    return [
        Figure("change points of 1e6 photons", median(own), "s", "<= 0.1"),
        Figure("change points of 1e6 photons without any", median(dull), "s", "<= 0.1"),
        Figure("change points / first pass in numpy", median(ratio), "x", ""),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description="Measure how fast change points are found.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of which the medians count")
    parser.add_argument("--scale", type=float, default=1.0, help="length of the streams")
    options = parser.parse_args(arguments)
    found = figures(options.rounds, options.scale)
    print(text_table(found))
    return int(any(not figure.met for figure in found))


if __name__ == "__main__":
    raise SystemExit(main())
