"""Expected counts per pixel of lines on a background, with derivatives.

Lines live on the energy axis, pixels have a width in wavelength.  The counts of a line in
a pixel are ``A * integral V(E(lambda) - E0) hc / lambda^2 d lambda`` over the pixel: the
Jacobian is evaluated where the light is, and the area A is the same on both axes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from labctl.analysis._response import InstrumentResponse
from labctl.analysis._voigt import GAUSS_FWHM_PER_SD, voigt_with_derivatives
from labctl.optics import HC_EV_NM

__all__ = ["FIRST_SATELLITE", "Axis", "SpectrumModel", "make_axis"]

Vector = NDArray[np.float64]

_MEV = 1e3
# Nodes per standard deviation of the response's Gaussian: the profile is then smooth enough
# between nodes for the interpolation of `_kernel` to be good to 1e-4 of the maximum.
_NODES_PER_SD = 2.0
_MOST_NODES = 12
_GRID_PER_WIDTH = 400
_BOX_POINTS = 48
_STENCIL = np.arange(-2.0, 4.0)

FIRST_SATELLITE = 6
"""Parameters: position, Lorentz FWHM, squared Gauss FWHM, area, level, slope, then
offset and relative area of each satellite line."""


@dataclass(frozen=True, eq=False)
class Axis:
    """Where the light of each pixel comes from, and the response in energy.

    The light of a pixel is a weighted sum of the profile at nodes evenly spaced in pixels;
    the weights contain the pixel, the image of the slit and a sampled response.

    Attributes:
        reference_ev: Energies below are relative to this.
        energy_mev: Of the pixel centres, shape (pixel,).
        width_mev: Of the pixels, shape (pixel,).
        node_mev: Energies of the nodes, shape (node,).
        density: ``|d E / d pixel|`` at the nodes in meV, shape (node,).
        kernel: Weights of the nodes around the centre of a pixel, odd length, sum 1.
        per_pixel: Number of nodes per pixel.
        ramp: From -1 to 1 over the pixels, for the slope of the background, shape (pixel,).
        lorentz_mev: Lorentzian FWHM of the response.
        gauss_squared_mev2: Square of the FWHM of its Gaussian.
        mev_per_nm: At the reference.
    """

    reference_ev: float
    energy_mev: Vector
    width_mev: Vector
    node_mev: Vector
    density: Vector
    kernel: Vector
    per_pixel: int
    ramp: Vector
    lorentz_mev: float
    gauss_squared_mev2: float
    mev_per_nm: float

    @property
    def pixel_mev(self) -> float:
        """Mean width of a pixel in meV."""
        return float(self.width_mev.mean())

    def collect(self, profiles: Vector) -> Vector:
        """Return the light in each pixel of profiles per meV.

        Args:
            profiles: At the nodes, shape (..., node).

        Returns:
            Shape (..., pixel).
        """
        windows = sliding_window_view(profiles * self.density, self.kernel.size, axis=-1)
        return windows[..., :: self.per_pixel, :] @ self.kernel


def make_axis(
    wavelength_nm: Vector, reference_nm: float, response: InstrumentResponse | None
) -> Axis:
    """Build the axis of consecutive pixels.

    Args:
        wavelength_nm: At the pixel centres, shape (pixel,).
        reference_nm: Where the line is; the response is taken there.
        response: None fits the recorded line as it is.
    """
    used = response if response is not None else InstrumentResponse(0.0)
    step_nm = _step_nm(wavelength_nm, reference_nm)
    per_pixel = _per_pixel(used, abs(step_nm))
    kernel = _kernel(used, step_nm, per_pixel)
    reach = kernel.size // 2
    pixels = np.arange(wavelength_nm.size, dtype=np.float64)
    places = np.arange(-reach, per_pixel * (pixels.size - 1) + reach + 1) / per_pixel
    light_nm, slope_nm = _extended(places, wavelength_nm)
    reference_ev = HC_EV_NM / reference_nm
    scale = _MEV * HC_EV_NM / reference_nm**2
    return Axis(
        reference_ev=reference_ev,
        energy_mev=_MEV * (HC_EV_NM / wavelength_nm - reference_ev),
        width_mev=np.abs(np.gradient(wavelength_nm)) * _MEV * HC_EV_NM / wavelength_nm**2,
        node_mev=_MEV * (HC_EV_NM / light_nm - reference_ev),
        density=np.abs(slope_nm) * _MEV * HC_EV_NM / light_nm**2,
        kernel=kernel,
        per_pixel=per_pixel,
        ramp=np.linspace(-1.0, 1.0, pixels.size),
        lorentz_mev=used.lorentz_fwhm_nm * scale,
        gauss_squared_mev2=(used.gauss_fwhm_nm * scale) ** 2,
        mev_per_nm=scale,
    )


def _step_nm(wavelength_nm: Vector, reference_nm: float) -> float:
    """Return the signed change of wavelength per pixel at the reference."""
    place = int(np.argmin(np.abs(wavelength_nm - reference_nm)))
    return float(np.gradient(wavelength_nm)[place])


def _extended(places: Vector, wavelength_nm: Vector) -> tuple[Vector, Vector]:
    """Return wavelength and its slope at these pixel numbers, continued beyond the ends."""
    slope_nm = np.gradient(wavelength_nm)
    pixels = np.arange(wavelength_nm.size, dtype=np.float64)
    last = pixels[-1]
    light_nm = np.interp(places, pixels, wavelength_nm)
    light_nm += np.minimum(places, 0.0) * slope_nm[0]
    light_nm += np.maximum(places - last, 0.0) * slope_nm[-1]
    return light_nm, np.interp(places, pixels, slope_nm)


def _per_pixel(response: InstrumentResponse, pixel_nm: float) -> int:
    if response.includes_pixel and response.slit_nm == 0 and not response.sampled:
        return 1
    sd_nm = response.gauss_fwhm_nm / GAUSS_FWHM_PER_SD
    wanted = _NODES_PER_SD * pixel_nm / max(sd_nm, 1e-3 * pixel_nm)
    return int(np.clip(np.ceil(wanted), 2, _MOST_NODES))


def _kernel(response: InstrumentResponse, step_nm: float, per_pixel: int) -> Vector:
    """Return the weights of the nodes for pixel, slit and sampled response.

    Each point of their convolution is shared by the six nodes around it so that polynomials
    up to the fifth degree, hence all moments up to the fifth, come out exactly.
    """
    offsets = np.array(response.offsets_nm) / -step_nm
    slit = _box(response.slit_nm / abs(step_nm))
    pixel = _box(0.0 if response.includes_pixel else 1.0)
    points = (offsets[:, None, None] + slit[None, :, None] + pixel[None, None, :]) * per_pixel
    shares = np.array(response.weights)[:, None, None] / (slit.size * pixel.size)
    below = np.floor(points)
    weights = _lagrange((points - below).ravel()) * np.broadcast_to(shares, points.shape).ravel()
    nodes = below.ravel().astype(np.intp) + _STENCIL.astype(np.intp)[:, None]
    reach = int(np.abs(nodes[weights != 0]).max())
    inside = np.abs(nodes) <= reach
    kernel = np.zeros(2 * reach + 1)
    np.add.at(kernel, nodes[inside] + reach, weights[inside])
    return kernel


def _box(width: float) -> Vector:
    """Return points evenly spread over a box around 0."""
    if width == 0:
        return np.zeros(1)
    # Midpoints of equal parts miss the spread within a part; the factor restores the variance.
    middles = (np.arange(_BOX_POINTS) + 0.5) / _BOX_POINTS - 0.5
    return middles * width / np.sqrt(1 - 1 / _BOX_POINTS**2)


def _lagrange(fraction: Vector) -> Vector:
    """Return the weights of the six nodes around points, shape (6, point)."""
    weights = np.ones((_STENCIL.size, fraction.size))
    for k, node in enumerate(_STENCIL):
        for other in _STENCIL[_STENCIL != node]:
            weights[k] *= (fraction - other) / (node - other)
    return weights


@dataclass(frozen=True, eq=False)
class SpectrumModel:
    """Counts of one main line with satellites of the same shape, on a sloping background."""

    axis: Axis

    def evaluate(self, parameters: Vector) -> tuple[Vector, Vector]:
        """Return expected counts (pixel,) and derivatives (pixel, parameter)."""
        axis = self.axis
        centre, lorentz, gauss_squared, area = parameters[:4]
        total = gauss_squared + axis.gauss_squared_mev2
        columns = np.empty((axis.ramp.size, parameters.size))
        counts = parameters[4] + parameters[5] * axis.ramp
        columns[:, 4], columns[:, 5] = 1.0, axis.ramp
        satellites = parameters[FIRST_SATELLITE:].reshape(-1, 2)
        places = centre + np.append(0.0, satellites[:, 0])
        strength = area * np.append(1.0, satellites[:, 1])
        x = axis.node_mev - places[:, None]
        parts = np.stack(voigt_with_derivatives(x, lorentz + axis.lorentz_mev, total))
        value, by_x, by_lorentz, by_gauss = axis.collect(parts)
        columns[:, 0] = -strength @ by_x
        columns[:, 1] = strength @ by_lorentz
        columns[:, 2] = strength @ by_gauss
        columns[:, 3] = value[0] + satellites[:, 1] @ value[1:]
        columns[:, FIRST_SATELLITE::2] = -(strength[1:, None] * by_x[1:]).T
        columns[:, FIRST_SATELLITE + 1 :: 2] = area * value[1:].T
        counts = counts + strength @ value
        return counts, columns

    def observed_fwhm_mev(self, parameters: Vector) -> float:
        """Return the FWHM in meV of the main line as the instrument shows it.

        Pixel, slit and sampled response are in it; found by search on a fine grid.
        """
        axis = self.axis
        node_mev = axis.pixel_mev / axis.per_pixel
        lorentz = float(parameters[1]) + axis.lorentz_mev
        total = float(parameters[2]) + axis.gauss_squared_mev2
        width = abs(lorentz) + float(np.sqrt(total)) + axis.kernel.size * node_mev
        finer = int(np.ceil(_GRID_PER_WIDTH * node_mev / width))
        reach = int(np.ceil(1.5 * width / node_mev)) * finer
        grid = np.arange(-reach, reach + 1, dtype=np.float64) * (node_mev / finer)
        spread = np.zeros((axis.kernel.size - 1) * finer + 1)
        spread[::finer] = axis.kernel[::-1]
        profile = np.convolve(voigt_with_derivatives(grid, lorentz, total).value, spread, "same")
        return _width_at_half(grid, profile)


def _width_at_half(grid: Vector, profile: Vector) -> float:
    top = int(np.argmax(profile))
    half = float(profile[top]) / 2
    left = float(np.interp(half, profile[: top + 1], grid[: top + 1]))
    right = float(np.interp(-half, -profile[top:], grid[top:]))
    return right - left
