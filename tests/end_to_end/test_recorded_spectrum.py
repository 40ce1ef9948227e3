"""Whole runs in which a recorded spectrum shines in the place of the dot."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.optics import read_spe
from labctl.storage import read_run
from small_setup import Bench

Floats = NDArray[np.float64]

RECORDED = Path(__file__).parents[3] / "shared" / "realdata" / "proem_sp2500_150g.spe"
LINES_NM = (571.4, 588.2, 609.7)
RATE_HZ = 3e4
SD_NM = 0.3
EXPOSURE_S = 2.0
RECIPE = """
name: recorded light
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - calibrate: {kind: wavelength, lamp: neon, grating: 300/mm, center: 600 nm, exposure: 0.5 s}
  - spectrum: {grating: 300/mm, center: 600 nm, exposure: 2 s, background: 4, analog_gain: 3}
"""
ELECTRONS_PER_COUNT = 0.98 * 0.1**0.01
"""Truth of the camera at high analog gain and 0.1 MHz."""


def measured(bench: Bench, keys: str) -> tuple[Floats, Floats]:
    """Run the recipe; return wavelengths and electrons per second of each column."""
    setup = bench.setup()
    setup.write_text(f"{setup.read_text('utf-8')}\nsimulate: {{spectrum: {{{keys}}}}}\n", "utf-8")
    report = bench.run(bench.request(setup=setup, recipe=bench.recipe(RECIPE)))
    assert report.outcome.status == "complete", report.outcome.reason
    spectrum = read_run(report.journal).data["spectrum"]
    wavelength_nm = np.asarray(spectrum["wavelength"].values, dtype=np.float64).reshape(-1)
    counts = spectrum["counts"].values.reshape(-1).astype(np.float64)
    counts -= spectrum["background"].values.reshape(-1)
    return wavelength_nm, counts * ELECTRONS_PER_COUNT / EXPOSURE_S


def test_lines_come_back_where_they_were_recorded(bench: Bench) -> None:
    axis_nm = np.linspace(540.0, 640.0, 1001)
    shape = sum(np.exp(-0.5 * ((axis_nm - line_nm) / SD_NM) ** 2) for line_nm in LINES_NM)
    rate = RATE_HZ * shape * (axis_nm[1] - axis_nm[0]) / (SD_NM * np.sqrt(2 * np.pi))
    lines = [f"{nm:.4f},{value:.6f}" for nm, value in zip(axis_nm, rate, strict=True)]
    text = "\n".join(["wavelength_nm,electrons_per_s", *lines])
    (bench.folder / "lines.csv").write_text(text, "utf-8")
    wavelength_nm, found = measured(bench, "file: lines.csv")
    for line_nm in LINES_NM:
        near = np.abs(wavelength_nm - line_nm) < 5 * SD_NM
        centre_nm = np.average(wavelength_nm[near], weights=found[near])
        # 60 000 electrons place a line to 0.3 nm / 245 and read noise adds as much; the axis was
        # calibrated in this run. Uncalibrated it would be off by 0.4 nm.
        assert centre_nm == pytest.approx(line_nm, abs=0.02)
        noise_hz = np.sqrt(RATE_HZ * EXPOSURE_S + near.sum() * 3.1**2 * 1.25) / EXPOSURE_S
        assert found[near].sum() == pytest.approx(RATE_HZ, abs=4 * noise_hz)


@pytest.mark.skipif(not RECORDED.exists(), reason="the real recordings are not on this computer")
def test_a_real_recording_comes_back(bench: Bench) -> None:
    region = read_spe(RECORDED).regions[0]
    assert region.wavelength_nm is not None
    frames = np.asarray(region.frames, dtype=np.float64)
    recorded_hz: Floats = frames.reshape(-1, frames.shape[-1]).sum(axis=0) / 3.0
    wavelength_nm, found_hz = measured(bench, f"file: {RECORDED.as_posix()}")
    total_hz = float(recorded_hz.sum())
    noise_hz = math.sqrt(total_hz * EXPOSURE_S + 1600 * 3.1**2 * 1.25) / EXPOSURE_S
    assert found_hz.sum() == pytest.approx(total_hz, abs=4 * noise_hz)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        # The place that a share of the light lies below: standard error by binomial counting.
        there_nm = below_nm(region.wavelength_nm, recorded_hz, share)
        per_nm = float(np.interp(there_nm, region.wavelength_nm, recorded_hz)) / 0.211
        error_nm = math.sqrt(share * (1 - share) * total_hz / EXPOSURE_S) / per_nm
        found_nm = below_nm(wavelength_nm, found_hz, share)
        assert found_nm == pytest.approx(there_nm, abs=4 * error_nm + 0.02)


def below_nm(wavelength_nm: Floats, light: Floats, share: float) -> float:
    """Return the wavelength below which a share of the light lies."""
    middle = np.cumsum(light) - 0.5 * light
    wanted = share * float(light.sum())
    return float(np.interp(wanted, middle, wavelength_nm))
