from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from labctl.errors import StorageError
from labctl.storage import finalise, lint_product


@pytest.fixture
def product(finished: Path) -> Path:
    return finalise(finished).product


def no_units(file: Any) -> None:
    del file["entry/instrument/temperature_sensor/value"].attrs["units"]


def no_class(file: Any) -> None:
    del file["entry/sample"].attrs["NX_class"]


def default_astray(file: Any) -> None:
    file["entry"].attrs["default"] = "nowhere"


def no_default(file: Any) -> None:
    del file.attrs["default"]


def no_signal(file: Any) -> None:
    file["entry/spectra"].attrs["signal"] = "intensity"


def axis_missing(file: Any) -> None:
    file["entry/spectra"].attrs["axes"] = ["point", "frequency"]


def axis_too_long(file: Any) -> None:
    file["entry/spectra"].attrs["axes"] = ["wavelength", "wavelength"]


def too_few_axes(file: Any) -> None:
    file["entry/spectra"].attrs["axes"] = ["point"]


def no_target(file: Any) -> None:
    del file["entry/spectra/counts"].attrs["target"]


def wrong_target(file: Any) -> None:
    file["entry/spectra/counts"].attrs["target"] = "/entry/title"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (no_units, "/entry/instrument/temperature_sensor/value: numbers without units"),
        (no_class, "/entry/sample: no NX_class"),
        (default_astray, "/entry: the default 'nowhere' leads nowhere"),
        (no_default, "/: the default None leads nowhere"),
        (no_signal, "/entry/spectra: the signal 'intensity' is missing"),
        (axis_missing, "/entry/spectra: axis 'frequency' is missing or not of length 8"),
        (axis_too_long, "/entry/spectra: axis 'wavelength' is missing or not of length 3"),
        (too_few_axes, "/entry/spectra: 1 axes for 2 dimensions of the signal"),
        (
            no_target,
            "/entry/instrument/detector_camera/raw_data/raw: has other names "
            "(/entry/spectra/counts) but no target",
        ),
        (
            wrong_target,
            "/entry/instrument/detector_camera/raw_data/raw: "
            "its target '/entry/title' is another object or missing",
        ),
    ],
)
def test_each_planted_fault_is_found_and_nothing_else(
    damage: Callable[[Any], None], words: str, product: Path
) -> None:
    assert lint_product(product) == []
    with h5py.File(product, "r+") as file:
        damage(file)
    assert lint_product(product) == [words]


def test_what_is_no_hdf5_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.nxs").write_bytes(b"text")
    with pytest.raises(StorageError, match="cannot be read as HDF5"):
        lint_product(tmp_path / "a.nxs")
