"""What the errors of the wavelength axis do to energies and to distances between lines."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.rendered import SpectrumBench
from labctl.optics import ev_to_air_nm
from labctl.results import StoredSpectrum
from labctl.results._points import axis_error_ev, distance_error_mev

AXIS_NM = np.linspace(520.0, 540.0, 1600)


@pytest.fixture(scope="module")
def spectrum() -> StoredSpectrum:
    bench = SpectrumBench(0, {})
    return replace(bench.stored(np.ones((1, 1600)), bench.calibrate(), 0), wavelength_nm=AXIS_NM)


def test_a_shift_counts_for_energies_only(spectrum: StoredSpectrum) -> None:
    shifted = replace(spectrum, axis_modes_nm=np.full((1, 1600), 0.01))
    # hc / lambda^2 = 4.409 meV per nm at 530.3 nm.
    assert 1e3 * axis_error_ev(shifted, 2.338) == pytest.approx(0.0441, rel=1e-3)
    assert distance_error_mev(shifted, 2.338, 14.0) == pytest.approx(0.0, abs=1e-12)


def test_a_stretch_counts_for_distances(spectrum: StoredSpectrum) -> None:
    line_nm = ev_to_air_nm(2.338)
    stretched = replace(spectrum, axis_modes_nm=1e-3 * (AXIS_NM - line_nm)[None, :])
    assert 1e3 * axis_error_ev(stretched, 2.338) < 1e-4
    # Measured in nm at the upper line, 14 meV are 0.6 % more.
    assert distance_error_mev(stretched, 2.338, 14.0) == pytest.approx(0.014, rel=0.01)
    mirrored = replace(
        stretched,
        wavelength_nm=AXIS_NM[::-1].copy(),
        axis_modes_nm=stretched.axis_modes_nm[:, ::-1].copy(),
    )
    assert distance_error_mev(mirrored, 2.338, 14.0) == pytest.approx(
        distance_error_mev(stretched, 2.338, 14.0)
    )


def test_independent_errors_add_in_squares(spectrum: StoredSpectrum) -> None:
    line_nm = ev_to_air_nm(2.338)
    stretch = AXIS_NM - line_nm
    both = replace(spectrum, axis_modes_nm=np.stack([3e-4 * stretch, 4e-4 * stretch]))
    alone = replace(spectrum, axis_modes_nm=5e-4 * stretch[None, :])
    assert distance_error_mev(both, 2.338, 14.0) == pytest.approx(
        distance_error_mev(alone, 2.338, 14.0)
    )
