"""Noise of a camera spectrum: what variance belongs to an expected number of counts.

Photon transfer: a pixel that collects a mean of n electrons, multiplied by the EM gain g and
divided by K electrons per count, has the signal ``s = g n / K`` counts and the variance
``F^2 g / K * s`` plus that of the read-out.  F^2 is the excess noise factor of the
multiplication register (M. S. Robbins and B. J. Hadwen, IEEE Trans. Electron Devices 50,
1227 (2003)).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["NoiseModel", "PhotonTransfer", "excess_noise_factor", "photon_transfer"]

Vector = NDArray[np.float64]

_QUANTISATION_VARIANCE = 1.0 / 12.0
_CLIP_SIGMAS = 5.5
_TAIL_ROOT = 4.0
"""Root of the logarithm of a probability of e^-16."""
_TAIL_READ_SIGMAS = 5.0
_SLOPE_ROUNDS = 8


def excess_noise_factor(em_gain: float, stages: int = 536) -> float:
    """Return F^2 of an EM register: 1 at gain 1, near 2 at high gain.

    Robbins and Hadwen (2003), ``2 (g - 1) g^(-(N + 1) / N) + 1 / g`` for N stages.
    """
    if em_gain <= 1:
        return 1.0
    return 2 * (em_gain - 1) * em_gain ** (-(stages + 1) / stages) + 1 / em_gain


@dataclass(frozen=True)
class NoiseModel:
    """Noise of one spectrum that may be a sum of frames.

    Attributes:
        electrons_per_count: K, electrons at the output of the register per count.
        read_noise_counts: Standard deviation of one read-out, in counts.
        bias_counts: Mean of one dark read-out, in counts.
        em_gain: Gain g of the register; 1 without multiplication.
        frames: Number of frames summed.
        rows: Number of separately read rows summed in each frame.
        excess: F^2; None takes `excess_noise_factor` of the gain.
        full_scale_counts: Largest count of one read-out; at or above it is saturated.
        gain_error_rel: Relative standard error of K; it moves areas in electrons together.
        assumed: The values are guesses; errors then come from the scatter of the residuals.
    """

    electrons_per_count: float
    read_noise_counts: float
    bias_counts: float = 0.0
    em_gain: float = 1.0
    frames: int = 1
    rows: int = 1
    excess: float | None = None
    full_scale_counts: float = 65535.0
    gain_error_rel: float = 0.0
    assumed: bool = False

    def __post_init__(self) -> None:
        """Refuse values that are not possible.

        Raises:
            AnalysisError: Names the field.
        """
        for name in ("electrons_per_count", "em_gain", "frames", "rows", "full_scale_counts"):
            if not getattr(self, name) > 0:
                msg = f"noise model: {name} must be positive, not {getattr(self, name)}"
                raise AnalysisError(msg)
        if not self.read_noise_counts >= 0:
            msg = f"noise model: read_noise_counts must not be {self.read_noise_counts}"
            raise AnalysisError(msg)

    @property
    def readouts(self) -> int:
        """Number of read-outs summed in each pixel."""
        return self.frames * self.rows

    @property
    def bias_sum_counts(self) -> float:
        """Bias of the summed spectrum in counts."""
        return self.bias_counts * self.readouts

    @property
    def floor_variance(self) -> float:
        """Variance without light, in counts^2."""
        return self.readouts * (self.read_noise_counts**2 + _QUANTISATION_VARIANCE)

    @property
    def counts_per_electron(self) -> float:
        """Mean counts per photo-electron, g / K."""
        return self.em_gain / self.electrons_per_count

    @property
    def variance_per_count(self) -> float:
        """Variance added by each count of signal, F^2 g / K."""
        excess = self.excess if self.excess is not None else excess_noise_factor(self.em_gain)
        return excess * self.counts_per_electron

    def variance(self, expected_counts: Vector) -> Vector:
        """Return the variance in counts^2 of pixels with these expected summed counts.

        Args:
            expected_counts: Including the bias; of the model, not the recorded values,
                because a weight that follows the noise biases the fit.
        """
        signal = np.maximum(expected_counts - self.bias_sum_counts, 0.0)
        return self.floor_variance + self.variance_per_count * signal

    def highest(self, expected_counts: Vector) -> Vector:
        """Return the counts above which an EM register brings light with less than e^-16.

        Poisson electrons of mean m leave the register as a sum of exponential variables of one
        gain each.  Chernoff's bound of its upper tail, exp(-(sqrt(x) - sqrt(m))^2), gives the
        highest x; the long tail makes it far more than a number of standard deviations where m
        is small.  Five standard deviations of the read-out are added.

        Args:
            expected_counts: Including the bias, as for `variance`.
        """
        signal = np.maximum(expected_counts - self.bias_sum_counts, 0.0)
        root = np.sqrt(signal / self.counts_per_electron) + _TAIL_ROOT
        read = _TAIL_READ_SIGMAS * self.floor_variance**0.5
        return self.bias_sum_counts + self.counts_per_electron * root**2 + read

    def saturated(self, counts: Vector) -> NDArray[np.bool_]:
        """Return which pixels of a summed spectrum must have been saturated.

        From a sum only a mean near full scale can be seen; frames tell more, see
        `combine_frames`.
        """
        return counts >= 0.98 * self.full_scale_counts * self.readouts


@dataclass(frozen=True)
class PhotonTransfer:
    """Result of `photon_transfer`.

    Attributes:
        electrons_per_count: For EM gain 1; at gain g the slope gives K / (F^2 g).
        read_noise_counts: Standard deviation of one read-out.
        bias_counts: Mean of one dark read-out.
    """

    electrons_per_count: Measured
    read_noise_counts: Measured
    bias_counts: Measured


def photon_transfer(light: Vector, dark: Vector) -> PhotonTransfer:
    """Determine gain and read noise from repeated frames of a constant, uneven light.

    Frames of equal light differ only by noise; the variance over the frames grows with the
    mean by one count^2 per ``K`` counts.  Differences of successive frames are used, so
    that slow drift of the lamp drops out; pixels with a variance that noise cannot have
    were hit by a cosmic ray and are left out.

    Args:
        light: Frames, shape (frame, pixel), counts; pixels of different brightness.
        dark: Frames without light, shape (frame, pixel), counts.

    Raises:
        AnalysisError: Fewer than two frames of each, or no spread of brightness.
    """
    if min(light.shape[0], dark.shape[0]) < 2 or light.ndim != 2 or dark.ndim != 2:
        msg = "photon transfer needs at least two light and two dark frames of one row each"
        raise AnalysisError(msg)
    bias, read_variance, read_variance_error = _dark_level(dark)
    mean = light.mean(axis=0) - bias.value
    variance = _pair_variance(light) - read_variance
    slope, error = _slope_through_zero(mean, variance, light.shape[0], read_variance)
    if not slope > 3 * error:
        msg = "photon transfer: the variance does not grow with the light"
        raise AnalysisError(msg)
    noise = float(np.sqrt(read_variance))
    return PhotonTransfer(
        Measured(1 / slope, error / slope**2),
        Measured(noise, read_variance_error / (2 * noise)),
        bias,
    )


def _pair_variance(frames: Vector) -> Vector:
    """Return the variance of each pixel from differences of successive frames."""
    return np.mean(np.diff(frames, axis=0) ** 2, axis=0) / 2


def _freedom(frames: int) -> float:
    """Return the degrees of freedom of `_pair_variance`; neighbouring differences share one."""
    return (frames - 1) ** 2 / (1.5 * (frames - 1) - 0.5)


def _possible(ratio: Vector, frames: int) -> NDArray[np.bool_]:
    """Return which variances, over their expectation, lie below a 5.5 sigma limit.

    E. B. Wilson and M. M. Hilferty, Proc. Natl. Acad. Sci. 17, 684 (1931).
    """
    width = 2 / (9 * _freedom(frames))
    return ratio < (1 - width + _CLIP_SIGMAS * np.sqrt(width)) ** 3


def _dark_level(dark: Vector) -> tuple[Measured, float, float]:
    each = _pair_variance(dark)
    good = _possible(each / max(float(np.median(each)), 1e-12), dark.shape[0])
    variance, kept = float(each[good].mean()), dark[:, good]
    bias = Measured(float(kept.mean()), float(np.sqrt(variance / kept.size)))
    freedom = _freedom(dark.shape[0]) * kept.shape[1]
    return bias, variance, variance * float(np.sqrt(2 / freedom))


def _slope_through_zero(
    mean: Vector, variance: Vector, frames: int, read_variance: float
) -> tuple[float, float]:
    """Fit ``variance = slope * mean`` with the variance of the variance from the model."""
    lit = mean > np.sqrt(read_variance)
    if not np.any(lit):
        return 0.0, np.inf
    mean, variance = mean[lit], variance[lit]
    slope = max(float(np.median(variance / mean)), 1e-12)
    error = np.inf
    for _ in range(_SLOPE_ROUNDS):
        expected = read_variance + slope * mean
        weight = np.where(_possible((variance + read_variance) / expected, frames), 1.0, 0.0)
        weight *= _freedom(frames) / (2 * expected**2)
        norm = float(np.sum(weight * mean**2))
        slope = max(float(np.sum(weight * variance * mean)) / norm, 1e-12)
        error = norm**-0.5
    return slope, error
