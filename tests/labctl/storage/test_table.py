"""Units of settings come from their names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from labctl.errors import StorageError
from labctl.storage import finalise, read_run
from labctl.storage._table import unit_of

Begin = Callable[..., Any]


@pytest.mark.parametrize(
    ("source", "units"),
    [
        ("camera.exposure_s", "s"),
        ("camera.em_gain", ""),
        ("camera.full_scale_counts", "counts"),
        ("camera.limits_k.0", "K"),
        ("calibration.detector.bias_counts.value", "counts"),
        ("calibration.detector.bias_counts.error", "counts"),
        ("calibration.detector.electrons_per_count.value", "electrons/count"),
        ("calibration.response.fwhm_error_nm", "nm"),
        ("calibration.response.reduced_chi2", ""),
        ("calibration.wavelength.centre_pixel", "pixel"),
        ("calibration.wavelength.lines_per_mm", "1/mm"),
        ("camera.frames", ""),
    ],
)
def testunit_of_a_setting(source: str, units: str) -> None:
    assert unit_of(source) == units


def test_the_product_names_the_instrument_and_not_its_driver(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start(snapshot={"camera": {"model": "ProEM:1600", "serial": "0512"}})
        run.point(0)
        run.stop()
    finalise(folder / "run.lcj")
    with h5py.File(folder / "run.nxs") as file:
        maker: Any = file["entry/instrument/detector_camera/device_information"]
        assert {name: maker[name].asstr()[()] for name in maker} == {
            "model": "ProEM:1600",
            "serial_number": "0512",
        }


def test_a_file_that_is_not_there_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no such file"):
        read_run(tmp_path / "none.nxs")
