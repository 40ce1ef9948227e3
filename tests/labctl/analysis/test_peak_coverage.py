"""Honesty of the fitted numbers: pulls and coverage over seeds.

Ten seeds in the normal run; ``LABCTL_COVERAGE_SEEDS=100`` checks the stated bounds.
"""

import os
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import InstrumentResponse, NoiseModel, fit_peak, voigt_fwhm

SEEDS = int(os.environ.get("LABCTL_COVERAGE_SEEDS", "10"))

CASES: dict[str, tuple[dict[str, float], dict[str, float]]] = {
    "4 K": ({}, {}),
    "4 K, weak": ({"electrons": 20_000.0}, {}),
    "40 K": ({"lorentz_mev": 1.7}, {}),
    "90 K": ({"lorentz_mev": 10.4}, {}),
    "no multiplication": ({}, {"em_gain": 1.0, "electrons_per_count": 1.0}),
    "1800/mm": ({}, {"nm_per_pixel": 0.0143, "response_fwhm_nm": 0.068, "pixels": 1600}),
}
QUANTITIES = ("energy", "Lorentzian width", "intrinsic width", "area")


def pulls(case: str, seeds: int, record: Any, light: Any, recorder: Any) -> NDArray[np.float64]:
    """Return (fit - truth) / error, shape (seed, quantity)."""
    shining, recording = light(**CASES[case][0]), recorder(**CASES[case][1])
    noise = NoiseModel(
        recording.electrons_per_count, recording.read_noise_counts, recording.bias_counts,
        recording.em_gain, recording.frames,
    )  # fmt: skip
    response = InstrumentResponse(recording.response_fwhm_nm, includes_pixel=False)
    wander_squared = (2.3548200450309493 * shining.wander_sd_mev) ** 2
    intrinsic_mev = voigt_fwhm(shining.lorentz_mev, wander_squared)
    found: list[list[float]] = []
    for seed in range(seeds):
        wavelength, counts = record(seed, shining, recording)
        fit = fit_peak(counts, wavelength, noise, response=response)
        assert fit.fwhm_intrinsic_mev is not None
        found.append(
            [
                fit.energy_ev.pull(shining.energy_ev),
                fit.lorentz_fwhm_mev.pull(shining.lorentz_mev),
                fit.fwhm_intrinsic_mev.pull(intrinsic_mev),
                fit.area_electrons.pull(shining.electrons),
            ]
        )
    return np.array(found)


@pytest.mark.parametrize("case", CASES)
def test_errors_are_honest(case: str, record: Any, light: Any, recorder: Any) -> None:
    found = pulls(case, SEEDS, record, light, recorder)
    mean, spread = found.mean(axis=0), found.std(axis=0)
    within_95 = (np.abs(found) < 1.96).mean(axis=0)
    within_68 = (np.abs(found) < 1.0).mean(axis=0)
    report = f"{QUANTITIES}: mean {mean.round(2)}, sd {spread.round(2)}, 95 % {within_95}"
    if SEEDS >= 100:
        assert np.all(np.abs(mean) < 0.4), report
        assert np.all((spread > 0.75) & (spread < 1.3)), report
        assert np.all(within_95 >= 0.88), report
        assert np.all((within_68 >= 0.54) & (within_68 <= 0.82)), report
    else:
        # Over ten normal numbers: the mean has sd 0.32, the spread 0.22.
        assert np.all(np.abs(mean) < 1.1), report
        assert np.all((spread > 0.35) & (spread < 1.8)), report
        assert np.all(within_95 >= 0.6), report
