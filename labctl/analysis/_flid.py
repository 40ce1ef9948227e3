"""Lifetime against intensity, and what it says about the kind of blinking."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._blinking import inside
from labctl.analysis._change_points import ChangePoints
from labctl.analysis._fit import normal_cdf
from labctl.analysis._lifetimes import DecayColumns, Lifetimes, fit_lifetimes
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["BlinkingKind", "BlinkingType", "Flid", "Intensity", "blinking_type", "flid"]
__all__ += ["judge_type", "segment_decays"]

Vector = NDArray[np.float64]

_BOUNDARY = 0.2
_SIGMAS = 2.0


class BlinkingKind(StrEnum):
    """C. Galland et al., Nature 479, 203 (2011)."""

    A = "A"
    """The lifetime falls with the intensity: another recombination path opens."""
    B = "B"
    """The lifetime stays: carriers are lost before they get to the emitting state."""
    UNDECIDED = "undecided"


@dataclass(frozen=True, eq=False)
class Intensity:
    """Photons of each row at any delay.

    Attributes:
        counts: Photons, (row,), int64.
        background_hz: Darks and stray light among them, 1/s.
    """

    counts: NDArray[np.int64]
    background_hz: float = 0.0


@dataclass(frozen=True, eq=False)
class Flid:
    """Fluorescence lifetime-intensity distribution.

    Attributes:
        rate_hz: Intensity of each bin or segment above the background, (row,), 1/s.
        lifetimes: Of each, with errors.
        density: Share of the time, (intensity, lifetime), as far as it is within the edges.
        rate_edges_hz: Of its rows, (intensity + 1,).
        lifetime_edges_s: Of its columns, (lifetime + 1,).
    """

    rate_hz: Vector
    lifetimes: Lifetimes
    density: Vector
    rate_edges_hz: Vector
    lifetime_edges_s: Vector


def flid(
    decays: NDArray[np.int64],
    duration_s: Vector | float,
    columns: DecayColumns,
    *,
    background_hz: float = 0.0,
    intensity: Intensity | None = None,
    rate_edges_hz: Vector | None = None,
    lifetime_edges_s: Vector | None = None,
    smeared: bool = True,
) -> Flid:
    """Return the distribution of intensity and lifetime, from time bins or from segments.

    Args:
        decays: Photons, (row, column), int64: ``BinnedDelaysResult.decays`` or ``segment_decays``.
        duration_s: Length of each row, (row,) or one for all, s.
        columns: Meaning of the columns.
        background_hz: Darks and stray light in all columns, 1/s.
        intensity: Of all photons; by default of those in the columns.
        rate_edges_hz: Edges in intensity; by default 60 from 0 to beyond the highest.
        lifetime_edges_s: Edges in lifetime; by default 60 up to 3 times the median.
        smeared: Spread each row over its own standard errors; else it is put in one cell.

    Raises:
        AnalysisError: If no row has photons above the background.
    """
    lasting_s = np.broadcast_to(np.asarray(duration_s, np.float64), decays.shape[:1])
    lifetimes = fit_lifetimes(decays, columns, background_hz * lasting_s)
    bright = intensity or Intensity(decays.sum(axis=1), background_hz)
    rate_hz = bright.counts / lasting_s - bright.background_hz
    rate_error_hz = np.sqrt(np.maximum(bright.counts, 1)) / lasting_s
    good = np.isfinite(lifetimes.tau_s) & ~lifetimes.at_limit
    if not np.any(good):
        raise AnalysisError("no bin has enough photons for a lifetime")
    if rate_edges_hz is None:
        rate_edges_hz = np.linspace(0.0, float(np.max(rate_hz + 2 * rate_error_hz)), 61)
    if lifetime_edges_s is None:
        lifetime_edges_s = np.linspace(0.0, 3 * float(np.median(lifetimes.tau_s[good])), 61)
    tiny = 0.0 if smeared else 1e-9
    by_rate = _cells(rate_hz[good], rate_error_hz[good], rate_edges_hz, tiny)
    by_tau = _cells(lifetimes.tau_s[good], lifetimes.error_s[good], lifetime_edges_s, tiny)
    density = by_rate.T @ (by_tau * (lasting_s[good] / lasting_s.sum())[:, None])
    return Flid(rate_hz, lifetimes, density, rate_edges_hz, lifetime_edges_s)


def _cells(values: Vector, errors: Vector, edges: Vector, tiny: float) -> Vector:
    """Return the share of each value in each cell, (value, cell)."""
    sigma = errors if tiny == 0.0 else np.full(values.size, tiny * float(np.ptp(edges)))
    return np.diff(normal_cdf((edges - values[:, None]) / sigma[:, None]), axis=1)


def segment_decays(
    points: ChangePoints,
    delay_bins: NDArray[np.uint16],
    gate_bins: tuple[int, int],
    per_column: int,
) -> NDArray[np.int64]:
    """Return the decay of each segment between change points, (segment, column), int64.

    Args:
        points: Segments of the same photons.
        delay_bins: Delay of each photon, (photon,).
        gate_bins: First delay bin and end of the gate.
        per_column: Delay bins in a column.
    """
    first, end = gate_bins
    columns = -(-(end - first) // per_column)
    delay = delay_bins.astype(np.int64)
    inside_gate = (delay >= first) & (delay < end)
    cell = points.segment_of * columns + (delay - first) // per_column
    size = points.counts.size * columns
    return np.bincount(cell[inside_gate], minlength=size).reshape(-1, columns)


@dataclass(frozen=True)
class BlinkingType:
    """Whether the lifetime follows the intensity.

    Attributes:
        kind: A, B or undecided.
        slope: ``ln(lifetime ratio) / ln(intensity ratio)``: 0 for type B, 1 where the lifetime is
            proportional to the intensity. A: more than 0.2 by two standard errors; B: less.
        lifetime_ratio: OFF over ON.
        intensity_ratio: OFF over ON, above the background.
        on_lifetime_s: Single-exponential lifetime of all ON light.
        off_lifetime_s: Of all OFF light.
    """

    kind: BlinkingKind
    slope: Measured
    lifetime_ratio: Measured
    intensity_ratio: Measured
    on_lifetime_s: Measured
    off_lifetime_s: Measured


def blinking_type(
    decays: NDArray[np.int64],
    duration_s: Vector | float,
    on: NDArray[np.bool_],
    columns: DecayColumns,
    *,
    background_hz: float = 0.0,
    intensity: Intensity | None = None,
    binned: bool = True,
) -> BlinkingType:
    """Decide between type A and type B from the summed decays of ON and OFF.

    Args:
        decays: Photons, (row, column), int64.
        duration_s: Length of each row, (row,) or one for all, s.
        on: State of each row, (row,).
        columns: Meaning of the columns.
        background_hz: Darks and stray light in all columns, 1/s.
        intensity: Of all photons; by default of those in the columns, which is too low for short
            lifetimes if the columns begin after the response.
        binned: Rows are time bins: only those between bins of the same state count, because
            the others may contain a switch. False for segments between change points.

    Raises:
        AnalysisError: If a state has no light of its own.
    """
    lasting_s = np.broadcast_to(np.asarray(duration_s, np.float64), decays.shape[:1])
    usable = inside(on) if binned else np.ones(on.size, np.bool_)
    states = [usable & on, usable & ~on]
    summed = np.array([decays[state].sum(axis=0) for state in states])
    times_s = np.array([float(lasting_s[state].sum()) for state in states])
    light = intensity or Intensity(decays.sum(axis=1), background_hz)
    photons = np.array([int(light.counts[state].sum()) for state in states])
    signal = photons - light.background_hz * times_s
    if np.any(signal <= 3 * np.sqrt(np.maximum(photons, 1))):
        raise AnalysisError("no light above the background in the ON or in the OFF state")
    found = fit_lifetimes(summed, columns, background_hz * times_s)
    rates = [
        Measured(float(s / t), float(np.sqrt(n) / t))
        for s, t, n in zip(signal, times_s, photons, strict=True)
    ]
    taus = [Measured(float(t), float(e)) for t, e in zip(found.tau_s, found.error_s, strict=True)]
    return judge_type((taus[0], taus[1]), (rates[0], rates[1]))


def judge_type(
    lifetimes_s: tuple[Measured, Measured], rates_hz: tuple[Measured, Measured]
) -> BlinkingType:
    """Decide between type A and type B from the light of ON and OFF, in this order.

    Args:
        lifetimes_s: Lifetimes of all light of the states.
        rates_hz: Intensities above the background.
    """
    lifetime, brightness = _ratio(*lifetimes_s), _ratio(*rates_hz)
    fall, fade = float(np.log(lifetime.value)), float(np.log(brightness.value))
    own, other = lifetime.error / lifetime.value, brightness.error / brightness.value
    slope = Measured(fall / fade, float(np.hypot(own, fall / fade * other)) / abs(fade))
    away = (slope.value - _BOUNDARY) / slope.error
    kind = BlinkingKind.A if away > 0 else BlinkingKind.B
    return BlinkingType(
        kind if abs(away) > _SIGMAS else BlinkingKind.UNDECIDED,
        slope,
        lifetime,
        brightness,
        *lifetimes_s,
    )


def _ratio(on: Measured, off: Measured) -> Measured:
    ratio = off.value / on.value
    return Measured(ratio, ratio * float(np.hypot(on.error / on.value, off.error / off.value)))
