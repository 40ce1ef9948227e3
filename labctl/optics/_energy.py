"""Photon energy and wavelength, and the Jacobian between axes in nm and in eV.

``hc`` follows from the exact SI values of h, c and e (CODATA 2018).  A spectrograph stands
in air and is calibrated with lamp lines in air, so the wavelength axis of a spectrum is in
air: `vacuum_nm` leads from there to ``E = hc / wavelength`` (0.65 meV at 2.33 eV).
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HC_EV_NM",
    "air_nm_to_ev",
    "air_refractive_index",
    "density_per_ev",
    "density_per_nm",
    "ev_to_air_nm",
    "ev_to_nm",
    "nm_to_ev",
    "pixel_edges",
    "vacuum_nm",
    "width_nm_to_mev",
]

HC_EV_NM = 6.62607015e-34 * 299792458.0 / 1.602176634e-19 * 1e9
"""Planck constant times speed of light in eV nm."""

Number = TypeVar("Number", float, NDArray[np.float64])


def nm_to_ev(wavelength_nm: Number, refractive_index: float = 1.0) -> Number:
    """Return the photon energy in eV of a wavelength in nm.

    Args:
        wavelength_nm: Wavelength in nm, in the medium of ``refractive_index``.
        refractive_index: 1 for vacuum wavelengths; the axis of a spectrograph is in air, see
            `air_nm_to_ev`.
    """
    return HC_EV_NM / (wavelength_nm * refractive_index)


def ev_to_nm(energy_ev: Number, refractive_index: float = 1.0) -> Number:
    """Return the wavelength in nm, in a medium of this index, of a photon energy in eV."""
    return HC_EV_NM / (energy_ev * refractive_index)


def density_per_ev(density_per_nm: Number, wavelength_nm: Number) -> Number:
    """Turn a spectral density per nm into one per eV: multiply by ``|d lambda / dE|``.

    The factor is ``wavelength_nm**2 / hc``, so that areas on both axes are equal.
    """
    return density_per_nm * wavelength_nm**2 / HC_EV_NM


def density_per_nm(density_per_ev: Number, energy_ev: Number) -> Number:
    """Turn a spectral density per eV into one per nm: multiply by ``|dE / d lambda|``."""
    return density_per_ev * energy_ev**2 / HC_EV_NM


def width_nm_to_mev(width_nm: float, wavelength_nm: float) -> float:
    """Return the width in meV of a narrow interval of ``width_nm`` around a wavelength."""
    return 1e3 * HC_EV_NM * width_nm / wavelength_nm**2


def pixel_edges(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the n + 1 edges of n pixels from their centres, in the unit of the centres.

    Inner edges lie midway between the centres; the outer two continue the last spacing.

    Args:
        centres: Monotonic values at the pixel centres, shape (n,), n >= 2.

    Raises:
        ValueError: If there are fewer than two centres or they are not monotonic.
    """
    steps = np.diff(centres)
    if steps.size == 0 or not (np.all(steps > 0) or np.all(steps < 0)):
        msg = "pixel centres must be at least two and strictly monotonic"
        raise ValueError(msg)
    middle = centres[:-1] + steps / 2
    first, last = centres[0] - steps[0] / 2, centres[-1] + steps[-1] / 2
    return np.concatenate(([first], middle, [last]))


def air_refractive_index(vacuum_wavelength_nm: Number) -> Number:
    """Return the index of standard air (15 C, 101.325 kPa, 450 ppm CO2), 185 to 1700 nm.

    Source: P. E. Ciddor, Appl. Opt. 35, 1566 (1996), equation 1.
    """
    wavenumber_squared = (1e3 / vacuum_wavelength_nm) ** 2
    ultraviolet = 5792105.0 / (238.0185 - wavenumber_squared)
    infrared = 167917.0 / (57.362 - wavenumber_squared)
    return 1.0 + (ultraviolet + infrared) * 1e-8


def vacuum_nm(air_nm: Number) -> Number:
    """Return the vacuum wavelength in nm of a wavelength in standard air.

    The index is that of the vacuum wavelength; one iteration leaves less than 1e-9 nm.
    """
    return air_nm * air_refractive_index(air_nm * air_refractive_index(air_nm))


def air_nm_to_ev(air_nm: Number) -> Number:
    """Return the photon energy in eV of a wavelength in nm on the axis of a spectrograph."""
    return HC_EV_NM / vacuum_nm(air_nm)


def ev_to_air_nm(energy_ev: Number) -> Number:
    """Return the wavelength in nm, in standard air, of a photon energy in eV."""
    vacuum = HC_EV_NM / energy_ev
    return vacuum / air_refractive_index(vacuum)
