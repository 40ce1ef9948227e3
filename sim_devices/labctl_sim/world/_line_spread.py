"""What the spectrograph does to a sharp line: slit image, aberration, pixel.

The line spread is the entrance slit's rectangular image, convolved with a Gaussian (aberration
and whatever else is slow on this scale), collected by square pixels.
"""

import math
from functools import lru_cache

import numpy as np

from labctl_sim.world._special import normal_cdf
from labctl_sim.world._types import FloatArray


def sharp_line(pixels: FloatArray, centre_px: float, slit_px: float, sd_px: float) -> FloatArray:
    """Share of a monochromatic line in each pixel, closed form; sum 1 over all pixels.

    With G the normal distribution, I(x) = x G(x/s) + s^2 g(x) its integral, the share is the
    second difference of I over slit and pixel width, divided by the slit width.
    """
    slit_px = max(slit_px, 1e-3)
    x = pixels - centre_px
    outer = _ramp(x + 0.5 * (slit_px + 1.0), sd_px) + _ramp(x - 0.5 * (slit_px + 1.0), sd_px)
    inner = _ramp(x + 0.5 * (slit_px - 1.0), sd_px) + _ramp(x - 0.5 * (slit_px - 1.0), sd_px)
    return (outer - inner) / slit_px


def _ramp(x: FloatArray, sd: float) -> FloatArray:
    z = x / sd
    return x * normal_cdf(z) + sd / math.sqrt(2.0 * math.pi) * np.exp(-0.5 * z * z)


@lru_cache(maxsize=32)
def transfer(nodes: int, per_pixel: int, slit_px: float, sd_px: float) -> FloatArray:
    """Fourier transform of the line spread on an axis of ``nodes`` at 1/``per_pixel`` pixels.

    Divided by the transform of the triangle with which `lorentz_shares` puts light on the
    nodes, so that the axis leaves no width of its own. Shape (nodes // 2 + 1,), float64.
    """
    cycles_px = np.fft.rfftfreq(nodes, d=1.0 / per_pixel)
    gaussian = np.exp(-2.0 * (math.pi * sd_px * cycles_px) ** 2)
    boxes = np.sinc(cycles_px) * np.sinc(cycles_px * slit_px)
    return gaussian * boxes / np.sinc(cycles_px / per_pixel) ** 2


def blur(shares: FloatArray, per_pixel: int, slit_px: float, sd_px: float) -> FloatArray:
    """Light per pixel, centred on each node, from light on the nodes of a fine axis.

    The axis is taken as periodic: the caller pads it by more than half the slit image. The sum
    over every ``per_pixel``-th node equals the sum over ``shares``.
    """
    spectrum = np.fft.rfft(shares) * transfer(len(shares), per_pixel, slit_px, sd_px)
    return np.maximum(np.fft.irfft(spectrum, len(shares)) * per_pixel, 0.0)


def observed_fwhm_px(
    lorentz_fwhm_px: float, gauss_sd_px: float, slit_px: float, pixel_px: float = 1.0
) -> float:
    """Full width at half maximum of a Lorentzian seen through the line spread, pixels.

    From the characteristic function exp(-pi w f - 2 (pi s f)^2) sinc(f slit) sinc(f pixel), so
    that it holds for any mixture of the three shapes.
    """
    scale = math.hypot(lorentz_fwhm_px, 2.4 * gauss_sd_px, slit_px, pixel_px)
    cycles = np.linspace(0.0, 12.0 / scale, 6001)
    decay = math.pi * lorentz_fwhm_px * cycles + 2.0 * (math.pi * gauss_sd_px * cycles) ** 2
    shape = np.exp(-decay) * np.sinc(cycles * slit_px) * np.sinc(cycles * pixel_px)
    height = float(np.trapezoid(shape))
    inside, outside = 0.0, scale
    for _ in range(40):
        middle = 0.5 * (inside + outside)
        above = float(np.trapezoid(shape * np.cos(2.0 * math.pi * cycles * middle)))
        inside, outside = (middle, outside) if above > 0.5 * height else (inside, middle)
    return inside + outside
