"""The simulated PICam library, called with bare ctypes: codes, memory, acquisition rules."""

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from labctl_sim.princeton.picam import PicamSimulator

EXPOSURE, GAIN, QUALITY, SPEED = 0x02020017, 0x02010035, 0x03040024, 0x03020021
ROIS, COUNT, STRIDE, STATUS = 0x04050025, 0x02060028, 0x0101002D, 0x01040010
BIT_DEPTH = 0x03010022


class Available(ctypes.Structure):
    _fields_ = [("first", ctypes.c_void_p), ("count", ctypes.c_longlong)]


class Status(ctypes.Structure):
    _fields_ = [("running", ctypes.c_int), ("errors", ctypes.c_int), ("rate", ctypes.c_double)]


class Buffer(ctypes.Structure):
    _fields_ = [("memory", ctypes.c_void_p), ("size", ctypes.c_longlong)]


class Client:
    """Camera opened, one pixel row of 1600 columns, exposure 1 ms."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.lib = bench, bench.library
        self.handle, self.device = ctypes.c_void_p(), ctypes.c_void_p()
        self.buffer = ctypes.create_string_buffer(0)
        assert self.lib.Picam_InitializeLibrary() == 0
        assert self.lib.Picam_OpenFirstCamera(ctypes.byref(self.handle)) == 0
        get_device = self.lib.PicamAdvanced_GetCameraDevice
        assert get_device(self.handle, ctypes.byref(self.device)) == 0

    def integer(self, parameter: int) -> int:
        value = ctypes.c_int()
        get = self.lib.Picam_GetParameterIntegerValue
        assert get(self.handle, parameter, ctypes.byref(value)) == 0
        return value.value

    def set_float(self, parameter: int, value: float) -> int:
        put = self.lib.Picam_SetParameterFloatingPointValue
        return put(self.handle, parameter, ctypes.c_double(value))

    def commit(self) -> tuple[int, list[int]]:
        array, count = ctypes.POINTER(ctypes.c_int)(), ctypes.c_int(-1)
        commit = self.lib.Picam_CommitParameters
        code = commit(self.handle, ctypes.byref(array), ctypes.byref(count))
        failed = array[: count.value]
        assert self.lib.Picam_DestroyParameters(array) == 0
        return code, failed

    def start(self, frames: int, ring: int) -> int:
        roi = (ctypes.c_int * 6)(0, 1600, 1, 0, 200, 200)
        rois = (ctypes.c_void_p * 2)(ctypes.addressof(roi), 1)
        assert self.lib.Picam_SetParameterRoisValue(self.handle, ROIS, rois) == 0
        assert self.set_float(EXPOSURE, 1.0) == 0
        put = self.lib.Picam_SetParameterLargeIntegerValue
        assert put(self.handle, COUNT, ctypes.c_longlong(frames)) == 0
        assert self.commit() == (0, [])
        self.stride = self.integer(STRIDE)
        self.buffer = ctypes.create_string_buffer(ring * self.stride)
        wanted = Buffer(ctypes.addressof(self.buffer), len(self.buffer))
        set_buffer = self.lib.PicamAdvanced_SetAcquisitionBuffer
        assert set_buffer(self.device, ctypes.byref(wanted)) == 0
        return self.lib.Picam_StartAcquisition(self.handle)

    def wait(self) -> tuple[int, int | None, int, int, int]:
        """Return code, slot of the first new frame, number of new frames, running, errors."""
        news, status = Available(), Status()
        wait = self.lib.Picam_WaitForAcquisitionUpdate
        code = wait(self.handle, 0, ctypes.byref(news), ctypes.byref(status))
        slot = None
        if news.first is not None:
            slot = (news.first - ctypes.addressof(self.buffer)) // self.stride
        return code, slot, news.count, status.running, status.errors

    def pass_frames(self, frames: float) -> None:
        self.bench.world.advance(frames * (1e-3 + 200 * 5e-6 + 1640e-6))

    def running(self) -> int:
        value = ctypes.c_int(-1)
        assert self.lib.Picam_IsAcquisitionRunning(self.handle, ctypes.byref(value)) == 0
        return value.value


@pytest.fixture
def client(picam_bench: Callable[..., Any]) -> Client:
    return Client(picam_bench())


def test_nothing_works_before_initialisation(picam_bench: Callable[..., Any]) -> None:
    lib = picam_bench().library
    handle, flag = ctypes.c_void_p(), ctypes.c_int(-1)
    assert lib.Picam_IsLibraryInitialized(ctypes.byref(flag)) == 0
    assert flag.value == 0
    assert lib.Picam_OpenFirstCamera(ctypes.byref(handle)) == 1
    assert lib.Picam_UninitializeLibrary() == 1
    assert lib.Picam_InitializeLibrary() == 0
    assert lib.Picam_InitializeLibrary() == 5


def test_handles(client: Client) -> None:
    other = ctypes.c_void_p()
    value = ctypes.c_int()
    identity = ctypes.create_string_buffer(136)
    assert client.lib.Picam_GetCameraID(client.handle, identity) == 0
    assert client.lib.Picam_OpenCamera(identity, ctypes.byref(other)) == 7
    identity[72] = b"9"
    assert client.lib.Picam_OpenCamera(identity, ctypes.byref(other)) == 8
    assert client.lib.Picam_StartAcquisition(None) == 9
    assert client.lib.Picam_GetParameterIntegerValue(5, STRIDE, ctypes.byref(value)) == 9
    assert client.lib.Picam_CloseCamera(client.handle) == 0
    assert client.lib.Picam_CloseCamera(client.handle) == 9


@pytest.mark.parametrize(
    ("name", "parameter", "value", "code"),
    [
        ("Integer", 0x02010099, 1, 12),
        ("Integer", EXPOSURE, 1, 11),
        ("FloatingPoint", EXPOSURE, ctypes.c_double(-1.0), 2),
        ("FloatingPoint", SPEED, ctypes.c_double(3.0), 2),
        ("Integer", STRIDE, 1, 10),
        ("Integer", GAIN, 1001, 2),
        ("Integer", QUALITY, 2, 2),
    ],
)
def test_refused_values(client: Client, name: str, parameter: int, value: Any, code: int) -> None:
    put = getattr(client.lib, f"Picam_SetParameter{name}Value")
    assert put(client.handle, parameter, value) == code


def test_pointers_must_not_be_null_but_destroying_null_is_fine(client: Client) -> None:
    assert client.lib.Picam_GetParameterIntegerValue(client.handle, STRIDE, None) == 3
    for name in ("String", "Parameters", "CameraIDs", "Rois", "RangeConstraints"):
        assert getattr(client.lib, f"Picam_Destroy{name}")(None) == 0
    assert client.lib.Picam_DestroyString(12345) == 35


def test_words(client: Client) -> None:
    def word(kind: int, value: int) -> bytes | int:
        text = ctypes.c_char_p()
        code = client.lib.Picam_GetEnumerationString(kind, value, ctypes.byref(text))
        return code or text.value or b""

    assert word(1, 28) == b"Invalid Parameter Values"
    assert word(1, 9999) == 17
    assert word(6, EXPOSURE) == b"Exposure Time"
    assert word(14, 2) == b"Locked"
    assert word(14, 0) == 17
    assert word(17, 3) == b"Exposure Started, Exposure Ended"
    assert word(17, 4) == 17
    assert word(999, 1) == 16


def test_reading_and_online_setting(client: Client) -> None:
    value = ctypes.c_int()
    read = client.lib.Picam_ReadParameterIntegerValue
    assert read(client.handle, STATUS, ctypes.byref(value)) == 0
    assert value.value == 2
    assert read(client.handle, STRIDE, ctypes.byref(value)) == 26
    online = client.lib.Picam_SetParameterIntegerValueOnline
    assert online(client.handle, GAIN, 5) == 14, "irrelevant on the low-noise port"
    assert online(client.handle, BIT_DEPTH, 16) == 25
    assert client.start(0, 4) == 0
    longer = client.lib.Picam_SetParameterFloatingPointValueOnline
    assert longer(client.handle, EXPOSURE, ctypes.c_double(10.0)) == 0
    assert client.set_float(EXPOSURE, 10.0) == 20
    client.pass_frames(10.0)
    exposures = {asked["exposure_s"] for asked in client.bench.sensor.asked}
    assert exposures == {1e-3, 10e-3}


def test_start_needs_commit_and_buffer(client: Client) -> None:
    assert client.lib.Picam_StartAcquisition(client.handle) == 30
    assert client.set_float(SPEED, 0.1) == 0
    assert client.lib.Picam_StartAcquisition(client.handle) == 29
    assert client.commit() == (0, [])


def test_commit_lists_what_excludes_each_other(client: Client) -> None:
    assert client.set_float(SPEED, 10.0) == 0
    assert client.commit() == (0, [SPEED])
    put = client.lib.Picam_SetParameterIntegerValue
    assert put(client.handle, QUALITY, 3) == 0
    assert client.commit() == (0, [])


def test_waiting_answers_at_once(client: Client) -> None:
    assert client.wait()[0] == 27, "never started"
    assert client.start(3, 3) == 0
    assert client.wait()[0] == 32
    assert client.lib.Picam_StartAcquisition(client.handle) == 20
    client.pass_frames(1.5)
    assert client.wait() == (0, 0, 1, 1, 0)
    assert client.wait()[0] == 32
    client.pass_frames(10.0)
    assert client.running() == 1, "until the last update is fetched"
    assert client.wait() == (0, 1, 2, 0, 0)
    assert client.running() == 0
    assert client.wait()[0] == 32, "harmless after the end"


def test_updates_never_run_over_the_end_of_the_ring(client: Client) -> None:
    assert client.start(0, 4) == 0
    client.pass_frames(3.5)
    assert client.wait()[1:4] == (0, 3, 1)
    client.pass_frames(3.0)
    assert client.wait()[1:4] == (3, 1, 1)
    assert client.wait()[1:4] == (0, 2, 1)
    overrun = ctypes.c_int()
    get = client.lib.PicamAdvanced_HasAcquisitionBufferOverrun
    assert get(client.device, ctypes.byref(overrun)) == 0
    assert overrun.value == 0
    client.pass_frames(6.0)
    assert get(client.device, ctypes.byref(overrun)) == 0
    assert overrun.value == 1


def test_stop(client: Client) -> None:
    assert client.start(0, 8) == 0
    client.pass_frames(2.5)
    assert client.lib.Picam_StopAcquisition(client.handle) == 0
    client.pass_frames(5.0)
    assert client.wait() == (0, 0, 2, 0, 0)
    assert client.running() == 0
    assert client.start(0, 8) == 0
    assert client.lib.Picam_StopAcquisition(client.handle) == 0
    assert client.wait() == (0, None, 0, 0, 0)


def test_dropped_frames_count_but_never_come(client: Client) -> None:
    assert client.start(4, 4) == 0
    client.bench.simulator.fault_drop_frames(2)
    client.pass_frames(10.0)
    assert client.wait() == (0, 0, 2, 0, 1)


def test_a_last_frame_that_is_lost_is_reported(client: Client) -> None:
    assert client.start(2, 4) == 0
    client.pass_frames(1.5)
    assert client.wait() == (0, 0, 1, 1, 0)
    client.bench.simulator.fault_drop_frames()
    client.pass_frames(5.0)
    assert client.wait() == (0, None, 0, 0, 1)


def test_connection_lost(client: Client) -> None:
    assert client.start(0, 8) == 0
    client.pass_frames(1.5)
    client.bench.simulator.fault_lose_connection()
    flag = ctypes.c_int(-1)
    assert client.lib.Picam_IsCameraConnected(client.handle, ctypes.byref(flag)) == 0
    assert flag.value == 0
    assert client.wait() == (0, 0, 1, 0, 2)
    assert client.set_float(EXPOSURE, 1.0) == 23
    assert client.lib.Picam_CloseCamera(client.handle) == 0


def test_saturation_and_stopped_frames(client: Client) -> None:
    client.bench.simulator.fault_saturate()
    assert client.start(0, 8) == 0
    client.pass_frames(1.5)
    client.wait()
    assert client.buffer.raw[: client.stride] == b"\xff" * client.stride
    client.bench.simulator.fault_stop_frames()
    client.pass_frames(9.0)
    assert client.wait()[0] == 32
    assert client.running() == 1


def test_frames_are_numbered_from_the_begin_of_the_point(client: Client) -> None:
    def numbers(frames: int) -> list[int]:
        client.bench.sensor.asked.clear()
        assert client.start(frames, 8) == 0
        client.pass_frames(frames + 1.0)
        while client.running():
            client.wait()
        return [asked["frame"] for asked in client.bench.sensor.asked]

    assert numbers(2) == [0, 1]
    assert numbers(2) == [2, 3]
    client.bench.world.point_id = "p2"
    assert numbers(2) == [0, 1]
    client.bench.world.point_began_s = 7.0
    assert numbers(1) == [0], "a repetition of the same point"


def test_an_error_of_the_simulator_is_kept() -> None:
    def call(method: str, arguments: list[Any]) -> Any:
        raise ConnectionError(method)

    library: Any = PicamSimulator.face(call)
    assert library.Picam_InitializeLibrary() == 4
    assert isinstance(library.errors[0], ConnectionError)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("refuse_commit", {"way": "maybe"}), ("unlock_sensor", {"status": "cold"})],
)
def test_faults_check_their_parameters(
    picam_bench: Callable[..., Any], kind: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="one of"):
        getattr(picam_bench().simulator, f"fault_{kind}")(**parameters)


def test_unknown_model_is_refused(picam_bench: Callable[..., Any]) -> None:
    world = picam_bench().world
    with pytest.raises(ValueError, match="not simulated; known"):
        PicamSimulator("camera", world, {"model": "ProEM: 9000"}, {})
