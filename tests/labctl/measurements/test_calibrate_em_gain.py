"""The true gain of the register, its noise and the dark rate against those of the world."""

import json
from pathlib import Path
from typing import Any

import pytest

import labctl
from labctl.measurements import CalibrateDetector, CalibrateEmGain, Spectrum
from labctl.results import StoredSpectrum
from labctl.results._source import stored_spectra
from labctl.storage import read_run
from small_setup import ROOT

SETUP = ROOT / "configs" / "setups" / "microscope.yaml"
SEEDS = range(5)
LAMP: dict[str, Any] = {"grating": "300/mm", "center": "600 nm", "exposure": "0.5 s", "frames": 20}
pytestmark = pytest.mark.timeout(180)


def calibrate(folder: Path, seed: int) -> tuple[dict[str, Any], Any, list[StoredSpectrum]]:
    """Return the calibration, the true camera, and a spectrum behind the register."""
    with labctl.station(SETUP, simulate=True, out=folder, seed=seed) as lab:
        with lab.run("gain"):
            lab.measure(CalibrateDetector(**LAMP, port="electron_multiplied"))
            lab.measure(CalibrateEmGain(**LAMP, em_gain=100))
            behind = Spectrum(exposure="50 ms", em_gain=50, port="electron_multiplied")
            lab.measure(behind)
        hidden: Any = lab
        truth = hidden._connection.rig.world._camera.truth
    (file,) = folder.rglob("calibrations/microscope/em_gain.json")
    (result,) = json.loads(file.read_text("utf-8"))["results"].values()
    (run,) = folder.rglob("*.nxs")
    return result, truth, stored_spectra(read_run(run))


@pytest.mark.parametrize("seed", SEEDS)
def test_gain_noise_and_dark_rate_agree_with_the_world(tmp_path: Path, seed: int) -> None:
    """Within three standard errors; the gain is set wrong by 6 %."""
    result, truth, spectra = calibrate(tmp_path, seed)
    assert abs(result["ratio"] - truth.em_gain_rel) < 3.0 * result["ratio_error"]
    assert result["ratio_error"] < 0.01
    # Exponential multiplication without memory has twice the variance.
    assert abs(result["excess"] - 2.0) < 3.0 * result["excess_error"]
    assert result["excess_error"] < 0.3
    dark, error = result["dark_electrons_s"], result["dark_error_electrons_s"]
    assert abs(dark - truth.dark_e_s) < 3.0 * error
    assert error < 0.1 * truth.dark_e_s
    assert result["bias_counts"] == pytest.approx(truth.bias_adu, abs=2.0)
    (spectrum,) = spectra
    assert spectrum.noise.em_gain == pytest.approx(truth.gain(50, "em"), rel=0.02)
