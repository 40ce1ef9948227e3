"""The instrument response of time-correlated counting, with the configuration it belongs to."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError

__all__ = ["Irf", "IrfResponse", "TimingConfiguration", "grating_spread_ps"]

Vector = NDArray[np.float64]

_NM_PER_PS = 2.99792458e5
_LIT_MM = 77.0
_RATE_FACTOR, _WALK_HZ = 5.0, 2e5
_NOTICEABLE = 0.1
_ROUND_BEAM = 16.0
_LIT_ERROR = 0.25
_SIGMAS = 3.0
_LEADING_FWHM, _LATEST_FWHM = 4, 60
_OUTER_SHARE = 0.3


def grating_spread_ps(
    grating_per_mm: float, wavelength_nm: float, illuminated_mm: float = _LIT_MM
) -> float:
    """Return the largest path difference ``N lambda / c`` on a grating in first order, ps.

    The default width is that of 0.5 m focal length filled at f/6.5.
    """
    return grating_per_mm * illuminated_mm * wavelength_nm / _NM_PER_PS


@dataclass(frozen=True, kw_only=True)
class TimingConfiguration:
    """What the timing of counts depends on; None: not known, then it is not compared.

    Attributes:
        bin_ps: Width of a bin of the tagger.
        grating_per_mm: Lines of the grating; 0 for a path without one.
        slit_um: Entrance slit.
        detector: Name of the detector.
        count_rate_hz: Mean count rate.
        wavelength_nm: Centre of the detected light.
    """

    bin_ps: float
    grating_per_mm: float | None = None
    slit_um: float | None = None
    detector: str | None = None
    count_rate_hz: float | None = None
    wavelength_nm: float | None = None


@dataclass(frozen=True)
class IrfResponse:
    """The part of a measured response that holds light, background subtracted.

    Attributes:
        counts: Shape (support,), may be slightly negative.
        variance: Of the counts, shape (support,).
        first_bin: Of the histogram.
        background_variance: Of the background per bin, common to all bins.
        fwhm_ps: Width at half height.
        centre_ps: Mean time, from the beginning of the histogram.
        sd_ps: Standard deviation of the times.
        added_error_ps2: Standard error of the variance by which the response was broadened.
        moved_ps: By so much it may stand apart from that of the decay for known reasons.
    """

    counts: Vector
    variance: Vector
    first_bin: int
    background_variance: float
    fwhm_ps: float
    centre_ps: float
    sd_ps: float
    added_error_ps2: float = 0.0
    moved_ps: float = 0.0

    @property
    def total(self) -> float:
        """Counts of light."""
        return float(self.counts.sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Irf(TimingConfiguration):
    """A measured instrument response.

    Attributes:
        counts: Histogram, shape (bin,), background included.
        taken: When and of what, in words.
        adapted: In words, what was done to it for a decay taken otherwise; empty: as measured.
        added_error_ps2: Standard error of the variance by which it was broadened.
        moved_ps: By so much it may stand apart from that of the decay for known reasons.
    """

    counts: Vector
    taken: str = ""
    adapted: str = ""
    added_error_ps2: float = 0.0
    moved_ps: float = 0.0

    def at(self, configuration: TimingConfiguration) -> "Irf":
        """Return the response as it would be at the wavelength of a decay.

        The paths on a grating that a round beam fills are spread over a base width
        ``w = N lambda / c`` like the chords of a disc, with a variance of ``w^2 / 16``. At a longer
        wavelength the histogram is broadened by the difference of the variances, with an error of
        a quarter of it for how the grating is lit (a filled square would have ``w^2 / 12``). A
        histogram cannot be made narrower: then it stays, and all of the difference is its error.
        In both cases the mean may have moved by half the change of the base width.
        """
        spreads = self._spreads_ps(configuration)
        if spreads is None:
            return self
        own_ps, other_ps = spreads
        added_ps2 = (other_ps**2 - own_ps**2) / _ROUND_BEAM
        moved_ps = abs(other_ps - own_ps) / 2
        if added_ps2 <= 0:
            return replace(self, added_error_ps2=-added_ps2, moved_ps=moved_ps)
        words = (
            f"response of {self.wavelength_nm:g} nm broadened for {configuration.wavelength_nm:g} "
            f"nm: the grating spreads over {other_ps:.0f} ps instead of {own_ps:.0f} ps"
        )
        return replace(
            self,
            counts=_broadened(self.counts, added_ps2 / self.bin_ps**2),
            adapted=words,
            wavelength_nm=configuration.wavelength_nm,
            added_error_ps2=_LIT_ERROR * added_ps2,
            moved_ps=moved_ps,
        )

    def _spreads_ps(self, other: TimingConfiguration) -> tuple[float, float] | None:
        """Return the base widths by the grating for this response and for another configuration.

        None where they cannot be compared.
        """
        grating = other.grating_per_mm
        if not grating or self.grating_per_mm not in (None, grating):
            return None
        if self.wavelength_nm is None or other.wavelength_nm is None:
            return None
        return (
            grating_spread_ps(grating, self.wavelength_nm),
            grating_spread_ps(grating, other.wavelength_nm),
        )

    def foreign(self, configuration: TimingConfiguration) -> tuple[str, ...]:
        """Return in words how this response differs from what a decay was measured with."""
        words: list[str] = []
        pairs = [
            ("grating", "grating_per_mm", "lines/mm"),
            ("entrance slit", "slit_um", "µm"),
            ("detector", "detector", ""),
            ("tagger's bin", "bin_ps", "ps"),
        ]
        for what, field, unit in pairs:
            own, other = getattr(self, field), getattr(configuration, field)
            if own is not None and other is not None and own != other:
                words.append(
                    f"{what}: {own} {unit}".rstrip() + f", the decay {other} {unit}".rstrip()
                )
        return (*words, *self._rate_words(configuration), *self._spread_words(configuration))

    def _rate_words(self, other: TimingConfiguration) -> list[str]:
        own_hz, other_hz = self.count_rate_hz, other.count_rate_hz
        if not own_hz or not other_hz or max(own_hz / other_hz, other_hz / own_hz) < _RATE_FACTOR:
            return []
        # Walk and baseline of a detector move with the rate, but not at rates as low as these.
        if max(own_hz, other_hz) < _WALK_HZ:
            return []
        return [f"count rate: {own_hz:.3g} /s, the decay {other_hz:.3g} /s"]

    def _spread_words(self, other: TimingConfiguration) -> list[str]:
        spreads = self._spreads_ps(other)
        if spreads is None:
            return []
        own_ps, other_ps = spreads
        if abs(own_ps - other_ps) < _NOTICEABLE * self.response.fwhm_ps:
            return []
        return [
            f"wavelength: {self.wavelength_nm:g} nm, the decay {other.wavelength_nm:g} nm: "
            f"the grating spreads over {own_ps:.0f} ps instead of {other_ps:.0f} ps"
        ]

    @cached_property
    def response(self) -> IrfResponse:
        """The part with light.

        From the highest bin outwards in steps of the width at half height, until a step holds no
        more than the background, estimated from all that lies far away, by three sigma.

        Raises:
            AnalysisError: If there is no peak.
        """
        counts = np.asarray(self.counts, dtype=np.float64)
        before = np.zeros(counts.size + 1)
        np.cumsum(counts, out=before[1:])
        if counts.ndim != 1 or counts.size < 8 or counts.min() < 0 or not before[-1] > 20:
            msg = "the instrument response needs a histogram with more than 20 counts"
            raise AnalysisError(msg)
        peak, width = _peak(counts)
        if 4 * width > counts.size:
            msg = "the instrument response has no peak, or fills its histogram"
            raise AnalysisError(msg)
        level = _background(counts, before, peak, width)
        first = _edge(before, level, peak, -width)
        last = _edge(before, level, peak, width)
        outside = max(counts.size - (last - first), 1)
        level = _outside(before, first, last) / outside
        return self._part(counts, first, last, level, outside, width)

    def _part(
        self, counts: Vector, first: int, last: int, level: float, outside: int, width: int
    ) -> IrfResponse:
        light = counts[first:last] - level
        total = float(light.sum())
        if not total > 5 * np.sqrt(counts[first:last].sum()):
            msg = "the instrument response does not stand out of its background"
            raise AnalysisError(msg)
        times_ps = (np.arange(first, last) + 0.5) * self.bin_ps
        centre = float(light @ times_ps) / total
        variance = max(float(light @ (times_ps - centre) ** 2) / total, self.bin_ps**2 / 12)
        return IrfResponse(
            light,
            np.maximum(counts[first:last], level),
            first,
            level / outside,
            width * self.bin_ps,
            centre,
            float(np.sqrt(variance)),
            self.added_error_ps2,
            self.moved_ps,
        )


def _broadened(counts: Vector, variance: float) -> Vector:
    """Return a histogram broadened by a variance in bins squared, its sum and mean kept.

    Two equal peaks as far apart as the variance asks for come nearest to what makes a wide
    distribution with steep edges of a narrower one: no other kernel has less in its tails.
    """
    near = math.floor(math.sqrt(variance))
    share = ((near + 1) ** 2 - variance) / (2 * near + 1)
    kernel = np.zeros(2 * near + 3)
    for lag, weight in ((near, share), (near + 1, 1 - share)):
        kernel[near + 1 - lag] += weight / 2
        kernel[near + 1 + lag] += weight / 2
    return np.convolve(counts, kernel, mode="same")


def _peak(counts: Vector) -> tuple[int, int]:
    """Return the highest bin and the width at half height, in bins, of smoothed counts."""
    width = 1
    while True:
        smooth = np.convolve(counts, np.ones(width) / width, mode="same")
        peak = int(np.argmax(smooth))
        half = smooth > smooth[peak] / 2
        left, right = np.flatnonzero(~half[:peak]), np.flatnonzero(~half[peak:])
        begin = int(left[-1]) + 1 if left.size else 0
        end = peak + int(right[0]) if right.size else counts.size
        found = end - begin
        # With few counts in the highest bin, half of it is noise: smooth until it is not.
        if smooth[peak] * width >= 50 or found <= width or width > counts.size // 8:
            return peak, max(found, 1)
        width += max(width // 2, 1)


def _background(counts: Vector, before: Vector, peak: int, width: int) -> float:
    far = _LATEST_FWHM * width
    first, last = max(peak - far, 0), min(peak + far + 1, counts.size)
    outside = counts.size - (last - first)
    if outside > _OUTER_SHARE * counts.size:
        return _outside(before, first, last) / outside
    first = max(peak - 2 * _LEADING_FWHM * width, 0)
    if first:
        return float(before[first]) / first
    return float(np.quantile(counts, 0.05))


def _outside(before: Vector, first: int, last: int) -> float:
    """Return the counts before ``first`` and from ``last`` on."""
    return float(before[first] + before[-1] - before[last])


def _edge(before: Vector, level: float, peak: int, step: int) -> int:
    """Return where the light ends on one side, some steps beyond where it is seen.

    ``before`` holds the counts in all bins before each, shape (bin + 1,).
    """
    at, size = peak, before.size - 1
    limit = _LEADING_FWHM if step < 0 else _LATEST_FWHM
    for number in range(limit):
        low, high = sorted((at, at + step))
        low, high = max(low, 0), min(high, size)
        dark = level * (high - low)
        if number and (
            high <= low or before[high] - before[low] - dark <= _SIGMAS * math.sqrt(max(dark, 1.0))
        ):
            break
        at += step
    # Of a tail of few counts each, the last ones count for much.
    return min(max(at + (2 * step if step < 0 else 6 * step), 0), size)
