"""Thorlabs DCC3240M camera beneath the uc480 library (the uEye interface), in free-running video.

Numbers: data sheet of the DCC3240M; behaviour of the functions: uEye manual 4.9. Exposure is
bounded by the frame time, which has to be set before it; a region outside the steps of 4 columns
and 2 rows is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl_sim.libraries import VendorError
from labctl_sim.thorlabs._uc480_face import uc480_library
from labctl_sim.thorlabs._uc480_video import Video, VideoFaults
from labctl_sim.thorlabs._uc480_words import GET, Code, ColorMode, GainFactor
from labctl_sim.world import World, truth_defaults
from labctl_sim.world.imaging import ImagingSensor, ImagingTruth

__all__ = ["Uc480Camera"]

_COLUMNS, _ROWS, _PIXEL_SIZE = 1280, 1024, 530
_SMALLEST, _STEP = (16, 4), (4, 2)
_MODEL, _SENSOR, _SERIAL = "DCC3240M", "C1280G12M", "4103112233"
_HANDLE, _USE_DEVICE_ID = 1, 0x8000
_SEQUENCE_COUNT = 2
_CLOCKS_MHZ = (43, 86)
_LONGEST_FRAME_S, _BLANK_MS, _STEP_MS = 2.0, 0.05, 0.009
_GAIN_STEP = 5
_SHIFTS = {ColorMode.MONO8: -2, ColorMode.MONO10: 0, ColorMode.MONO12: 2, ColorMode.MONO16: 6}


class Uc480Camera:
    """One camera as the library sees it.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; ``serial`` is used.
        truth: What differs from ``truth_defaults``.
    """

    interface: ClassVar[str] = "library"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **truth_defaults(ImagingTruth),
        "largest_gain": 3.95,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name = name
        self._world = world
        known: dict[str, Any] = {**self.truth_defaults, **truth}
        self._largest_gain = round(100 * float(known.pop("largest_gain")))
        self.sensor = ImagingSensor(world, ImagingTruth(**known), name)
        self._serial = str(settings.get("serial") or _SERIAL)
        self._faults = VideoFaults()
        self._gone = self._open = False
        self._video: Video | None = None
        self._frame, self._frame_point = 0, ("", 0.0)
        self._power_on()

    face = staticmethod(uc480_library)

    def call(self, method: str, arguments: list[Any]) -> list[Any]:
        """Answer a command with the library's code and a value.

        Raises:
            AttributeError: No such command; a mistake of the face, not of the client.
        """
        command: Callable[..., Any] = getattr(self, f"_do_{method}")
        with self._world.lock:
            try:
                return [int(Code.SUCCESS), command(*arguments)]
            except VendorError as refusal:
                return [int(refusal.code), None]

    def fault_disconnect(self) -> None:
        """Pull the cable: every call fails until cleared."""
        self._gone = True
        self._end()

    def drop_client(self) -> None:
        """Close what a program that has died had open; the rest stays as it was."""
        with self._world.lock:
            self._end()
            self._open = False

    def fault_hang(self) -> None:
        """Deliver no frame until cleared."""
        self._faults.hangs = True

    def fault_lose_frames(self, times: int = 1) -> None:
        """Lose the next frames on the way to the computer."""
        self._faults.to_lose += times

    def clear_faults(self) -> None:
        """Put the cable in; the camera has to be opened again."""
        if self._gone:
            self._power_on()
        self._gone, self._faults.hangs, self._faults.to_lose = False, False, 0

    def _power_on(self) -> None:
        self._open = False
        self._mode = ColorMode.MONO8
        self._clock_mhz = _CLOCKS_MHZ[1]
        self._region = (0, 0, _COLUMNS, _ROWS)
        self._period_s = self._frame_times()[0]
        self._exposure_ms = self._longest_ms()
        self._gain = 100

    def _need(self, handle: int) -> None:
        if self._gone or not self._open or handle != _HANDLE:
            raise VendorError(Code.INVALID_CAMERA_HANDLE)

    # Who is there

    def _do_cameras(self) -> list[dict[str, Any]]:
        entry = {"camera_id": 1, "device_id": 1, "in_use": int(self._open)}
        return [] if self._gone else [{**entry, "serial": self._serial, "model": _MODEL}]

    def _do_init(self, wanted: int) -> int:
        if self._gone or self._open or wanted & ~_USE_DEVICE_ID not in (0, 1):
            raise VendorError(Code.CANT_OPEN_DEVICE)
        self._open = True
        return _HANDLE

    def _do_exit(self, handle: int) -> None:
        self._need(handle)
        self._end()
        self._open = False

    def _do_board(self, handle: int) -> dict[str, Any]:
        self._need(handle)
        return {
            "serial": self._serial,
            "sensor": _SENSOR,
            "columns": _COLUMNS,
            "rows": _ROWS,
            "pixel_size": _PIXEL_SIZE,
            "camera_id": 1,
        }

    # Settings

    def _readout_s(self) -> float:
        return self._region[3] * 1360e-6 / self._clock_mhz

    def _frame_times(self) -> tuple[float, float, float]:
        return self._readout_s() + 1e-3, _LONGEST_FRAME_S, 1e-5

    def _longest_ms(self) -> float:
        return 1e3 * self._period_s - _BLANK_MS

    def _do_frame_times(self, handle: int) -> tuple[float, float, float]:
        self._need(handle)
        return self._frame_times()

    def _do_frame_rate(self, handle: int, wanted_hz: float | None) -> float:
        self._need(handle)
        if wanted_hz is not None:
            shortest, longest, _ = self._frame_times()
            self._period_s = min(max(1.0 / wanted_hz, shortest), longest)
            self._exposure_ms = min(self._exposure_ms, self._longest_ms())
        return 1.0 / self._period_s

    def _do_pixel_clocks(self, handle: int) -> tuple[int, int]:
        self._need(handle)
        return _CLOCKS_MHZ

    def _do_pixel_clock(self, handle: int, wanted_mhz: int | None) -> int:
        self._need(handle)
        if wanted_mhz is not None:
            if wanted_mhz not in _CLOCKS_MHZ:
                raise VendorError(Code.INVALID_PARAMETER)
            self._clock_mhz = wanted_mhz
            self._do_frame_rate(handle, 1.0 / self._period_s)
        return self._clock_mhz

    def _do_exposure_range(self, handle: int) -> tuple[float, float, float]:
        self._need(handle)
        return _STEP_MS, self._longest_ms(), _STEP_MS

    def _do_exposure(self, handle: int, wanted_ms: float | None) -> float:
        self._need(handle)
        if wanted_ms is not None:
            steps = round(min(max(wanted_ms, _STEP_MS), self._longest_ms()) / _STEP_MS)
            self._exposure_ms = steps * _STEP_MS
        return self._exposure_ms

    def _do_region(self, handle: int) -> dict[str, Any]:
        self._need(handle)
        x, y, width, height = self._region
        return {
            "region": (x, y, width, height),
            "smallest": _SMALLEST,
            "last": (_COLUMNS - width, _ROWS - height),
            "size": (_COLUMNS, _ROWS),
            "step": _STEP,
        }

    def _do_set_region(self, handle: int, x: int, y: int, width: int, height: int) -> None:
        self._need_rest(handle)
        inside = 0 <= x <= _COLUMNS - width and 0 <= y <= _ROWS - height
        large = width >= _SMALLEST[0] and height >= _SMALLEST[1]
        even = not (x % _STEP[0] or width % _STEP[0] or y % _STEP[1] or height % _STEP[1])
        if not (inside and large and even):
            raise VendorError(Code.INVALID_PARAMETER)
        self._region = (x, y, width, height)
        self._do_frame_rate(handle, 1.0 / self._period_s)

    def _do_color_mode(self, handle: int, wanted: int) -> int:
        self._need(handle)
        if wanted == GET:
            return int(self._mode)
        if wanted not in set(ColorMode):
            raise VendorError(Code.INVALID_COLOR_FORMAT)
        self._need_rest(handle)
        self._mode = ColorMode(wanted)
        return Code.SUCCESS

    def _do_gain_factor(self, handle: int, mode: int, factor: int) -> int:
        self._need(handle)
        match mode:
            case GainFactor.SET_MASTER:
                wanted = min(max(factor, 100), self._largest_gain)
                self._gain = min(_GAIN_STEP * round(wanted / _GAIN_STEP), self._largest_gain)
                return self._gain
            case GainFactor.GET_MASTER:
                return self._gain
            case GainFactor.INQUIRE_MASTER:
                return round(100 + (self._largest_gain - 100) * factor / 100)
            case _:
                return 100

    def _do_hardware_gain(self, handle: int, master: int) -> int:
        self._need(handle)
        span = self._largest_gain - 100
        if master == GET:
            return round(100 * (self._gain - 100) / span)
        if 0 <= master <= 100:
            self._gain = round(100 + span * master / 100)
        return Code.SUCCESS

    def _do_gain_boost(self, handle: int, wanted: int) -> int:
        self._need(handle)
        # 0 answers "supported?" and "on?", and is success for switching it off.
        return int(Code.SUCCESS) if wanted != 1 else self._refuse()

    def _do_subsampling(self, handle: int, wanted: int) -> int:
        return self._full_resolution(handle, wanted)

    def _do_binning(self, handle: int, wanted: int) -> int:
        return self._full_resolution(handle, wanted)

    def _full_resolution(self, handle: int, wanted: int) -> int:
        self._need(handle)
        if wanted in (GET | 0x4, GET | 0x8):
            return 1
        return int(Code.SUCCESS) if wanted in (0, GET, GET | 1, GET | 2) else self._refuse()

    def _do_trigger(self, handle: int, wanted: int) -> int:
        self._need(handle)
        return int(Code.SUCCESS) if wanted in (0, GET) else self._refuse()

    def _refuse(self) -> int:
        raise VendorError(Code.NOT_SUPPORTED)

    # Video

    def _need_rest(self, handle: int) -> None:
        self._need(handle)
        if self._video is not None and self._video.running:
            raise VendorError(Code.CAPTURE_RUNNING)

    def _end(self) -> None:
        if self._video is not None:
            self._video.stop()

    def _do_capture(self, handle: int, buffers: list[int]) -> None:
        self._need_rest(handle)
        self._video = Video(
            self._world,
            self._faults,
            self._renderer(),
            exposure_s=1e-3 * self._exposure_ms,
            period_s=self._period_s,
            readout_s=self._readout_s(),
            buffers=buffers,
        )

    def _do_stop(self, handle: int) -> None:
        self._need(handle)
        self._end()

    def _do_live(self, handle: int) -> int:
        self._need(handle)
        return int(self._video is not None and self._video.running)

    def _do_status(self, handle: int, what: int) -> int:
        self._need(handle)
        return self._video.count if self._video and what == _SEQUENCE_COUNT else 0

    def _do_active(self, handle: int) -> tuple[int, int]:
        self._need(handle)
        return (0, 0) if self._video is None else (self._video.filling, self._video.last)

    def _do_image(self, handle: int, buffer: int) -> bytes | None:
        self._need(handle)
        held = None if self._video is None else self._video.image(buffer)
        return None if held is None else _packed(held[1], self._mode).tobytes()

    def _do_image_info(self, handle: int, buffer: int) -> dict[str, Any]:
        self._need(handle)
        held = None if self._video is None else self._video.image(buffer)
        if held is None:
            raise VendorError(Code.INVALID_MEMORY_POINTER)
        return {"number": held[0], "size": (held[1].shape[1], held[1].shape[0])}

    def _do_lost(self, handle: int, reset: bool) -> int:
        self._need(handle)
        lost = 0 if self._video is None else self._video.lost
        if reset and self._video is not None:
            self._video.lost = 0
        return lost

    def _renderer(self) -> Callable[[float], NDArray[np.uint16]]:
        x, y, width, height = self._region
        exposure_s, gain = 1e-3 * self._exposure_ms, 0.01 * self._gain

        def render(start_s: float) -> NDArray[np.uint16]:
            return self.sensor.render(
                frame=self._next_frame(),
                start_s=start_s,
                exposure_s=exposure_s,
                gain=gain,
                region=(x, width, y, height),
            )

        return render

    def _next_frame(self) -> int:
        """Number the frames since the point began, so that noise does not depend on history."""
        point = (self._world.point_id, self._world.point_began_s)
        if point != self._frame_point:
            self._frame, self._frame_point = 0, point
        number, self._frame = self._frame, self._frame + 1
        return number


def _packed(image: NDArray[np.uint16], mode: ColorMode) -> NDArray[Any]:
    """Ten bits as the format has them: formats of more bits are filled from the top."""
    shift = _SHIFTS[mode]
    if shift < 0:
        return (image >> -shift).astype(np.uint8)
    return (image << shift).astype("<u2")
