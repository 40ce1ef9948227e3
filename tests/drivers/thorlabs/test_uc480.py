"""Uc480 over pylablib's unmodified UC480Camera over the simulated library, on virtual time."""

import importlib
import json
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest

from labctl.errors import DeviceError, NoReplyError, RefusedError
from labctl.roles import ImagingSettings, Roi
from labctl.transport import LibraryLink
from labctl_drivers.thorlabs.uc480 import Uc480, Uc480Settings

SMALL = Roi(200, 320, 100, 240)
QUICK = ImagingSettings(exposure_s=0.05, gain=2.0, roi=SMALL)


class CameraBench:
    def __init__(self, bench: Any, **settings: Any) -> None:
        self.rig, self.clock = bench.rig, bench.clock
        self.library = self.rig.library("camera")
        self.calls: list[str] = []
        link = LibraryLink(self.library, lambda name, _arguments, _result: self.calls.append(name))
        self.camera = Uc480("camera", link, Uc480Settings(**settings), {})

    def light(self, level: float) -> None:
        self.rig.world.table.led.set(self.clock.now(), level)

    def picture(self, settings: ImagingSettings = QUICK) -> Any:
        self.camera.configure(settings)
        self.camera.start_frame()
        self.clock.sleep(settings.exposure_s + 0.1)
        return self.camera.take_frame()


@pytest.fixture
def there(bench: Callable[..., Any]) -> Generator[Callable[..., CameraBench]]:
    made: list[CameraBench] = []

    def make(truth: dict[str, Any] | None = None, **settings: Any) -> CameraBench:
        entry = {"simulator": "thorlabs.uc480", "truth": truth or {}, "settings": settings}
        made.append(CameraBench(bench(camera=entry), **settings))
        return made[-1]

    yield make
    for one in made:
        one.camera.close()
        assert one.library.errors == []


def test_connect_and_close(there: Callable[..., CameraBench]) -> None:
    loading: Any = importlib.import_module("pylablib.devices.utils.load_lib")
    original = loading.load_lib
    one = there()
    identity = one.camera.connect()
    assert (identity.maker, identity.model, identity.serial) == (
        "Thorlabs",
        "C1280G12M",
        "4103112233",
    )
    assert loading.load_lib is original
    assert "is_InitCamera" in one.calls
    assert one.camera.sensor_size() == (1280, 1024)
    assert one.camera.pixel_pitch_um() == pytest.approx(5.3)
    assert one.camera.full_scale_counts() == 1023
    one.camera.close()
    one.camera.close()
    assert one.library.memory.outstanding == 0
    with pytest.raises(NoReplyError, match="not connected"):
        one.camera.sensor_size()
    one.camera.connect()


def test_two_cameras_have_a_library_each(there: Callable[..., CameraBench]) -> None:
    first, second = there(), there(serial="77")
    first.camera.connect()
    assert second.camera.connect().serial == "77"
    assert first.camera.identity().serial == "4103112233"


def test_missing_vendor_library() -> None:
    camera = Uc480("camera", LibraryLink(), Uc480Settings(), {})
    with pytest.raises(DeviceError, match="install ThorCam"):
        camera.connect()


def test_wrong_serial_and_no_camera(there: Callable[..., CameraBench]) -> None:
    one = there()
    wrong = Uc480("camera", LibraryLink(one.library), Uc480Settings(serial="42"), {})
    with pytest.raises(NoReplyError, match=r"serial number 42.*check cable"):
        wrong.connect()
    one.rig.inject("camera", "disconnect")
    with pytest.raises(NoReplyError, match=r"cannot be opened.*check cable"):
        one.camera.connect()


def test_a_sensor_of_other_bits_is_refused(there: Callable[..., CameraBench]) -> None:
    one = there(bits=8)
    one.camera.connect()
    assert one.camera.full_scale_counts() == 255
    one.light(1.0)
    assert one.picture(ImagingSettings(1.0, roi=SMALL)).max() == 255


def test_settings_are_read_back(there: Callable[..., CameraBench]) -> None:
    one = there()
    one.camera.connect()
    held = one.camera.configure(ImagingSettings(0.02, 2.3, SMALL))
    assert held.exposure_s == pytest.approx(0.02, abs=9e-6)
    assert held.gain == pytest.approx(2.3, abs=0.06)
    assert held.roi == SMALL
    # A longer exposure needs a longer frame time, which is set with it.
    assert one.camera.configure(ImagingSettings(1.5)).exposure_s == pytest.approx(1.5, abs=1e-5)
    assert one.camera.frame_time_s() > 1.5
    assert json.loads(json.dumps(one.camera.snapshot()))["exposure_s"] == pytest.approx(
        1.5, abs=1e-5
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ImagingSettings(2.5), "exposure = 2.5 s is out of range"),
        (ImagingSettings(float("nan")), "out of range"),
        (ImagingSettings(0.1, gain=9.0), "gain = 9 is out of range"),
        (ImagingSettings(0.1, roi=Roi(1000, 400, 0, 100)), "not on the sensor"),
        (ImagingSettings(0.1, roi=Roi(2, 320, 0, 240)), "columns in steps of 4"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_set(
    there: Callable[..., CameraBench], settings: ImagingSettings, words: str
) -> None:
    one = there()
    one.camera.connect()
    one.camera.configure(QUICK)
    with pytest.raises(RefusedError, match=words):
        one.camera.configure(settings)


def test_a_frame_is_exposed_after_its_start(there: Callable[..., CameraBench]) -> None:
    one = there()
    one.camera.connect()
    dark = one.picture()
    assert dark.shape == SMALL.shape
    assert dark.dtype == np.uint16
    one.light(1.0)
    bright = one.picture()
    assert bright.mean() > dark.mean() + 50.0
    one.light(0.0)
    # Nothing of the bright picture is left over.
    assert one.picture().mean() == pytest.approx(dark.mean(), abs=1.0)


def test_nothing_waits(there: Callable[..., CameraBench]) -> None:
    one = there()
    one.camera.connect()
    with pytest.raises(RefusedError, match="configure the camera first"):
        one.camera.start_frame()
    one.camera.configure(QUICK)
    one.camera.start_frame()
    assert not one.camera.frame_ready()
    with pytest.raises(RefusedError, match="no frame is ready"):
        one.camera.take_frame()
    with pytest.raises(RefusedError, match="on its way"):
        one.camera.start_frame()
    one.clock.sleep(0.1)
    assert one.camera.frame_ready()
    one.camera.take_frame()
    assert one.camera.is_idle()


def test_noise_does_not_depend_on_polls(there: Callable[..., CameraBench]) -> None:
    frames: list[Any] = []
    for polls in (1, 7):
        one = there()
        one.camera.connect()
        one.light(0.5)
        one.rig.begin_point("p1")
        one.camera.configure(QUICK)
        one.camera.start_frame()
        for _ in range(polls):
            one.camera.frame_ready()
        one.clock.sleep(0.1)
        frames.append(one.camera.take_frame())
    assert np.array_equal(frames[0], frames[1])


def test_lost_frames_and_a_hanging_camera(there: Callable[..., CameraBench]) -> None:
    one = there()
    one.camera.connect()
    one.camera.configure(QUICK)
    one.rig.inject("camera", "lose_frames", times=1)
    one.camera.start_frame()
    one.clock.sleep(0.07)
    assert not one.camera.frame_ready()
    one.clock.sleep(0.1)
    assert one.camera.frame_ready()
    one.camera.take_frame()
    one.rig.inject("camera", "hang")
    one.camera.start_frame()
    one.clock.sleep(1.0)
    assert not one.camera.frame_ready()
    one.camera.make_safe("stop")


def test_a_pulled_cable_is_told(there: Callable[..., CameraBench]) -> None:
    one = there()
    one.camera.connect()
    one.camera.configure(QUICK)
    one.rig.inject("camera", "disconnect")
    with pytest.raises(NoReplyError, match=r"the camera is gone.*check cable"):
        one.camera.start_frame()
