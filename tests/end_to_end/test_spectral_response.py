"""Spectral response by a lamp of known colour: agrees with the world, and reaches the spectra."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import labctl
from labctl.analysis import SpectralEfficiency
from labctl.errors import RefusedError
from labctl.measurements import CalibrateSpectralResponse, Spectrum
from labctl.results._source import stored_spectra
from small_setup import ROOT

SETUP = ROOT / "configs" / "setups" / "microscope.yaml"
ASKED: dict[str, Any] = {"grating": "300/mm", "center": "540 nm", "exposure": "50 ms"}


def true_transmission(lab: Any, wavelength_nm: NDArray[np.float64]) -> NDArray[np.float64]:
    optics = lab._connection.rig.world._camera.optics()
    return np.asarray(optics.transmission(wavelength_nm, None), dtype=np.float64)


def test_the_response_is_that_of_the_world_and_stored_with_spectra(tmp_path: Path) -> None:
    with labctl.station(SETUP, simulate=True, out=tmp_path) as lab:
        with lab.run("response") as run:
            lab.measure(CalibrateSpectralResponse(**ASKED))
            lab.measure(Spectrum(exposure="0.1 s", grating="300/mm", center="540 nm"))
        at_nm = np.array([500.0, 520.0, 560.0, 580.0])
        true = true_transmission(lab, np.array([540.0, *at_nm]))
    (spectrum,) = stored_spectra(run.data())
    found = spectrum.efficiency
    assert isinstance(found, SpectralEfficiency)
    ratio = found.relative(at_nm) / found.relative(np.array([540.0]))
    # Three standard errors over the distance, and 0.5 % for ends of the polynomial.
    allowed = 3.0 * found.error_per_nm * np.abs(at_nm - 540.0) + 0.005
    assert (np.abs(ratio / (true[1:] / true[0]) - 1.0) < allowed).all()
    assert found.error_per_nm < 5e-4


def test_a_lamp_of_unknown_colour_is_refused(tmp_path: Path) -> None:
    text = SETUP.read_text("utf-8").replace("../samples", (ROOT / "configs" / "samples").as_posix())
    begin = text.index("    white_temperature")
    setup = tmp_path / "setup.yaml"
    setup.write_text(text[:begin] + text[text.index("  tagger:", begin) :], "utf-8")
    with labctl.station(setup, simulate=True, out=tmp_path) as lab, lab.run("response"):
        with pytest.raises(RefusedError, match="colour of its white light is not known"):
            lab.measure(CalibrateSpectralResponse(**ASKED))
