"""The efficiency from a lamp of known colour, and what it does for the red tail of a band."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import NoiseModel, SpectralEfficiency, fit_warm_band, measure_efficiency
from labctl.optics import ev_to_nm, vacuum_nm

Vector = NDArray[np.float64]
NM = np.linspace(460.0, 620.0, 1600)
TEMPERATURE_K = 2862.0


def true_efficiency(nm: Vector) -> Vector:
    """A blaze with its top at 500 nm."""
    return np.sinc(0.9 * (nm - 500.0) / nm) ** 2


def lamp(seed: int, peak: float = 2e5) -> Vector:
    light = NM**-4.0 / np.expm1(1.438776877e7 / (NM * TEMPERATURE_K))
    light *= true_efficiency(NM)
    expected: Vector = peak * light / light.max()
    return np.asarray(np.random.default_rng(seed).poisson(expected), dtype=np.float64)


@pytest.mark.parametrize("seed", range(10))
def test_the_efficiency_comes_out_within_its_error(seed: int) -> None:
    """Four standard errors, from the middle to either end; the certificate is 12 K off."""
    counts = lamp(seed)
    found = measure_efficiency(counts, np.maximum(counts, 1.0), NM, 2850.0, 25.0)
    assert found.error_per_nm < 3e-4
    at_nm = np.array([480.0, 520.0, 560.0, 600.0])
    true = true_efficiency(at_nm) / true_efficiency(np.array([found.center_nm]))
    off = np.abs(np.log(found.relative(at_nm) / true))
    assert (off < 4.0 * found.error_per_nm * np.abs(at_nm - found.center_nm) + 2e-3).all()


def test_a_record_is_read_as_it_was_written() -> None:
    counts = lamp(0)
    found = measure_efficiency(counts, np.maximum(counts, 1.0), NM, 2850.0, 25.0)
    assert SpectralEfficiency.from_record(found.to_record()) == found
    assert found.holds(550.0)
    assert not found.holds(700.0)
    assert found.relative(np.array([found.center_nm]))[0] == pytest.approx(1.0)


def band(seed: int, gain: Vector) -> Vector:
    """A band of 75 meV at 2.36 eV with a tail of 14 meV, on a background of 100 counts."""
    energy_mev = 1e3 * ev_to_nm(vacuum_nm(NM))
    away, sd, slope = energy_mev - 2360.0, 75.0 / 2.3548, 14.0
    # The tail goes on where the slope of the Gaussian is that of the tail.
    join = -(sd**2) / slope
    top = np.exp(-0.5 * (away / sd) ** 2)
    tail = np.exp(-0.5 * (join / sd) ** 2 + (away - join) / slope)
    density = np.where(away > join, top, tail) * np.abs(np.gradient(energy_mev))
    light = 3e5 * density / density.max() * gain + 100.0
    return np.asarray(np.random.default_rng(seed).poisson(light), dtype=np.float64)


def test_a_steep_efficiency_is_taken_out_of_the_tail() -> None:
    gain = np.exp(-0.012 * (NM - 525.0))
    noise = NoiseModel(1.0, 1.0, 0.0, full_scale_counts=1e7)
    pulls, bare_mev, mended_mev = list[float](), list[float](), list[float]()
    for seed in range(10):
        counts = band(seed, gain)
        bare = fit_warm_band(counts, NM, noise).urbach_mev
        mended = fit_warm_band(
            counts, NM, noise, efficiency=gain, efficiency_error_per_nm=1e-4
        ).urbach_mev
        assert bare is not None
        assert mended is not None
        assert mended.error < bare.error
        pulls.append((mended.value - 14.0) / mended.error)
        bare_mev.append(bare.value)
        mended_mev.append(mended.value)
    # 1.2 % per nm are 0.27 % per meV, of 1 / 14 meV: the tail looks steeper by 0.5 meV.
    assert 14.0 - np.mean(bare_mev) > 0.3
    assert abs(np.mean(mended_mev) - 14.0) < 0.15
    # Four standard errors each.
    assert abs(np.mean(pulls)) < 4.0 / np.sqrt(10.0)
    assert max(np.abs(pulls)) < 4.0
