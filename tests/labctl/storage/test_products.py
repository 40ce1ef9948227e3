import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from labctl.errors import StorageError
from labctl.storage import (
    ArrayItem,
    RunFolder,
    RunStatus,
    finalise,
    finalise_in_child,
    read_run,
    recover,
)
from labctl.storage._products import report_from_json, report_to_json

Begin = Callable[..., Any]


def test_a_child_makes_the_product_and_the_journal_stays(finished: Path, folder: Path) -> None:
    before = finished.read_bytes()
    report = finalise_in_child(finished)
    assert (report.product, report.status) == (folder / "run.nxs", RunStatus.COMPLETE)
    assert (report.points, report.made, report.remarks) == (3, True, ())
    assert sorted(path.name for path in folder.iterdir()) == ["run.lcj", "run.nxs"]
    assert finished.read_bytes() == before


def test_what_is_not_there_is_said_to_be_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nothing: there is no such folder"):
        recover(tmp_path / "nothing")


def test_doing_it_again_changes_nothing(finished: Path, folder: Path) -> None:
    finalise(finished)
    before = (folder / "run.nxs").stat()
    again = finalise(finished)
    after = (folder / "run.nxs").stat()
    assert (again.made, again.points, again.status) == (False, 3, RunStatus.COMPLETE)
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


def test_the_same_journal_makes_the_same_product(finished: Path, folder: Path) -> None:
    finalise(finished)
    first = (folder / "run.nxs").read_bytes()
    (folder / "run.nxs").unlink()
    finalise(finished)
    assert (folder / "run.nxs").read_bytes() == first


def test_a_run_that_is_going_on_is_left_alone(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
        run.point(0)
        with pytest.raises(StorageError, match="still being written"):
            finalise_in_child(folder / "run.lcj")
        with pytest.raises(StorageError, match="still being written"):
            recover(folder)
        assert not (folder / "run.nxs").exists()


def test_a_crashed_run_is_recovered_up_to_its_last_whole_record(
    finished: Path, folder: Path
) -> None:
    whole = finished.read_bytes()
    stop = whole.rindex(b'"kind":"stop"')
    event = whole.rindex(b'"kind":"event"')
    finished.write_bytes(whole[: event + 30])
    assert stop > event
    report = recover(folder)
    assert (report.status, report.points, report.made) == (RunStatus.RECOVERED, 3, True)
    assert report.tails["run.lcj"].state == "incomplete"
    assert "the last" in report.remarks[0]
    assert "were left out" in report.remarks[0]
    run = read_run(folder)
    assert (run.status, run.path.suffix) == (RunStatus.RECOVERED, ".nxs")
    assert run.data["spectrum"]["counts"].values[2, 0] == 2000
    again = recover(folder)
    assert (again.status, again.points, again.made) == (RunStatus.RECOVERED, 3, False)
    assert finished.read_bytes() == whole[: event + 30]


def test_a_run_that_went_on_after_its_recovery_gets_a_new_product(
    scribe: Begin, folder: Path
) -> None:
    with scribe() as run:
        run.start()
        run.point(0)
    assert finalise(folder / "run.lcj").status is RunStatus.RECOVERED
    with scribe("run.s1.lcj", segment=1, utc=run.utc) as run:
        run.point(1)
        assert read_run(folder).status is RunStatus.RUNNING
        run.stop()
    report = recover(folder)
    assert (report.status, report.points, report.made) == (RunStatus.COMPLETE, 2, True)
    assert set(report.tails) == {"run.lcj", "run.s1.lcj"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_finaliser_that_is_killed_leaves_the_journal_and_can_be_repeated(
    scribe: Begin, folder: Path
) -> None:
    frames = ArrayItem("frames", np.zeros((64, 256), dtype=np.uint16), "counts", ("y", "x"))
    with scribe() as run:
        run.start()
        for index in range(100):
            run.point(index, [frames])
        run.stop()
    before = (folder / "run.lcj").read_bytes()
    command = [sys.executable, "-m", "labctl.storage.finalise", str(folder / "run.lcj")]
    part = folder / "run.nxs.part"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        while child.poll() is None and not (part.exists() and part.stat().st_size > 0):
            os.sched_yield()
        child.kill()
        child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert not (folder / "run.nxs").exists()
    assert (folder / "run.lcj").read_bytes() == before
    assert read_run(folder).data["spectrum"].sizes["point"] == 100
    report = recover(folder)
    assert (report.status, report.points, report.made) == (RunStatus.COMPLETE, 100, True)
    assert sorted(path.name for path in folder.iterdir()) == ["run.lcj", "run.nxs"]


def test_a_part_or_a_broken_product_is_replaced(finished: Path, folder: Path) -> None:
    (folder / "run.nxs.part").write_bytes(b"half a product")
    (folder / "run.nxs").write_bytes(b"not even HDF5")
    assert finalise(finished).made
    assert read_run(folder).path == folder / "run.nxs"
    assert not (folder / "run.nxs.part").exists()


def test_a_product_that_fails_its_checks_gets_no_name(
    finished: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> list[str]:
        return ["no units"]

    monkeypatch.setattr("labctl.storage._products.lint_product", fail)
    with pytest.raises(StorageError, match="fails its checks and was kept: no units"):
        finalise(finished)
    assert not (folder / "run.nxs").exists()


def test_if_the_old_product_is_in_use_the_new_one_gets_a_number(
    finished: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "run.nxs").write_bytes(b"an old one that another program holds open")
    real = Path.replace

    def refuse(source: Path, target: Path) -> Path:
        if target.suffix == ".nxs":
            raise PermissionError(13, "in use")
        return real(source, target)

    monkeypatch.setattr(Path, "replace", refuse)
    report = finalise(finished)
    assert report.product == folder / "run.nxs.1"
    assert report.remarks == ("run.nxs is open in another program; wrote run.nxs.1 instead",)
    assert RunFolder(folder).product() == folder / "run.nxs.1"
    assert read_run(folder).path == folder / "run.nxs.1"
    assert not finalise(finished).made


def test_without_a_start_record_there_is_nothing_to_write(scribe: Begin, folder: Path) -> None:
    scribe().writer.close()
    with pytest.raises(StorageError, match="no start record"):
        finalise_in_child(folder / "run.lcj")


def test_a_run_without_points_has_a_product(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
        run.stop("failed", "cryostat: no reply")
    assert finalise(folder / "run.lcj").points == 0
    run = read_run(folder)
    assert (run.status, dict(run.data)) == (RunStatus.FAILED, {})
    assert run.points.sizes["point"] == 0


def test_what_a_child_says_reaches_the_parent(tmp_path: Path, finished: Path) -> None:
    with pytest.raises(StorageError, match="not a whole run"):
        finalise_in_child(tmp_path / "none.lcj")
    with pytest.raises(StorageError, match=r"took longer than 0\.001 s"):
        finalise_in_child(finished, timeout_s=0.001)
    module = [sys.executable, "-m", "labctl.storage.finalise"]
    usage = subprocess.run(module, capture_output=True, text=True, check=False)
    assert (usage.returncode, usage.stdout) == (2, "")
    report = finalise(finished)
    assert report_from_json(report_to_json(report)) == report


def test_recover_knows_a_product_whose_journal_was_taken_away(finished: Path, folder: Path) -> None:
    finalise(finished)
    finished.unlink()
    report = recover(folder)
    assert (report.status, report.points, report.made) == (RunStatus.COMPLETE, 3, False)
    assert read_run(folder).data["spectrum"].sizes["point"] == 3
    (folder / "run.nxs").unlink()
    with pytest.raises(StorageError, match="holds no journal and no product"):
        recover(folder)


def test_the_product_has_the_documented_places(finished: Path, folder: Path) -> None:
    path = finalise(finished).product
    places = (
        "entry/definition",
        "entry/spectra/counts",
        "entry/spectra/cryostat_temperature",
        "entry/spectra/cryostat_temperature_set",
        "entry/spectra/cryostat_temperature_std",
        "entry/spectra/energy",
        "entry/instrument/beam_excitation/incident_wavelength",
        "entry/instrument/detector_camera/count_time",
        "entry/instrument/temperature_sensor/value_std",
        "entry/instrument/temperature_sensor/value_log",
        "entry/instrument/temp_control_cryostat/pid_controller/setpoint",
        "entry/labctl/config/data",
        "entry/labctl/plan/data",
        "entry/labctl/snapshot_start/data",
        "entry/labctl/snapshot_end/data",
        "entry/labctl/environment/data",
        "entry/labctl/events/message",
        "entry/labctl/monitors/cryostat_temperature/value",
        "entry/labctl/point_index",
        "entry/labctl/point_time",
        "entry/labctl/quality",
        "entry/labctl/attempt",
        "entry/labctl/segment",
    )
    with h5py.File(path, "r") as file:
        assert [place for place in places if place not in file] == []


def test_points_are_single_compressed_checked_chunks(finished: Path) -> None:
    path = finalise(finished).product
    with h5py.File(path, "r") as file:
        counts: Any = file["entry/spectra/counts"]
        assert (counts.compression, counts.compression_opts) == ("gzip", 1)
        assert (counts.shuffle, counts.fletcher32) == (True, True)
        assert counts.attrs["target"] == "/entry/instrument/detector_camera/raw_data/raw"
        assert counts == file["entry/instrument/detector_camera/raw_data/raw"]
        assert [scale.values()[0].name.rsplit("/", 1)[1] for scale in counts.dims] == [
            "point",
            "wavelength",
        ]


@pytest.mark.parametrize(
    ("temperatures", "axis"),
    [
        ((4.0, 10.0, 20.0), "cryostat_temperature"),
        ((20.0, 10.0, 4.0), "cryostat_temperature"),
        ((10.0, 4.0, 20.0), "point"),
        ((4.0, 4.0, 4.0), "point"),
        ((4.0,), "cryostat_temperature"),
    ],
)
def test_the_scanned_quantity_is_the_axis_of_the_plot_if_it_orders_the_points(
    temperatures: tuple[float, ...], axis: str, scribe: Begin, folder: Path
) -> None:
    with scribe() as run:
        run.start()
        for index, kelvin in enumerate(temperatures):
            quantity = {"value": kelvin, "units": "K"}
            run.point(
                index,
                set={"cryostat.temperature": quantity},
                read={"cryostat.temperature": quantity},
            )
        run.stop()
    with h5py.File(finalise(folder / "run.lcj").product, "r") as file:
        assert list(file["entry/spectra"].attrs["axes"]) == [axis, "wavelength"]


def test_nested_scans_are_columns_beside_the_points(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
        for index in range(6):
            run.point(
                index,
                set={
                    "cryostat.temperature": {"value": 4.0 + index // 3, "units": "K"},
                    "attenuator.fluence": {"value": 1.0 + index % 3, "units": "uJ/cm^2"},
                },
                read={},
            )
        run.stop()
    path = finalise(folder / "run.lcj").product
    with h5py.File(path, "r") as file:
        data = file["entry/spectra"]
        assert list(data.attrs["axes"]) == ["point", "wavelength"]
        fluence: Any = file["entry/instrument/beam_excitation/fluence"]
        assert fluence[()].tolist() == [1, 2, 3, 1, 2, 3]
        assert fluence.attrs["units"] == "uJ/cm^2"
    spectra = read_run(folder).data["spectrum"]
    grid = spectra.set_index(point=["cryostat_temperature", "attenuator_fluence"])
    assert grid["counts"].unstack("point").sizes["attenuator_fluence"] == 3


def test_a_moved_folder_is_still_a_run(finished: Path, folder: Path, tmp_path: Path) -> None:
    finalise(finished)
    before = read_run(folder).data["spectrum"]
    moved = tmp_path / "elsewhere"
    shutil.move(folder, moved)
    assert read_run(moved).data["spectrum"].identical(before)
    assert recover(moved).made is False


def test_calibrations_are_not_what_is_plotted_first(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
        run.point(0, measurement="calibrate_wavelength", set={})
        run.point(1)
        run.point(2)
        run.stop()
    with h5py.File(finalise(folder / "run.lcj").product, "r") as file:
        assert file["entry"].attrs["default"] == "spectra"
        axes = list(file["entry/calibrate_wavelength"].attrs["axes"])
        assert axes == ["point", "wavelength"]
        assert list(file["entry/spectra"].attrs["axes"]) == ["cryostat_temperature", "wavelength"]


def test_lists_in_settings_are_columns_of_the_run_but_not_of_the_product(
    scribe: Begin, folder: Path
) -> None:
    with scribe() as run:
        run.start()
        run.point(0, settings={"calibration": {"residuals_nm": [0.25, 0.5], "order": 1}})
        run.stop()
    path = finalise(folder / "run.lcj").product
    points = read_run(folder).points
    assert points["calibration_residuals_nm_1"].values.tolist() == [0.5]
    assert points["calibration_residuals_nm_1"].attrs["units"] == "nm"
    with h5py.File(path, "r") as file:
        assert "entry/labctl/points/calibration_order" in file
        assert "entry/labctl/points/calibration_residuals_nm_1" not in file
