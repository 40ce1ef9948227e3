"""Line shapes, and their exact share in the cells of an energy axis."""

import math

import numpy as np

from labctl_sim.world._linewidth import FWHM_PER_SD
from labctl_sim.world._special import erf
from labctl_sim.world._types import FloatArray


def lorentz_shares(
    energy_ev: FloatArray, centre_ev: float | FloatArray, fwhm_ev: float | FloatArray
) -> FloatArray:
    """Weights of a unit Lorentzian at the inner nodes of a falling energy axis.

    Each photon is split between its two neighbouring nodes in proportion to nearness, so that
    both its number and its mean energy are kept however coarse the axis is. The integral is
    closed: with F'' the density, w_i = dF(i-1, i) - dF(i, i+1), dF being difference quotients,
    F(u) = u/2 + [u atan(u/h) - (h/2) ln(1 + u^2/h^2)] / pi, h half the FWHM.

    Args:
        energy_ev: nodes, strictly falling along the last axis, shape (..., n).
        centre_ev: centre of the line; of several lines shape (line, 1).
        fwhm_ev: full width at half maximum, above 0; as the centre.

    Returns:
        Shape (..., n - 2), float64; the sum is 1 minus what lies beyond the axis.
    """
    half = 0.5 * fwhm_ev
    u = (energy_ev - centre_ev) / half
    second = half * (0.5 * u + (u * np.arctan(u) - 0.5 * np.log1p(u * u)) / math.pi)
    quotient = np.diff(second) / np.diff(energy_ev)
    return quotient[..., :-1] - quotient[..., 1:]


def urbach_density(
    energy_ev: FloatArray, centre_ev: float, fwhm_ev: float, urbach_ev: float
) -> FloatArray:
    """Gaussian line with an exponential red tail exp((E - E0) / E_U), unit area, per eV.

    The tail begins where the slopes of both agree, s^2 / E_U below the centre (Feld 2024, Fig. 2).
    """
    sd = fwhm_ev / FWHM_PER_SD
    join = -sd * sd / urbach_ev
    x = energy_ev - centre_ev
    height = math.exp(-0.5 * (join / sd) ** 2)
    tail = height * np.exp(np.minimum(x - join, 0.0) / urbach_ev)
    core = np.exp(-0.5 * (x / sd) ** 2)
    edge = float(erf(np.array(join / (sd * math.sqrt(2.0)))))
    area = sd * math.sqrt(math.pi / 2.0) * (1.0 - edge) + height * urbach_ev
    return np.where(x < join, tail, core) / area
