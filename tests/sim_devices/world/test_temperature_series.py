"""The series of Zhu 2024, Fig. 3, as the sensor sees it, without noise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, World
from labctl_sim.world._types import FloatArray

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"


@pytest.fixture
def dot_at(clock: Any) -> Callable[[float], World]:
    yaml: Any = YAML(typ="safe")
    sample = load_sample(yaml.load(SAMPLES / "cspbbr3_23nm.yaml"))

    def make(temperature_k: float) -> World:
        world = World(
            sample=sample,
            dot="A7",
            laser=LaserTruth(),
            now=clock.now,
            schedule=clock.schedule,
            seed=lambda *labels: 0,
            memory=False,
        )
        world.attach_cryostat({"start_temperature_k": temperature_k})
        world.table.laser_on = world.table.shutter_open = True
        return world

    return make


def peak(world: World) -> tuple[float, float, float]:
    """Energy in eV, FWHM in meV, and height of the line, by interpolation on a fine axis."""
    rate = world.electron_rate_per_pixel()
    mount = world.spectrograph.mount(16.0, 1600)
    assert mount is not None
    fine = np.linspace(0.0, 1599.0, 160_000)
    height = smooth(rate, fine)
    wide = fine[height > height.max() / 2]
    low, high = 1239.841984 / (1.0002779 * mount.wavelength_nm(wide[[0, -1]]))
    return (low + high) / 2, 1e3 * (low - high), float(rate.max())


def smooth(rate: FloatArray, at: FloatArray) -> FloatArray:
    """Band-limited interpolation: the line spread has no detail finer than a pixel."""
    spectrum = np.fft.rfft(rate)
    padded = np.zeros(800 * 16 + 1, dtype=np.complex128)
    padded[: len(spectrum)] = spectrum
    dense = np.fft.irfft(padded, 1600 * 16) * 16
    return np.interp(at, np.arange(1600 * 16) / 16, dense)


def test_width_goes_from_1_2_to_10_5_and_the_line_to_the_blue(
    dot_at: Callable[[float], World],
) -> None:
    temperatures = (4.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
    seen = [peak(dot_at(kelvin)) for kelvin in temperatures]
    energies, widths, heights = (list(column) for column in zip(*seen, strict=True))
    assert widths[0] == pytest.approx(1.2, abs=0.06)
    assert widths[-1] == pytest.approx(10.5, abs=0.15)
    assert widths == sorted(widths)
    assert energies == sorted(energies)
    assert 20.0 < 1e3 * (energies[-1] - energies[0]) < 28.0
    assert 10e3 < heights[0] < 30e3


@pytest.mark.parametrize("kelvin", [4.0, 40.0, 90.0])
def test_what_the_sensor_sees_is_what_the_truth_says(
    dot_at: Callable[[float], World], kelvin: float
) -> None:
    world = dot_at(kelvin)
    energy_ev, fwhm_mev, _ = peak(world)
    truth = world.truth()
    assert fwhm_mev == pytest.approx(truth["fwhm_observed_mev"], rel=0.01)
    assert 1e3 * energy_ev == pytest.approx(1e3 * truth["energy_ev"], abs=0.05)


@pytest.mark.parametrize(("kelvin", "fwhm_mev"), [(4.0, 0.43), (90.0, 10.4)])
def test_intrinsic_widths(dot_at: Callable[[float], World], kelvin: float, fwhm_mev: float) -> None:
    assert dot_at(kelvin).truth()["fwhm_intrinsic_mev"] == pytest.approx(fwhm_mev, abs=0.02)


def test_the_dot_shows_one_dominant_line(dot_at: Callable[[float], World]) -> None:
    lines = dot_at(4.0).truth()["bands"]
    light = [line["photons_per_pulse"] for line in lines]
    assert light[0] > 0.95 * sum(light)
