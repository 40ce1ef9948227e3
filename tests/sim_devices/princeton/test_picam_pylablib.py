"""pylablib's PicamCamera, unmodified, as the independent client of the simulated library."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

picam: Any = importlib.import_module("pylablib.devices.PrincetonInstruments.picam")
load_lib: Any = importlib.import_module("pylablib.devices.utils.load_lib")


@pytest.fixture
def client(
    picam_bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Build a bench whose library pylablib loads; give a camera opened on it."""
    cameras: list[Any] = []

    def build(**truth: Any) -> tuple[Any, Any]:
        bench = picam_bench(**truth)

        def load(*_arguments: Any, **_options: Any) -> Any:
            return bench.library

        monkeypatch.setattr(load_lib, "load_lib", load)
        # pylablib loads a library once per process unless told otherwise.
        picam.libctl.initialized = False
        cameras.append(picam.PicamCamera())
        return cameras[-1], bench

    yield build
    for camera in cameras:
        camera.close()
    picam.libctl.shutdown()
    picam.libctl.initialized = False


def test_list_open_close_gives_all_memory_back(client: Callable[..., Any]) -> None:
    camera, bench = client()
    info = camera.get_device_info()
    assert info.serial_number == "0512160012"
    assert info.model == "ProEM: 1600xx(2)B eXcelon"
    assert info.interface == "Gigabit Ethernet"
    assert camera.get_detector_size() == (1600, 200)
    assert camera.get_pixel_size() == pytest.approx((16e-6, 16e-6))
    camera.close()
    memory = bench.library.memory
    assert memory.allocated > 100
    assert (memory.freed, memory.unknown, memory.outstanding) == (memory.allocated, 0, 0)
    assert picam.list_cameras()[0].serial_number == "0512160012"


def test_attributes(client: Callable[..., Any]) -> None:
    camera, bench = client()
    values = camera.get_all_attribute_values()
    assert values["ADC Quality"] == "Low Noise"
    assert values["Sensor Temperature Status"] == "Locked"
    assert values["Sensor Temperature Reading"] == -69.75
    assert values["ROIs"] == [(0, 1600, 1, 0, 200, 1)]
    assert camera.ca["Exposure Time"].can_set_online
    assert camera.ca["Time Stamps"].values[3] == "Exposure Started, Exposure Ended"
    assert camera.ca["Sensor Temperature Status"].labels["Locked"] == 2
    assert bench.library.memory.outstanding == 0


def test_dependent_limits_follow_the_quality(client: Callable[..., Any]) -> None:
    camera, _ = client()
    speed, gain = camera.ca["ADC Speed"], camera.ca["ADC EM Gain"]
    assert (speed.values, gain.max, gain.relevant) == ([0.1, 1.0, 5.0], 1, False)
    camera.cav["ADC Quality"] = "Electron Multiplied"
    speed.update_limits()
    gain.update_limits()
    assert (speed.values, gain.max) == ([5.0, 10.0], 1000)
    camera.cav["ADC EM Gain"] = 5000
    assert camera.cav["ADC EM Gain"] == 1000, "pylablib clips integers silently"


def test_exposure_truncation_loses_a_step_and_untruncated_values_do_not(
    client: Callable[..., Any],
) -> None:
    camera, _ = client()
    camera.set_exposure(5e-3)
    assert camera.get_exposure() == pytest.approx(4.999e-3), "the trap a driver has to avoid"
    for exposure_ms in (1.0, 5.0, 7.1, 20.0, 333.333, 1000.0):
        camera.set_attribute_value("Exposure Time", exposure_ms, truncate=False)
        assert camera.cav["Exposure Time"] == pytest.approx(exposure_ms, abs=1e-9)


def test_snap_and_grab(client: Callable[..., Any]) -> None:
    camera, bench = client()
    camera.set_attribute_value("Exposure Time", 2.0, truncate=False)
    image = camera.snap()
    assert (image.shape, image.dtype) == ((200, 1600), np.dtype("<u2"))
    assert image[17, 9] == 9
    frames = camera.grab(5)
    assert [int(frame[0, 0]) for frame in frames] == [100, 200, 300, 400, 500]
    assert bench.sensor.asked[-1]["exposure_s"] == pytest.approx(2e-3)
    assert not camera.acquisition_in_progress()


def test_roi_and_binning(client: Callable[..., Any]) -> None:
    camera, bench = client()
    assert camera.set_roi(100, 900, 40, 140, 2, 100) == (100, 900, 40, 140, 2, 100)
    image = camera.snap()
    assert image.shape == (1, 400)
    assert bench.sensor.asked[-1]["roi"] == (100, 800, 40, 100)
    assert bench.sensor.asked[-1]["binning"] == (2, 100)


def test_frame_time_is_exposure_plus_shifting_plus_digitising(client: Callable[..., Any]) -> None:
    camera, bench = client()
    camera.set_roi(0, 1600, 0, 200, 1, 200)
    camera.set_attribute_value("Exposure Time", 10.0, truncate=False)
    expected_s = 10e-3 + 200 * 5e-6 + 1640 / 1e6
    assert camera.get_frame_period() == pytest.approx(expected_s)
    camera.grab(3)
    starts = [asked["start_s"] for asked in bench.sensor.asked]
    assert np.diff(starts) == pytest.approx(expected_s)


def test_metadata(client: Callable[..., Any]) -> None:
    camera, _ = client()
    stride = camera.cav["Frame Stride"]
    camera.enable_metadata(True)
    assert camera.cav["Frame Stride"] == stride + 24
    camera.set_attribute_value("Exposure Time", 3.0, truncate=False)
    frames, infos = camera.grab(3, return_info=True)
    period_us = round(camera.get_frame_period() * 1e6)
    assert [info.framestamp for info in infos] == [1, 2, 3]
    assert [info.timestamp_start for info in infos] == [0, period_us, 2 * period_us]
    assert infos[0].timestamp_end == 3000
    assert [int(frame[5, 1]) for frame in frames] == [1, 101, 201]


def test_ring_overrun_shows_as_skipped(client: Callable[..., Any]) -> None:
    camera, bench = client()
    camera.set_attribute_value("Exposure Time", 1.0, truncate=False)
    camera.set_roi(0, 1600, 0, 200, 1, 200)
    camera.setup_acquisition(mode="sequence", nframes=6)
    camera.start_acquisition()
    bench.world.advance(20.5 * camera.get_frame_period())
    status = camera.get_frames_status()
    while camera.get_frames_status().acquired > status.acquired:
        status = camera.get_frames_status()
    assert (status.acquired, status.unread, status.skipped) == (20, 6, 14)
    frames = camera.read_multiple_images()
    assert [int(frame[0, 0]) for frame in frames] == [1400, 1500, 1600, 1700, 1800, 1900]
    camera.stop_acquisition()
    assert not camera.acquisition_in_progress()


def test_running_until_the_last_update_is_fetched(client: Callable[..., Any]) -> None:
    camera, bench = client()
    camera.start_acquisition(mode="snap", nframes=3)
    bench.world.advance(60.0)
    assert camera.acquisition_in_progress()
    assert camera.wait_for_frame(since="start", nframes=3)
    assert len(camera.read_multiple_images()) == 3
    assert not camera.acquisition_in_progress()


@pytest.mark.parametrize(
    ("way", "message", "leaked"),
    [("list", "failed to commit.*ADC Speed", 0), ("code28", "InvalidParameterValues", 1)],
)
def test_refused_commit(client: Callable[..., Any], way: str, message: str, leaked: int) -> None:
    camera, bench = client()
    camera.snap()
    bench.simulator.fault_refuse_commit(way=way, parameters=["ADC Speed"])
    with pytest.raises(picam.PicamError, match=message):
        camera.setup_acquisition()
    assert bench.library.memory.outstanding == leaked
    assert camera.is_acquisition_setup(), "pylablib believes that it is set up"
    bench.simulator.clear_faults()
    with pytest.raises(picam.PicamLibError, match="InvalidAcquisitionBuffer"):
        camera.start_acquisition()
    camera.clear_acquisition()
    assert camera.snap().shape == (200, 1600)


@pytest.mark.parametrize("way", ["list", "code28"])
def test_impossible_combination_is_refused_in_the_cameras_own_way(
    client: Callable[..., Any], way: str
) -> None:
    camera, _ = client(commit_refusal=way)
    camera.set_attribute_value("ADC Speed", 10.0, truncate=False)
    with pytest.raises(picam.PicamError, match="ADC Speed" if way == "list" else "28"):
        camera.setup_acquisition()
    camera.clear_acquisition()
    with pytest.raises(picam.PicamLibError, match="InvalidParameterValue"):
        camera.set_attribute_value("ADC Speed", 3.0, truncate=False)


def test_setting_while_acquiring_is_refused(client: Callable[..., Any]) -> None:
    camera, _ = client()
    camera.start_acquisition()
    with pytest.raises(picam.PicamLibError, match="AcquisitionInProgress") as caught:
        camera.cav["ADC Analog Gain"] = "High"
    assert caught.value.code == 20
    camera.stop_acquisition()


def test_lost_connection(client: Callable[..., Any]) -> None:
    camera, bench = client()
    camera.start_acquisition()
    bench.simulator.fault_lose_connection()
    with pytest.raises(picam.PicamLibError, match="DeviceDisconnected"):
        camera.get_exposure()
    bench.simulator.clear_faults()
    camera.stop_acquisition()


def test_no_camera_and_camera_elsewhere(client: Callable[..., Any]) -> None:
    camera, bench = client()
    camera.close()
    bench.simulator.fault_open_elsewhere()
    with pytest.raises(picam.PicamLibError, match="DeviceOpenElsewhere"):
        picam.PicamCamera()
    bench.simulator.fault_lose_connection()
    with pytest.raises(picam.PicamError, match="no cameras"):
        picam.PicamCamera()
    bench.simulator.clear_faults()
