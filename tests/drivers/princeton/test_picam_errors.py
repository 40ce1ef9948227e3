"""Translation of failures, limits in words, and names in snapshots."""

from types import SimpleNamespace
from typing import Any

import pytest

from labctl.errors import ConnectionLostError, DeviceError, DeviceRefusedError
from labctl_drivers.princeton._picam_errors import device_error
from labctl_drivers.princeton._picam_limits import objection
from labctl_drivers.princeton._picam_snapshot import snapshot_of


class LibraryError(RuntimeError):
    def __init__(self, code: int, name: str) -> None:
        self.func, self.code, self.name = "Picam_Do", code, name
        super().__init__(f"function 'Picam_Do' raised error {code}({name})")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2, DeviceRefusedError),
        (15, ConnectionLostError),
        (20, DeviceRefusedError),
        (23, ConnectionLostError),
        (24, DeviceError),
        (28, DeviceRefusedError),
        (99, DeviceError),
    ],
)
def test_codes(code: int, kind: type[DeviceError]) -> None:
    error = device_error("camera", "start", LibraryError(code, "SomeName"))
    assert type(error) is kind
    assert (error.device, error.command, error.reply) == (
        "camera",
        "Picam_Do",
        f"SomeName ({code})",
    )
    assert error.remedy or code == 99


def test_refused_commit_of_pylablib() -> None:
    failure = RuntimeError("failed to commit following parameters: ['ADC Speed', 'ROIs']")
    error = device_error("camera", "start", failure)
    assert isinstance(error, DeviceRefusedError)
    assert error.reply == "refused 'ADC Speed', 'ROIs'"
    assert error.command == "Picam_CommitParameters"


@pytest.mark.parametrize(
    "failure", [TypeError("invalid type"), RuntimeError("expected address 1"), ZeroDivisionError()]
)
def test_slips_inside_pylablib(failure: Exception) -> None:
    error = device_error("camera", "start", failure)
    assert error.command == "start"
    assert error.reply
    assert "configure again" in error.remedy


def attribute(**values: Any) -> Any:
    return SimpleNamespace(**{"cons_type": "None", "cons_roi": None, **values})


@pytest.mark.parametrize(
    ("value", "allowed"),
    [(1, ""), (1000, ""), (0, "1 to 1000"), (1001, "1 to 1000"), (float("nan"), "1 to 1000")],
)
def test_range(value: float, allowed: str) -> None:
    assert objection(attribute(cons_type="Range", min=1, max=1000, inc=1), value) == allowed


def test_collection_compares_numbers_and_names_words() -> None:
    quality = attribute(cons_type="Collection", ivalues=[1, 3], values=["Low Noise", "EM"])
    assert objection(quality, 3) == ""
    assert objection(quality, 2) == "one of Low Noise, EM"
    assert objection(attribute(), 12345) == ""


@pytest.mark.parametrize(
    ("region", "allowed"),
    [
        ((0, 1600, 1, 0, 200, 200), ""),
        ((0, 1601, 1, 0, 200, 1), "at least 1 and at most 1600 pixels in x"),
        ((1, 1600, 1, 0, 200, 1), "at least 1 and at most 1600 pixels in x"),
        ((0, 1600, 1, -1, 10, 1), "at least 1 and at most 200 pixels in y"),
        ((0, 1600, 1, 0, 0, 1), "at least 1 and at most 200 pixels in y"),
        ((0, 1600, 3, 0, 200, 1), "a size in x that is a multiple of its binning 3"),
        ((0, 1600, 1, 0, 200, 8), "y binning 1, 2, 200"),
    ],
)
def test_regions(region: tuple[int, int, int, int, int, int], allowed: str) -> None:
    rules = SimpleNamespace(
        flags=3, wrng=(1, 1600, 1), xbins=None, hrng=(1, 200, 1), ybins=[1, 2, 200]
    )
    assert objection(attribute(cons_type="ROIs", cons_roi=rules), region) == allowed


def test_snapshot_names() -> None:
    values = {
        "Exposure Time": 5.0,
        "ADC EM Gain": 1,
        "ROIs": [(0, 2, 1, 0, 2, 1)],
        "Odd/Name": True,
    }
    assert snapshot_of(values) == {
        "exposure_time_ms": 5.0,
        "adc_em_gain": 1,
        "rois": [[0, 2, 1, 0, 2, 1]],
        "odd_name": True,
    }
