"""The library object of the simulated camera: the ``is_…`` functions that clients use.

It lives in the client's process, owns the image memory, and asks the simulated camera with plain
values only.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from labctl_sim.libraries import (
    Function,
    Memory,
    VendorError,
    VendorLibrary,
    breakable,
    read_bytes,
    read_structure,
    write_array,
    write_bytes,
    write_double,
    write_int,
    write_pointer,
    write_structure,
)
from labctl_sim.thorlabs import _uc480_structures as c
from labctl_sim.thorlabs._uc480_words import GET, Aoi, Code, Exposure, PixelClock

__all__ = ["Call", "uc480_library"]

Call = Callable[[str, list[Any]], Any]

_INT, _UINT, _DOUBLE, _POINTER = ctypes.c_int, ctypes.c_uint, ctypes.c_double, ctypes.c_void_p
_VERSION = (4 << 24) | (20 << 16) | 1282
_TRANSFER_FAILED = 0xA2


@breakable
def uc480_library(call: Call) -> VendorLibrary:
    """Build the library object; ``call`` answers the library's code and a value."""
    memory = Memory()

    def ask(command: str, *arguments: Any) -> Any:
        code, value = call(command, list(arguments))
        if code:
            raise VendorError(code)
        return value

    functions = {
        **_Cameras(ask).functions(),
        **_Settings(ask).functions(),
        **_Images(ask, memory).functions(),
    }
    return VendorLibrary(
        functions,
        failure_code=Code.NO_SUCCESS,
        null_code=Code.INVALID_PARAMETER,
        memory=memory,
    )


class _Cameras:
    """Who is there."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def functions(self) -> Mapping[str, Function]:
        return {
            "is_GetNumberOfCameras": Function((_POINTER,), self._number),
            "is_GetCameraList": Function((_POINTER,), self._list),
            "is_InitCamera": Function((_POINTER, _POINTER), self._init),
            "is_ExitCamera": Function((_UINT,), self._exit),
            "is_GetCameraInfo": Function((_UINT, _POINTER), self._board),
            "is_GetSensorInfo": Function((_UINT, _POINTER), self._sensor),
            "is_GetDLLVersion": Function((), lambda: _VERSION),
            "is_SetCameraID": Function((_UINT, _INT), self._camera_id),
        }

    def _number(self, output: int | None) -> None:
        write_int(output, len(self._ask("cameras")))

    def _list(self, output: int | None) -> None:
        cameras: list[dict[str, Any]] = self._ask("cameras")
        head = c.padded(len(cameras))
        write_bytes(output, head)
        for index, camera in enumerate(cameras):
            info = c.CameraInfo(
                camera_id=camera["camera_id"],
                device_id=camera["device_id"],
                in_use=camera["in_use"],
                serial=camera["serial"].encode(),
                model=camera["model"].encode()[:15],
                full_model=camera["model"].encode(),
            )
            at = (output or 0) + len(head) + index * ctypes.sizeof(c.CameraInfo)
            write_structure(at, info)

    def _init(self, handle: int | None, _window: int | None) -> None:
        wanted = int.from_bytes(read_bytes(handle, 4), "little")
        write_int(handle, self._ask("init", wanted))

    def _exit(self, handle: int) -> None:
        self._ask("exit", handle)

    def _board(self, handle: int, output: int | None) -> None:
        known = self._ask("board", handle)
        board = c.BoardInfo(
            serial=known["serial"].encode(),
            maker=b"Thorlabs GmbH",
            version=b"USB3.0",
            date=b"01.03.2024",
            type=0x80,
        )
        write_structure(output, board)

    def _sensor(self, handle: int, output: int | None) -> None:
        known = self._ask("board", handle)
        sensor = c.SensorInfo(
            sensor_id=0x0050,
            name=known["sensor"].encode(),
            color_mode=b"\x01",
            max_width=known["columns"],
            max_height=known["rows"],
            master_gain=1,
            global_shutter=1,
            pixel_size=known["pixel_size"],
        )
        write_structure(output, sensor)

    def _camera_id(self, handle: int, wanted: int) -> int:
        known = self._ask("board", handle)
        return int(known["camera_id"]) if wanted == GET else int(Code.SUCCESS)


class _Settings:
    """Exposure, frame rate, region, gain, format."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def functions(self) -> Mapping[str, Function]:
        command = (_UINT, _UINT, _POINTER, _UINT)
        return {
            "is_GetFrameTimeRange": Function((_UINT, *(_POINTER,) * 3), self._frame_times),
            "is_SetFrameRate": Function((_UINT, _DOUBLE, _POINTER), self._frame_rate),
            "is_PixelClock": Function(command, self._pixel_clock),
            "is_Exposure": Function(command, self._exposure),
            "is_AOI": Function(command, self._region),
            "is_SetColorMode": Function((_UINT, _INT), self._setting("color_mode")),
            "is_SetHWGainFactor": Function((_UINT, _INT, _INT), self._gain_factor),
            "is_SetHardwareGain": Function((_UINT, *(_INT,) * 4), self._hardware_gain),
            "is_SetGainBoost": Function((_UINT, _INT), self._setting("gain_boost")),
            "is_SetSubSampling": Function((_UINT, _INT), self._setting("subsampling")),
            "is_SetBinning": Function((_UINT, _INT), self._setting("binning")),
            "is_SetExternalTrigger": Function((_UINT, _INT), self._setting("trigger")),
        }

    def _setting(self, command: str) -> Callable[[int, int], int]:
        def body(handle: int, value: int) -> int:
            return int(self._ask(command, handle, value))

        return body

    def _frame_times(self, handle: int, *outputs: int | None) -> None:
        for output, value in zip(outputs, self._ask("frame_times", handle), strict=True):
            write_double(output, value)

    def _frame_rate(self, handle: int, wanted: float, output: int | None) -> None:
        write_double(output, self._ask("frame_rate", handle, None if wanted >= GET else wanted))

    def _pixel_clock(self, handle: int, command: int, values: int | None, _size: int) -> None:
        low, high = self._ask("pixel_clocks", handle)
        match command:
            case PixelClock.GET_NUMBER:
                write_int(values, 2)
            case PixelClock.GET_LIST:
                write_array(values, _UINT, [low, high])
            case PixelClock.GET_RANGE:
                write_array(values, _UINT, [low, high, high - low])
            case PixelClock.GET | PixelClock.GET_DEFAULT:
                write_int(values, self._ask("pixel_clock", handle, None))
            case PixelClock.SET:
                self._ask("pixel_clock", handle, int.from_bytes(read_bytes(values, 4), "little"))
            case _:
                raise VendorError(Code.NOT_SUPPORTED)

    def _exposure(self, handle: int, command: int, values: int | None, _size: int) -> None:
        low_ms, high_ms, step_ms = self._ask("exposure_range", handle)
        match command:
            case Exposure.SET:
                wanted = ctypes.c_double.from_buffer_copy(read_bytes(values, 8)).value
                write_double(values, self._ask("exposure", handle, wanted))
            case Exposure.GET | Exposure.GET_DEFAULT:
                write_double(values, self._ask("exposure", handle, None))
            case Exposure.GET_RANGE:
                write_array(values, _DOUBLE, [low_ms, high_ms, step_ms])
            case Exposure.GET_MIN | Exposure.GET_MAX | Exposure.GET_STEP:
                write_double(values, (low_ms, high_ms, step_ms)[command - Exposure.GET_MIN])
            case _:
                raise VendorError(Code.NOT_SUPPORTED)

    def _region(self, handle: int, command: int, values: int | None, _size: int) -> None:
        if command == Aoi.SET:
            wanted = read_structure(values, c.Rect)
            self._ask("set_region", handle, wanted.x, wanted.y, wanted.width, wanted.height)
            return
        known = self._ask("region", handle)
        if command == Aoi.GET:
            write_structure(values, c.Rect(*known["region"]))
            return
        pairs = {
            Aoi.GET_POSITION_MIN: (0, 0),
            Aoi.GET_SIZE_MIN: known["smallest"],
            Aoi.GET_POSITION_MAX: known["last"],
            Aoi.GET_SIZE_MAX: known["size"],
            Aoi.GET_POSITION_STEP: known["step"],
            Aoi.GET_SIZE_STEP: known["step"],
        }
        if command not in set(Aoi):
            raise VendorError(Code.NOT_SUPPORTED)
        write_structure(values, c.Point(*pairs[Aoi(command)]))

    def _gain_factor(self, handle: int, mode: int, factor: int) -> int:
        return int(self._ask("gain_factor", handle, mode, factor))

    def _hardware_gain(self, handle: int, master: int, *_colours: int) -> int:
        return int(self._ask("hardware_gain", handle, master))


class _Images:
    """Image memory, video, and what has come."""

    def __init__(self, ask: Callable[..., Any], memory: Memory) -> None:
        self._ask, self._memory = ask, memory
        self._blocks: dict[int, tuple[int, int]] = {}
        self._sequence: list[int] = []
        self._next = 1

    def functions(self) -> Mapping[str, Function]:
        three, block = (_POINTER,) * 3, (_UINT, _POINTER, _INT)
        two = (_UINT, _INT)
        return {
            "is_AllocImageMem": Function((_UINT, *(_INT,) * 3, _POINTER, _POINTER), self._allocate),
            "is_FreeImageMem": Function(block, self._free),
            "is_AddToSequence": Function(block, self._add),
            "is_ClearSequence": Function((_UINT,), self._clear),
            "is_CopyImageMem": Function((*block, _POINTER), self._copy),
            "is_GetActSeqBuf": Function((_UINT, *three), self._active),
            "is_GetImageInfo": Function((_UINT, _INT, _POINTER, _INT), self._info),
            "is_CaptureVideo": Function(two, self._capture),
            "is_StopLiveVideo": Function(two, self._stop),
            "is_CameraStatus": Function((_UINT, _INT, _UINT), self._status),
            "is_CaptureStatus": Function((_UINT, _UINT, _POINTER, _UINT), self._capture_status),
        }

    def _allocate(
        self, handle: int, width: int, height: int, bits: int, memory: int | None, id_: int | None
    ) -> None:
        self._ask("board", handle)
        size = width * height * (bits // 8)
        address = self._memory.keep((ctypes.c_char * size)())
        self._blocks[self._next] = (address, size)
        write_pointer(memory, address)
        write_int(id_, self._next)
        self._next += 1

    def _known(self, address: int | None, id_: int) -> tuple[int, int]:
        block = self._blocks.get(id_)
        if block is None or block[0] != address:
            raise VendorError(Code.INVALID_MEMORY_POINTER)
        return block

    def _free(self, _handle: int, address: int | None, id_: int) -> None:
        self._known(address, id_)
        del self._blocks[id_]
        self._memory.free(address)

    def _add(self, handle: int, address: int | None, id_: int) -> None:
        self._ask("board", handle)
        self._known(address, id_)
        self._sequence.append(id_)

    def _clear(self, handle: int) -> None:
        self._ask("board", handle)
        self._sequence = []

    def _capture(self, handle: int, wait: int) -> int:
        if wait == GET:
            return int(self._ask("live", handle))
        if not self._sequence:
            raise VendorError(Code.NO_ACTIVE_IMG_MEM)
        self._ask("capture", handle, list(self._sequence))
        return Code.SUCCESS

    def _fetch(self, handle: int, id_: int) -> None:
        """Bring the picture that lies in a buffer into the client's memory."""
        address, size = self._blocks[id_]
        data: bytes | None = self._ask("image", handle, id_)
        if data is not None:
            write_bytes(address, data[:size])

    def _copy(self, handle: int, address: int | None, id_: int, target: int | None) -> None:
        _, size = self._known(address, id_)
        self._fetch(handle, id_)
        write_bytes(target, read_bytes(address, size))

    def _active(self, handle: int, number: int | None, now: int | None, last: int | None) -> None:
        filling, filled = self._ask("active", handle)
        if not self._sequence:
            raise VendorError(Code.NO_ACTIVE_IMG_MEM)
        write_int(number, filling + 1)
        write_pointer(now, self._blocks[self._sequence[filling]][0])
        write_pointer(last, self._blocks[self._sequence[filled]][0])

    def _info(self, handle: int, id_: int, output: int | None, _size: int) -> None:
        known = self._ask("image_info", handle, id_)
        width, height = known["size"]
        write_structure(
            output,
            c.ImageInfo(
                frame_number=known["number"],
                buffers=len(self._sequence),
                width=width,
                height=height,
            ),
        )

    def _stop(self, handle: int, _wait: int) -> None:
        self._ask("stop", handle)

    def _status(self, handle: int, what: int, _value: int) -> int:
        return int(self._ask("status", handle, what))

    def _capture_status(self, handle: int, command: int, output: int | None, _size: int) -> None:
        lost = self._ask("lost", handle, command == 1)
        if output is not None and command == 2:
            status = c.CaptureStatus(total=lost)
            status.detail[_TRANSFER_FAILED] = lost
            write_structure(output, status)
