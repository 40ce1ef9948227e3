"""Expected counts per pixel of lines on a background, with derivatives.

Lines live on the energy axis, pixels have a width in wavelength.  The counts of a line in
a pixel are ``A * integral V(E(lambda) - E0) hc / lambda^2 d lambda`` over the pixel: the
Jacobian is evaluated where the light is, and the area A is the same on both axes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._response import InstrumentResponse
from labctl.analysis._voigt import GAUSS_FWHM_PER_SD, voigt_with_derivatives
from labctl.optics import HC_EV_NM, pixel_edges

__all__ = ["FIRST_SATELLITE", "Axis", "SpectrumModel", "make_axis"]

Vector = NDArray[np.float64]

_MEV = 1e3
# Gauss-Legendre on [-1/2, 1/2]: three nodes integrate a line as narrow as a pixel to 1e-3.
_NODES = np.array([-0.5, 0.0, 0.5]) * np.sqrt(0.6)
_NODE_WEIGHTS = np.array([5.0, 8.0, 5.0]) / 18.0

FIRST_SATELLITE = 6
"""Parameters: position, Lorentz FWHM, squared Gauss FWHM, area, level, slope, then
offset and relative area of each satellite line."""


@dataclass(frozen=True, eq=False)
class Axis:
    """Where the light of each pixel comes from, and the response in energy.

    Attributes:
        reference_ev: Energies below are relative to this.
        energy_mev: Of each quadrature node, shape (node, pixel).
        weight_mev: ``d E`` that the node stands for, shape (node, pixel).
        ramp: From -1 to 1 over the pixels, for the slope of the background, shape (pixel,).
        lorentz_mev: Lorentzian FWHM of the response.
        gauss_squared_mev2: Square of the Gaussian FWHM of the response.
        mev_per_nm: At the reference.
    """

    reference_ev: float
    energy_mev: Vector
    weight_mev: Vector
    ramp: Vector
    lorentz_mev: float
    gauss_squared_mev2: float
    mev_per_nm: float

    @property
    def pixel_mev(self) -> float:
        """Mean width of a pixel in meV."""
        return float(np.abs(self.weight_mev.sum(axis=0)).mean())


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
    width = np.abs(np.diff(pixel_edges(wavelength_nm)))
    nodes, weights = (np.zeros(1), np.ones(1)) if used.includes_pixel else (_NODES, _NODE_WEIGHTS)
    offsets, shares = np.array(used.offsets_nm), np.array(used.weights)
    shift = nodes[:, None, None] * width - offsets[None, :, None]
    light_nm = (wavelength_nm + shift).reshape(-1, width.size)
    share = (weights[:, None] * shares[None, :]).reshape(-1, 1)
    reference_ev = HC_EV_NM / reference_nm
    scale = _MEV * HC_EV_NM / reference_nm**2
    return Axis(
        reference_ev=reference_ev,
        energy_mev=_MEV * (HC_EV_NM / light_nm - reference_ev),
        weight_mev=share * width * _MEV * HC_EV_NM / light_nm**2,
        ramp=np.linspace(-1.0, 1.0, width.size),
        lorentz_mev=used.lorentz_fwhm_nm * scale,
        gauss_squared_mev2=(used.gauss_fwhm_nm * scale) ** 2,
        mev_per_nm=scale,
    )


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
        columns[:, :4] = 0.0
        columns[:, 4], columns[:, 5] = 1.0, axis.ramp
        lines = [(0.0, 1.0), *parameters[FIRST_SATELLITE:].reshape(-1, 2)]
        for k, (offset, ratio) in enumerate(lines):
            x = axis.energy_mev - (centre + offset)
            parts = voigt_with_derivatives(x, lorentz + axis.lorentz_mev, total)
            value, by_x, by_lorentz, by_gauss = (
                np.einsum("ij,ij->j", part, axis.weight_mev) for part in parts
            )
            strength = area * ratio
            counts = counts + strength * value
            columns[:, 0] -= strength * by_x
            columns[:, 1] += strength * by_lorentz
            columns[:, 2] += strength * by_gauss
            columns[:, 3] += ratio * value
            if k:
                place = FIRST_SATELLITE + 2 * (k - 1)
                columns[:, place] = -strength * by_x
                columns[:, place + 1] = area * value
        return counts, columns

    def observed_fwhm_mev(self, parameters: Vector) -> float:
        """Return the FWHM in meV of the main line as the instrument shows it.

        Includes the width of the pixel and a sampled response, by search on a fine grid.
        """
        axis = self.axis
        middle = axis.energy_mev.shape[1] // 2
        share = axis.weight_mev[:, middle] / axis.weight_mev[:, middle].sum()
        shift = axis.energy_mev[:, middle] - float(share @ axis.energy_mev[:, middle])
        lorentz = float(parameters[1]) + axis.lorentz_mev
        total = float(parameters[2]) + axis.gauss_squared_mev2
        spread = GAUSS_FWHM_PER_SD**2 * float(share @ shift**2)
        reach = 2.5 * (abs(lorentz) + float(np.sqrt(total + spread)))
        grid = np.arange(-2000.0, 2001.0) * (reach / 2000)
        profile = np.zeros_like(grid)
        for place, weight in zip(shift.tolist(), share.tolist(), strict=True):
            profile += weight * voigt_with_derivatives(grid + place, lorentz, total).value
        return _width_at_half(grid, profile)


def _width_at_half(grid: Vector, profile: Vector) -> float:
    top = int(np.argmax(profile))
    half = float(profile[top]) / 2
    left = float(np.interp(half, profile[: top + 1], grid[: top + 1]))
    right = float(np.interp(-half, -profile[top:], grid[top:]))
    return right - left
