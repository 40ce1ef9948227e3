"""The NeXus community's own tools judge our products, in an environment of their own."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from labctl.storage import ArrayItem, JournalWriter, RecordKind, finalise

HERE = Path(__file__).parent
Judge = Callable[[str, Path], Any]


@pytest.fixture(scope="session")
def judge(request: pytest.FixtureRequest) -> Judge:
    """Returns a function that runs one of the scripts beside this file and returns its answer.

    The interpreter is the one that LABCTL_NEXUS_PYTHON names, or else the project's own second
    environment (requirements.txt beside this file).
    """
    named = os.environ.get("LABCTL_NEXUS_PYTHON")
    python = Path(named) if named else Path(request.getfixturevalue("nexus_python"))

    def ask(script: str, path: Path) -> Any:
        command = [str(python), str(HERE / f"{script}.py"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    return ask


@pytest.fixture(scope="session")
def series(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product of the golden temperature series."""
    folder = tmp_path_factory.mktemp("series")
    return finalise(Path(shutil.copy(root / "tests" / "golden" / "complete.lcj", folder))).product


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has everything else: decays, two scans, moving axes, thermometers, a stage."""
    path = tmp_path_factory.mktemp("mixed") / "mixed.lcj"
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    with JournalWriter(path, now=lambda: 5.0, utc=lambda: noon) as journal:
        setup = {
            "name": "bench",
            "laser": {"wavelength": "405 nm", "spot_1e2_diameter": "2.4 um", "rep_rate": "10 MHz"},
            "instruments": {"tagger": {"driver": "picoquant.picoharp"}},
        }
        start = {"uid": "u", "name": "n", "title": "t", "setup": setup, "sample": {}, "user": "a"}
        journal.append(RecordKind.START, start)
        for index in range(6):
            journal.append(RecordKind.POINT, _point(index), _arrays(index))
            reading = {"quantity": "cryostat.stage1_temperature", "value": 40.0, "units": "K"}
            journal.append(RecordKind.MONITOR, reading)
        journal.append(RecordKind.STOP, {"status": "aborted", "reason": "by hand"})
    return finalise(path).product


@pytest.fixture(scope="session")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that ended before its first point."""
    path = tmp_path_factory.mktemp("nothing") / "nothing.lcj"
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    with JournalWriter(path, now=lambda: 5.0, utc=lambda: noon) as journal:
        journal.append(RecordKind.START, {"uid": "u", "name": "n"})
    return finalise(path).product


def _point(index: int) -> dict[str, Any]:
    temperature_k, fluence = 4.0 + index // 3, 1.0 + index % 3
    return {
        "index": index,
        "measurement": ("spectrum", "trpl", "odd")[index % 3],
        "label": "",
        "set": {
            "cryostat.temperature": {"value": temperature_k, "units": "K"},
            "attenuator.fluence": {"value": fluence, "units": "uJ/cm^2"},
            "stage.x": {"value": 1.5 * index, "units": "um"},
            "wheel.slot": {"value": "ND 1", "units": ""},
        },
        "read": {
            "cryostat.temperature": {"value": temperature_k, "std": 0.01, "units": "K"},
            "cryostat.stage1_temperature": {"value": 40.0, "units": "K"},
            "stage.x": {"value": 1.4 * index, "units": "um"},
        },
        "settings": {
            "camera": {"em_gain": 100, "exposure_s": 1.0},
            "spectrograph": {"wavelength_nm": 531.0 + index, "lines_per_mm": 300.0},
        },
        "live_time_s": 1.0,
    }


def _arrays(index: int) -> list[ArrayItem]:
    if index % 3 == 2:
        return [ArrayItem("power", np.array(1e-6), "W", ())]
    if index % 3 == 1:
        histogram = np.arange(10, dtype=np.uint32).reshape(2, 5)
        return [
            ArrayItem("counts", histogram, "counts", ("channel", "bin")),
            ArrayItem("delay", np.arange(5) + 0.5, "ns", ("bin",)),
            ArrayItem("edges", np.arange(6.0), "ns", ("edge",)),
        ]
    return [
        ArrayItem("counts", np.arange(8, dtype=np.uint32), "counts", ("x",)),
        ArrayItem("wavelength", 530.0 + index + np.arange(8) / 8, "nm", ("x",)),
    ]


@pytest.mark.parametrize("name", ["series", "mixed", "nothing"])
def test_pynxtools_accepts_every_product(
    name: str, judge: Judge, request: pytest.FixtureRequest
) -> None:
    assert judge("validate_product", request.getfixturevalue(name)) is True


def test_pynxtools_refuses_a_damaged_product(judge: Judge, series: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copy(series, tmp_path))
    with h5py.File(damaged, "r+") as file:
        detector: Any = file["entry/instrument/detector_camera"]
        detector["detector_channel_type"][()] = "manifold"
    assert judge("validate_product", damaged) is False


def test_silx_finds_the_default_plot(judge: Judge, series: Path) -> None:
    assert judge("silx_default", series) == {
        "group": "/entry/spectra",
        "valid": True,
        "signal": "counts",
        "shape": [3, 16],
        "axes": ["cryostat_temperature", "wavelength"],
        "units": ["K", "nm"],
    }


def test_nexusformat_finds_the_default_plot(judge: Judge, series: Path) -> None:
    assert judge("nexusformat_default", series) == {
        "group": "/entry/spectra",
        "signal": "counts",
        "shape": [3, 16],
        "axes": ["cryostat_temperature", "wavelength"],
    }


@pytest.mark.parametrize("script", ["silx_default", "nexusformat_default"])
def test_an_axis_that_moves_is_a_number_of_pixels(script: str, judge: Judge, mixed: Path) -> None:
    found = judge(script, mixed)
    assert (found["signal"], found["shape"]) == ("counts", [2, 8])
    assert found["axes"][1] == "x"


def test_xarray_alone_sees_named_coordinates_with_units(judge: Judge, series: Path) -> None:
    found = judge("xarray_plain", series)
    assert found["dims"] == ["point", "wavelength"]
    assert {"cryostat_temperature", "cryostat_temperature_set", "energy", "wavelength"} <= set(
        found["coords"]
    )
    assert found["units"]["cryostat_temperature"] == "K"
    assert found["units"]["energy"] == "eV"
    assert [name for name, unit in found["units"].items() if unit is None] == ["title"]
