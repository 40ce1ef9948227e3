"""pylablib's ``UC480Camera`` upon a library object of our choice, its failures as our errors."""

import ctypes
import importlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl.errors import ConnectionLostError, DeviceError, DeviceRefusedError
from labctl.transport import LibraryLink

__all__ = ["Uc480Link"]

_EXPOSURE_RANGE = 6
_RING = 4
_GONE = {1: "the camera is gone", 3: "it cannot be opened", 2: "it does not answer"}
_PYTHON_FAILURES = (OSError, ValueError, RuntimeError, ctypes.ArgumentError)


class Uc480Link:
    """Connection to one camera; every exception of pylablib comes out as a ``DeviceError``."""

    slow_s: ClassVar[Mapping[str, float]] = {"is_InitCamera": 30.0, "is_ExitCamera": 30.0}
    """A camera may have to be given its firmware, s."""

    def __init__(self, device: str, link: LibraryLink, backend: str, serial: str) -> None:
        """Open the camera with this serial number (empty: the first one)."""
        self._device = device
        self._module: Any = None
        with self._translated("open"):
            self._camera: Any = self._open(link, backend, serial)

    def _open(self, link: LibraryLink, backend: str, serial: str) -> Any:
        """Let pylablib load a library of this camera's own, which it keeps."""
        loading: Any = importlib.import_module("pylablib.devices.utils.load_lib")
        libraries: Any = importlib.import_module("pylablib.devices.uc480.uc480_lib")
        self._module = importlib.import_module("pylablib.devices.uc480.uc480")
        original, before = loading.load_lib, libraries.libs[backend]

        def load(*arguments: Any, **options: Any) -> object:
            found = link.library
            return link.watched(original(*arguments, **options) if found is None else found)

        loading.load_lib, libraries.libs[backend] = load, libraries.uc480Lib(backend)
        try:
            device = self._module.find_by_serial(serial, backend) if serial else None
            return self._module.UC480Camera(dev_id=device, backend=backend)
        finally:
            loading.load_lib, libraries.libs[backend] = original, before

    def close(self) -> None:
        """Give the camera up, whatever state it is in."""
        failures = self._failures()
        with suppress(*failures):
            self._camera.close()

    def _failures(self) -> tuple[type[BaseException], ...]:
        base: list[type[BaseException]] = []
        if self._module is not None:
            base.append(self._module.uc480Error)
        return (*base, *_PYTHON_FAILURES)

    @contextmanager
    def _translated(self, command: str) -> Generator[None]:
        try:
            yield
        except BaseException as error:
            # pylablib's classes are known only once it is imported, so they are looked up here.
            if not isinstance(error, self._failures()):
                raise
            raise self._as_ours(command, error) from error

    def _as_ours(self, command: str, error: BaseException) -> DeviceError:
        code = getattr(error, "code", None)
        if code in _GONE or "can't find camera" in str(error):
            what = _GONE.get(code or 0, str(error))
            remedy = "check cable and power, close ThorCam, then connect again"
            return ConnectionLostError(self._device, command, what, remedy)
        if isinstance(error, OSError):
            return DeviceError(self._device, command, str(error), "install ThorCam")
        return DeviceRefusedError(self._device, command, str(error), "look at the settings")

    def info(self) -> tuple[str, str, str]:
        """Return model of the sensor, serial number and version of the library."""
        with self._translated("is_GetCameraInfo"):
            info = self._camera.get_device_info()
        return str(info.model), str(info.serial_number), str(info.dll_version)

    def sensor(self) -> tuple[int, int, float]:
        """Return columns, rows, and the pixel pitch in um."""
        with self._translated("is_GetSensorInfo"):
            columns, rows = self._camera.get_detector_size()
            hundredths = self._camera.lib.is_GetSensorInfo(self._camera.hcam).wPixelSize
        return int(columns), int(rows), 0.01 * float(hundredths)

    def choose_format(self, name: str) -> None:
        """Set the format of pixels, like ``mono10``.

        Raises:
            DeviceRefusedError: The camera does not have it.
        """
        with self._translated("is_SetColorMode"):
            known: list[str] = self._camera.get_all_color_modes()
            if name in known:
                self._camera.set_color_mode(name)
                return
        raise DeviceRefusedError(
            self._device, name, f"it has {', '.join(known)}", "write its bits in the set-up"
        )

    def exposure_step_s(self) -> float:
        """Return the distance of two exposures, s."""
        with self._translated("is_Exposure"):
            span = self._camera.lib.is_Exposure(
                self._camera.hcam, _EXPOSURE_RANGE, ctypes.c_double * 3
            )
            return 1e-3 * float(span[2])

    def exposure_limits_s(self) -> tuple[float, float]:
        """Return shortest and longest exposure at the longest frame time, s."""
        with self._translated("is_Exposure"):
            lib, handle = self._camera.lib, self._camera.hcam
            span = lib.is_Exposure(handle, _EXPOSURE_RANGE, ctypes.c_double * 3)
            longest_s = float(lib.is_GetFrameTimeRange(handle)[1])
            # What of a frame's time no exposure can have is the same at every frame rate.
            blank_s = float(self._camera.get_frame_timings().frame_period) - 1e-3 * float(span[1])
        return 1e-3 * float(span[0]), longest_s - max(blank_s, 0.0)

    def set_exposure(self, exposure_s: float) -> float:
        """Set the exposure, s, and a frame time that leaves room for it; returns what is held."""
        with self._translated("is_Exposure"):
            # The frame time bounds the exposure, so it is set first; the least is taken by itself.
            self._camera.set_frame_period(exposure_s + 1e-3)
            return float(self._camera.set_exposure(exposure_s))

    def frame_time_s(self) -> float:
        """Return the time from one frame to the next, s."""
        with self._translated("is_SetFrameRate"):
            return float(self._camera.get_frame_timings().frame_period)

    def largest_gain(self) -> float:
        """Return the largest factor of the analog gain."""
        with self._translated("is_SetHWGainFactor"):
            return float(self._camera.get_max_gains()[0])

    def set_gain(self, factor: float) -> float:
        """Set the factor of the analog gain; returns what is held."""
        with self._translated("is_SetHWGainFactor"):
            # pylablib cuts hundredths off: 2.3 is 229.99999 of them.
            return float(self._camera.set_gains(master=factor + 1e-6)[0])

    def region_steps(self) -> tuple[int, int]:
        """Return the steps of a region in columns and rows."""
        with self._translated("is_AOI"):
            horizontal, vertical = self._camera.get_roi_limits()
        return int(horizontal.sstep), int(vertical.sstep)

    def set_region(self, x0: int, width: int, y0: int, height: int) -> tuple[int, int, int, int]:
        """Set a region without binning; returns x0, width, y0, height as held."""
        with self._translated("is_AOI"):
            left, right, top, bottom, *_ = self._camera.set_roi(x0, x0 + width, y0, y0 + height)
        return int(left), int(right - left), int(top), int(bottom - top)

    def start(self) -> None:
        """Start the video."""
        with self._translated("is_CaptureVideo"):
            self._camera.start_acquisition(nframes=_RING)

    def frames(self) -> int:
        """Return how many frames have come since the start."""
        with self._translated("is_CameraStatus"):
            return int(self._camera.get_frames_status().acquired)

    def oldest(self) -> NDArray[np.uint16]:
        """Return the oldest frame that has not been read, shape (row, column)."""
        with self._translated("is_CopyImageMem"):
            frame = self._camera.read_oldest_image()
        return np.asarray(frame, dtype=np.uint16)

    def stop(self) -> None:
        """Stop the video."""
        with self._translated("is_StopLiveVideo"):
            self._camera.stop_acquisition()

    def running(self) -> bool:
        """Whether the video runs."""
        with self._translated("is_CaptureVideo"):
            return bool(self._camera.acquisition_in_progress())
