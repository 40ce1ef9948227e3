"""When a stream of photons switched between ON and OFF, to a fraction of the mean interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._dwells import DwellSequence
from labctl.analysis._levels import IntensityLevels
from labctl.analysis._measured import Measured
from labctl.analysis._numba import fixed

__all__ = ["CalmPhotons", "Switches", "locate_switches"]

Vector = NDArray[np.float64]
Times = NDArray[np.int64]

_REACH = 60
_MARGIN = 6.0
_UNSEEN = 20.0


@dataclass(frozen=True, eq=False)
class CalmPhotons:
    """Photons that are for sure of one state, because no switch is near.

    Attributes:
        state: 1 ON, 0 OFF, -1 near a switch, (photon,), int8.
        counts: Photons of OFF and ON, (2,), int64.
        lasting_s: Time in which they came, (2,).
    """

    state: NDArray[np.int8]
    counts: Times
    lasting_s: Vector

    def rate_hz(self, on: bool) -> Measured:
        """Return the intensity of a state, background included; NaN if it never lasted."""
        counts, time_s = float(self.counts[int(on)]), float(self.lasting_s[int(on)])
        if time_s <= 0.0:
            return Measured(float("nan"), float("nan"))
        return Measured(counts / time_s, float(np.sqrt(max(counts, 1.0))) / time_s)


@dataclass(frozen=True, eq=False)
class Switches:
    """Switches between ON and OFF.

    Attributes:
        time_s: Mean of the times that are possible, from tick 0, (switch,).
        error_s: Their standard deviation, (switch,).
        margin_s: Beyond this from a switch its state is certain, (switch,).
        on_first: Whether the stream begins ON.
        length_s: Length of the stream.
        resolution_s: Dwells shorter than this can be missed.
    """

    time_s: Vector
    error_s: Vector
    margin_s: Vector
    on_first: bool
    length_s: float
    resolution_s: float

    @property
    def on(self) -> NDArray[np.bool_]:
        """Return the state before the first switch and after each, (switch + 1,), bool."""
        return (np.arange(self.time_s.size + 1) % 2 == 0) == self.on_first

    @property
    def edges_s(self) -> Vector:
        """Return beginning and end of all dwells, (switch + 2,)."""
        return np.concatenate([[0.0], self.time_s, [self.length_s]])

    def dwells(self) -> DwellSequence:
        """Return the dwells."""
        return DwellSequence(np.maximum(np.diff(self.edges_s), 0.0), self.on)

    def on_fraction(self) -> Measured:
        """Return the share of this stream that was ON, with the error of the times of switches.

        It is about the stream itself: another one of the same dot differs by much more
        (`DwellSequence.on_fraction`). A stream that never switched may hide one short dwell.
        """
        share = float(self.dwells().duration_s[self.on].sum()) / self.length_s
        if self.time_s.size == 0:
            return Measured(share, min(self.resolution_s / self.length_s, 0.5))
        return Measured(share, float(np.sqrt(np.sum(self.error_s**2))) / self.length_s)

    def calm(self, time_ticks: Times, tick_s: float) -> CalmPhotons:
        """Say which photons belong to which state for sure.

        Args:
            time_ticks: All photons of the stream, not falling, (photon,), int64.
            tick_s: Length of a tick, s.
        """
        near = np.concatenate([[0.0], self.margin_s, [0.0]])
        begin_s = self.edges_s[:-1] + near[:-1]
        end_s = np.maximum(self.edges_s[1:] - near[1:], begin_s)
        # A photon of tick n came between n and n + 1.
        limits = np.column_stack([begin_s, end_s]).ravel() / tick_s - 0.5
        places = np.searchsorted(time_ticks, limits)
        places = np.maximum.accumulate(places)
        sizes = np.diff(np.concatenate([[0], places, [time_ticks.size]]))
        marks = np.full(sizes.size, -1, np.int8)
        marks[1::2] = self.on
        counts, lasting_s = np.zeros(2, np.int64), np.zeros(2)
        np.add.at(counts, self.on.astype(np.int64), sizes[1::2])
        np.add.at(lasting_s, self.on.astype(np.int64), end_s - begin_s)
        return CalmPhotons(np.repeat(marks, sizes), counts, lasting_s)


def locate_switches(
    time_ticks: Times, tick_s: float, levels: IntensityLevels, length_s: float
) -> Switches:
    """Return when the stream switched between its ON and OFF levels.

    A change point is the photon with the largest likelihood: late for a switch off, early for a
    switch on, by about one interval of the brighter level, so that every OFF dwell comes out too
    long. Here each time is the mean over all times between the neighbouring switches, weighted by
    the likelihood of the photons around for the two intensities. That is the estimator of least
    variance of a shift (E. J. G. Pitman, Biometrika 30, 391 (1939)), and its error is honest as
    long as the intensities are those of the levels.

    Args:
        time_ticks: Arrival times of all photons, not falling, (photon,), int64.
        tick_s: Length of a tick, s.
        levels: Of the same photons.
        length_s: Length of the stream, from tick 0.
    """
    times = fixed(np.asarray(time_ticks, dtype=np.int64))
    state = levels.on()
    at = np.flatnonzero(state[1:] != state[:-1])
    photon = levels.points.photon[at]
    rates_hz = np.array([rate.value for rate in levels.rate_hz])[levels.level]
    bounds = np.concatenate([[0], photon, [times.size - 1]])
    found = np.zeros((at.size, 2))
    for k, segment in enumerate(at):
        first = max(int(bounds[k]), int(photon[k]) - _REACH)
        last = min(int(bounds[k + 2]), int(photon[k]) + _REACH)
        window_s = (times[first : last + 1] - times[first] + 0.5) * tick_s
        mean_s, error_s = _posterior(window_s, *rates_hz[segment : segment + 2])
        found[k] = float(times[first]) * tick_s + mean_s, error_s
    step_hz = np.abs(rates_hz[at + 1] - rates_hz[at])
    margin_s = np.maximum(_MARGIN / np.maximum(step_hz, 1e-9), 3 * found[:, 1])
    dark_hz, bright_hz = levels.span_hz
    resolution_s = _UNSEEN / ((bright_hz - dark_hz) or bright_hz)
    return Switches(found[:, 0], found[:, 1], margin_s, bool(state[0]), length_s, resolution_s)


def _posterior(time_s: Vector, before_hz: float, after_hz: float) -> tuple[float, float]:
    """Return mean and standard deviation of the time of a switch amid photons.

    Between two photons the likelihood is an exponential in the time of the switch.
    """
    slope = after_hz - before_hz
    steps = np.arange(time_s.size - 1) * np.log(before_hz / max(after_hz, 1e-6 * before_hz))
    gap_s: Vector = np.diff(time_s)
    left, right = steps + slope * time_s[:-1], steps + slope * time_s[1:]
    highest = np.maximum(left, right)
    x = np.maximum(np.abs(slope) * gap_s, 1e-3)
    weight = gap_s * np.exp(highest - highest.max()) * -np.expm1(-x) / x
    weight /= weight.sum()
    rest = 1 / np.expm1(np.minimum(x, 500.0))
    # From the end of the interval that is more likely.
    mean: Vector = gap_s * (1 / x - rest)
    square = gap_s**2 * (2 / x**2 - (1 + 2 / x) * rest)
    at_s: Vector = np.where(right > left, time_s[1:] - mean, time_s[:-1] + mean)
    centre_s = float(weight @ at_s)
    inner = np.maximum(square - mean**2, 0.0)
    return centre_s, float(np.sqrt(weight @ (inner + (at_s - centre_s) ** 2)))
