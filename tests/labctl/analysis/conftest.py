"""Spectra made photon by photon, which share nothing with the formulas of the fit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Light:
    """What shines: a Lorentzian line that wanders as a Gaussian, satellites, background."""

    energy_ev: float = 2.334
    lorentz_mev: float = 0.43
    wander_sd_mev: float = 0.1
    electrons: float = 300_000.0
    satellites: tuple[tuple[float, float], ...] = ()
    background_electrons: float = 20.0


@dataclass(frozen=True)
class Recorder:
    """What records: response and pixels in nm of air, camera."""

    response_fwhm_nm: float = 0.228
    nm_per_pixel: float = 0.104
    pixels: int = 400
    centre_nm: float = 531.15
    em_gain: float = 10.0
    electrons_per_count: float = 12.0
    read_noise_counts: float = 6.0
    bias_counts: float = 500.0
    frames: int = 5


Record = Callable[[int, Light, Recorder], tuple[Vector, Vector]]


@pytest.fixture(scope="session")
def light() -> type[Light]:
    return Light


@pytest.fixture(scope="session")
def recorder() -> type[Recorder]:
    return Recorder


@pytest.fixture(scope="session")
def record() -> Record:
    """Return a function: seed, light and recorder in, wavelength (nm) and counts out."""
    return _record


def _record(seed: int, light: Light, recorder: Recorder) -> tuple[Vector, Vector]:
    generator = np.random.default_rng(seed)
    index = np.arange(recorder.pixels) - recorder.pixels / 2
    wavelength = recorder.centre_nm + index * recorder.nm_per_pixel + 1e-6 * index**2
    half = np.diff(wavelength) / 2
    first, last = wavelength[0] - half[0], wavelength[-1] + half[-1]
    edges = np.concatenate(([first], wavelength[:-1] + half, [last]))
    electrons = generator.poisson(light.background_electrons, recorder.pixels).astype(float)
    for offset_mev, ratio in ((0.0, 1.0), *light.satellites):
        photons = generator.poisson(light.electrons * ratio)
        shift = light.lorentz_mev / 2 * np.tan(np.pi * (generator.random(photons) - 0.5))
        shift += light.wander_sd_mev * generator.standard_normal(photons) + offset_mev
        energy = light.energy_ev + 1e-3 * shift
        air = 1239.8419843320026 / (_air_index(light.energy_ev) * energy[energy > 0.5])
        air += recorder.response_fwhm_nm / 2.3548200450309493 * generator.standard_normal(air.size)
        electrons += np.histogram(air, edges)[0]
    return wavelength, _read_out(electrons, recorder, generator)


def _air_index(energy_ev: float) -> float:
    """Another formula than the package uses: Peck and Reeder, J. Opt. Soc. Am. 62, 958 (1972)."""
    square = (1e3 * energy_ev / 1239.8419843320026) ** 2
    return 1 + 1e-8 * (8060.51 + 2480990 / (132.274 - square) + 17455.7 / (39.32957 - square))


def _read_out(electrons: Vector, recorder: Recorder, generator: np.random.Generator) -> Vector:
    multiplied = electrons
    if recorder.em_gain > 1:
        multiplied = generator.gamma(np.maximum(electrons, 1e-9), recorder.em_gain)
    noise = recorder.read_noise_counts * np.sqrt(recorder.frames)
    counts = multiplied / recorder.electrons_per_count + recorder.bias_counts * recorder.frames
    return np.rint(counts + noise * generator.standard_normal(electrons.size))
