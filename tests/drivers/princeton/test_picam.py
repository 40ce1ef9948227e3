"""PicamEmccd over pylablib over the simulated library, on virtual time."""

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import CameraSettings, Roi
from labctl.transport import LibraryLink
from labctl_drivers.princeton.picam import PicamEmccd, PicamSettings

SPECTRUM = Roi(0, 1600, 0, 200, 1, 200)
PLAIN = CameraSettings(exposure_s=0.01, roi=SPECTRUM, adc_mhz=1.0)
MULTIPLIED = replace(PLAIN, quality="electron_multiplied", adc_mhz=10.0)


# Connection


def test_connect_and_close(picam_bench: Callable[..., Any]) -> None:
    loading: Any = importlib.import_module("pylablib.devices.utils.load_lib")
    original = loading.load_lib
    bench = picam_bench()
    identity = bench.camera.connect()
    assert identity.maker == "Princeton Instruments"
    assert (identity.model, identity.serial) == ("ProEM: 1600xx(2)B eXcelon", "0512160012")
    assert "2.4.1" in identity.firmware
    assert loading.load_lib is original
    assert "Picam_OpenCamera" in bench.calls
    bench.camera.close()
    bench.camera.close()
    assert bench.library.memory.outstanding == 0
    with pytest.raises(NoReplyError, match="not connected"):
        bench.camera.read_sensor_temperature()
    bench.camera.connect()
    assert bench.camera.sensor_size() == (1600, 200)


def test_wrong_model_is_refused_and_nothing_stays_open(picam_bench: Callable[..., Any]) -> None:
    bench = picam_bench(PicamSettings(model="ProEM: 512B"))
    with pytest.raises(DeviceError, match="ProEM: 512B"):
        bench.camera.connect()
    assert bench.library.memory.outstanding == 0


def test_wrong_serial(picam_bench: Callable[..., Any]) -> None:
    bench = picam_bench(PicamSettings(serial="42"))
    with pytest.raises(DeviceError, match="serial number 42 isn't present"):
        bench.camera.connect()


def test_no_camera(picam_bench: Callable[..., Any]) -> None:
    bench = picam_bench()
    bench.simulator.fault_lose_connection()
    with pytest.raises(NoReplyError, match=r"no cameras.*check cable"):
        bench.camera.connect()


def test_camera_held_by_another_program(picam_bench: Callable[..., Any]) -> None:
    bench = picam_bench()
    bench.simulator.fault_open_elsewhere()
    with pytest.raises(DeviceError, match=r"DeviceOpenElsewhere.*close LightField"):
        bench.camera.connect()
    bench.simulator.clear_faults()
    bench.camera.connect()


@pytest.mark.usefixtures("picam")
def test_a_second_library_in_one_process_is_refused(picam_bench: Callable[..., Any]) -> None:
    with pytest.raises(RefusedError, match="second PICam library"):
        picam_bench().camera.connect()


@pytest.mark.usefixtures("picam_bench")
def test_missing_vendor_library() -> None:
    with pytest.raises(DeviceError, match="install the vendor's PICam software"):
        PicamEmccd("camera", LibraryLink(), PicamSettings(), {}).connect()


# Sensor


def test_sensor(picam: Any) -> None:
    camera = picam.camera
    assert (camera.pixel_pitch_um(), camera.full_scale_counts()) == (16.0, 65535)
    assert camera.read("sensor_temperature") == pytest.approx(-70.0, abs=0.2)
    assert camera.sensor_locked()
    camera.set_sensor_target_c(-55.0)
    assert not camera.sensor_locked()
    picam.clock.sleep(3600.0)
    assert camera.sensor_locked()
    assert camera.read_sensor_temperature() == pytest.approx(-55.0, abs=0.2)
    with pytest.raises(RefusedError, match="allowed: -80 to 25"):
        camera.set_sensor_target_c(-120.0)


def test_start_needs_a_locked_sensor(picam: Any) -> None:
    picam.simulator.fault_unlock_sensor()
    picam.camera.configure(PLAIN)
    with pytest.raises(RefusedError, match="not locked"):
        picam.camera.start(1)
    picam.camera.start(1, allow_unlocked=True)
    picam.simulator.fault_unlock_sensor(status="faulted")
    with pytest.raises(DeviceError, match="Faulted"):
        picam.camera.sensor_locked()


def test_snapshot_is_plain_and_names_units(picam: Any) -> None:
    snapshot = picam.camera.snapshot()
    assert json.loads(json.dumps(snapshot)) == snapshot
    identity = picam.camera.identity()
    assert (snapshot["model"], snapshot["serial"]) == (identity.model, identity.serial)
    assert snapshot["exposure_time_ms"] == 100.0
    assert snapshot["adc_quality"] == "Low Noise"
    assert snapshot["rois"] == [[0, 1600, 1, 0, 200, 1]]
    assert snapshot["sensor_temperature_set_point_c"] == -70.0


# Settings


def test_settings_are_read_back(picam: Any) -> None:
    assert picam.camera.configure(PLAIN) == PLAIN
    asked = replace(MULTIPLIED, roi=Roi(100, 800, 40, 100, 2, 50), analog_gain=3)
    assert picam.camera.configure(asked) == asked
    assert picam.simulator.call("committed", [0x1C0DE]) == [0, 1]


def test_no_exposure_loses_a_step(picam: Any) -> None:
    for exposure_ms in range(1, 1001):
        asked = replace(PLAIN, exposure_s=exposure_ms / 1000)
        assert picam.camera.configure(asked).exposure_s == asked.exposure_s


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exposure_s": -1.0}, "Exposure Time = -1000.*allowed: 0 to 1e\\+07"),
        ({"exposure_s": float("nan")}, "Exposure Time = nan"),
        ({"adc_mhz": 10.0}, "ADC Speed = 10.0.*one of 0.1, 1.0, 5.0"),
        ({"adc_mhz": 3.0}, "ADC Speed = 3.0"),
        ({"analog_gain": 4}, "ADC Analog Gain = 4.*one of Low, Medium, High"),
        ({"em_gain": 2}, "EM gain 2"),
        ({"quality": "best"}, "quality 'best'"),
        ({"quality": "high_capacity"}, "ADC Quality = 2"),
        ({"roi": Roi(0, 1600, 0, 200, 3, 1)}, "multiple of its binning 3"),
        ({"roi": Roi(0, 1600, 0, 200, 1, 0)}, "y binning from 1"),
    ],
)
def test_impossible_settings_are_refused_and_the_old_ones_stay(
    picam: Any, change: dict[str, Any], message: str
) -> None:
    picam.camera.configure(PLAIN)
    with pytest.raises(RefusedError, match=message):
        picam.camera.configure(replace(PLAIN, **change))
    assert picam.camera.configure(PLAIN) == PLAIN
    before = picam.camera.snapshot()
    with pytest.raises(RefusedError):
        picam.camera.configure(replace(MULTIPLIED, **{"exposure_s": 0.5, **change, "adc_mhz": 3.0}))
    assert picam.camera.snapshot() == before


def test_em_gain_never_survives_a_change_of_port(picam: Any) -> None:
    picam.camera.configure(MULTIPLIED)
    picam.camera.start(1)
    assert picam.wait_for(1)
    picam.camera.read_frames()
    assert picam.camera.configure(replace(MULTIPLIED, em_gain=50)).em_gain == 50
    assert picam.camera.read_em_gain() == 50
    picam.camera.configure(PLAIN)
    assert picam.camera.read_em_gain() == 1
    picam.camera.configure(MULTIPLIED)
    assert picam.camera.read_em_gain() == 1


def test_a_gain_that_was_left_behind_is_gone_after_connecting(picam: Any) -> None:
    picam.camera.configure(MULTIPLIED)
    picam.camera._link.overwrite("AdcEMGain", 300)
    picam.camera._link.commit()
    picam.camera.close()
    picam.camera.connect()
    assert picam.camera.gain_is_1()


def test_slowest_speed_of_a_port(picam: Any) -> None:
    before = picam.camera.snapshot()
    assert picam.camera.quietest_mhz("low_noise") == 0.1
    assert picam.camera.quietest_mhz("electron_multiplied") == 5.0
    assert picam.camera.snapshot() == before
    assert picam.simulator.call("committed", [0x1C0DE]) == [0, 1]
    with pytest.raises(RefusedError, match="no port 'high_speed'"):
        picam.camera.quietest_mhz("high_speed")


def test_em_gain_drops_for_the_safe_state(picam: Any) -> None:
    picam.camera.configure(MULTIPLIED)
    picam.camera.start(1)
    assert picam.wait_for(1)
    picam.camera.read_frames()
    picam.camera.configure(replace(MULTIPLIED, em_gain=100))
    picam.camera.start(100)
    picam.camera.make_safe("em_gain_1")
    picam.camera.make_safe("close")
    assert picam.camera.gain_is_1()
    assert not picam.camera.shutter_enabled()
    picam.camera.set_shutter(True)
    assert picam.camera.shutter_enabled()


# Refused commits (pyLabLib#119)


@pytest.mark.parametrize("way", ["list", "code28"])
def test_refused_commit_names_the_parameters(picam: Any, way: str) -> None:
    picam.camera.configure(PLAIN)
    picam.simulator.fault_refuse_commit(way=way, parameters=["ROIs", "ADC Speed"])
    for refused in (lambda: picam.camera.configure(PLAIN), lambda: picam.camera.start(1)):
        with pytest.raises(DeviceRefusedError, match="refused ROIs, ADC Speed") as caught:
            refused()
        assert caught.value.command == "Picam_CommitParameters"
        assert "exclude each other" in caught.value.remedy
    assert picam.library.memory.outstanding == 0
    picam.simulator.clear_faults()
    picam.camera.start(1)
    assert picam.wait_for(1)


@pytest.mark.parametrize("way", ["list", "code28"])
def test_refusal_inside_pylablib_leaves_the_camera_usable(picam: Any, way: str) -> None:
    picam.camera.configure(PLAIN)
    picam.camera.start(1)
    assert picam.wait_for(1)
    for skip in (1, 2):
        picam.simulator.fault_refuse_commit(way=way, parameters=["ROIs"], skip=skip)
        with pytest.raises(DeviceRefusedError):
            picam.camera.start(1)
        picam.simulator.clear_faults()
        picam.camera.start(1)
        assert picam.wait_for(1)


def test_a_refusal_without_names_is_explained_by_the_limits(picam: Any) -> None:
    link = picam.camera._link
    link.overwrite("AdcSpeed", 10.0)
    picam.simulator.fault_refuse_commit(way="code28", parameters=[])
    with pytest.raises(DeviceRefusedError, match=r"ADC Speed = 10.0 \(allowed: one of 0.1, 1.0"):
        link.commit()
    link.overwrite("AdcSpeed", 1.0)
    with pytest.raises(DeviceRefusedError, match="does not say what"):
        link.commit()


# Acquisition


def test_frames_come_in_their_time(picam: Any) -> None:
    camera, began_s = picam.camera, picam.clock.now()
    camera.configure(PLAIN)
    period_s = camera.frame_time_s()
    assert period_s == pytest.approx(0.01 + 200 * 5e-6 + 1640e-6)
    camera.start(5)
    assert (camera.frames_ready(), camera.acquiring()) == (0, True)
    assert picam.wait_for(5)
    assert picam.clock.now() - began_s == pytest.approx(5 * (period_s + 50e-6))
    frames = camera.read_frames()
    assert [(f.shape, f.dtype) for f in frames] == [((1, 1600), np.dtype(np.uint16))] * 5
    assert len({f.tobytes() for f in frames}) == 5
    assert (camera.frames_ready(), camera.acquiring(), camera.lost_frames()) == (0, False, 0)


def test_the_same_point_gives_the_same_frames_however_often_one_asks(picam: Any) -> None:
    def taken(polls: int) -> list[bytes]:
        picam.world.begin_point("p7")
        picam.camera.start(3)
        for _ in range(polls):
            picam.camera.frames_ready()
            picam.clock.sleep(1e-3)
        assert picam.wait_for(3)
        return [frame.tobytes() for frame in picam.camera.read_frames()]

    picam.camera.configure(PLAIN)
    assert taken(0) == taken(17)


def test_stop_keeps_the_frames_that_have_come(picam: Any) -> None:
    picam.camera.configure(PLAIN)
    picam.camera.start(100)
    assert picam.wait_for(3)
    picam.camera.stop()
    picam.camera.stop()
    assert not picam.camera.acquiring()
    assert len(picam.camera.read_frames()) == 3
    assert picam.camera.lost_frames() == 0


def test_nothing_changes_during_an_acquisition(picam: Any) -> None:
    picam.camera.configure(PLAIN)
    picam.camera.start(10)
    for change in (
        lambda: picam.camera.configure(PLAIN),
        lambda: picam.camera.set_shutter(False),
        lambda: picam.camera.set_sensor_target_c(-60.0),
    ):
        with pytest.raises(RefusedError, match="during an acquisition"):
            change()
    picam.camera.shut()
    assert picam.camera.is_shut()


def test_lost_frames_are_counted(picam: Any) -> None:
    picam.camera.configure(PLAIN)
    picam.camera.start(5)
    picam.simulator.fault_drop_frames(2)
    assert picam.clock.wait_until(
        lambda: not picam.camera.acquiring(), deadline_s=10.0, what="end of the acquisition"
    )
    assert (picam.camera.frames_ready(), picam.camera.lost_frames()) == (3, 2)
    picam.camera.start(1)
    assert picam.wait_for(1)
    assert picam.camera.lost_frames() == 0


def test_frames_overwritten_in_the_ring_are_lost(
    picam: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labctl_drivers.princeton.picam._RING_BYTES", 4 * 3200)
    picam.camera.configure(PLAIN)
    picam.camera.start(10)
    picam.clock.sleep(1.0)
    assert picam.camera.frames_ready() + picam.camera.lost_frames() == 10
    assert picam.camera.lost_frames() >= 6


def test_lost_connection(picam: Any) -> None:
    picam.camera.configure(PLAIN)
    picam.camera.start(5)
    assert picam.wait_for(2)
    picam.simulator.fault_lose_connection()
    with pytest.raises(NoReplyError, match=r"connection lost.*check cable"):
        picam.camera.frames_ready()
    with pytest.raises(NoReplyError, match="DeviceDisconnected"):
        picam.camera.read_sensor_temperature()
    picam.camera.close()
    picam.simulator.clear_faults()
    picam.camera.connect()
    picam.camera.configure(PLAIN)


def test_frames_that_never_come_do_not_block(picam: Any) -> None:
    picam.camera.configure(PLAIN)
    picam.simulator.fault_stop_frames()
    picam.camera.start(1)
    assert not picam.wait_for(1, deadline_s=100.0)
    assert picam.camera.acquiring()
    picam.camera.stop()
    picam.simulator.clear_faults()
    picam.camera.start(1)
    assert picam.wait_for(1)


def test_at_least_one_frame(picam: Any) -> None:
    picam.camera.configure(PLAIN)
    with pytest.raises(RefusedError, match="at least 1"):
        picam.camera.start(0)
