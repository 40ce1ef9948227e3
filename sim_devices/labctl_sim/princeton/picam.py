"""Simulated Princeton Instruments ProEM camera beneath the PICam library.

The camera itself (``PicamSimulator``) answers plain commands; ``PicamSimulator.face`` builds the
object with the library's functions that a client loads instead of ``picam.dll``.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl_sim.libraries import VendorError
from labctl_sim.princeton import _picam_parameters as p
from labctl_sim.princeton._picam_acquisition import Acquisition, FramePlan
from labctl_sim.princeton._picam_commands import CommitFailedError, ParameterCommands
from labctl_sim.princeton._picam_constraints import MULTIPLIED
from labctl_sim.princeton._picam_face import picam_library
from labctl_sim.princeton._picam_faults import FaultSwitches
from labctl_sim.princeton._picam_sensor import sensor_from
from labctl_sim.princeton._picam_session import Session
from labctl_sim.princeton._picam_settings import Settings
from labctl_sim.princeton._picam_words import Code
from labctl_sim.princeton._picam_world import PicamWorld
from labctl_sim.world import EmccdTruth, truth_defaults

__all__ = ["PicamSimulator"]

_ALWAYS_CLOSED = 2
_FULL_SCALE = 65535


class PicamSimulator(FaultSwitches):
    """One camera as the library sees it."""

    interface: ClassVar[str] = "library"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **truth_defaults(EmccdTruth),
        "frame_overhead_ms": 0.05,
        "commit_refusal": "list",
    }

    def __init__(
        self,
        name: str,
        world: PicamWorld,
        settings: Mapping[str, Any],
        truth: Mapping[str, Any],
    ) -> None:
        """Put the camera into the world, switched on, nobody connected.

        Args:
            name: Name of the instrument in the set-up.
            world: Time, light and noise.
            settings: See ``sensor_from``; other keys are ignored.
            truth: ``frame_overhead_ms`` (a frame takes so much longer than the library computes),
                ``commit_refusal`` ("list" or "code28": how this camera refuses an impossible
                combination), and what the renderer of the world knows.
        """
        super().__init__()
        self.name = name
        self._world = world
        self._overhead_s = float({**self.truth_defaults, **truth}["frame_overhead_ms"]) * 1e-3
        sensor = sensor_from(settings, truth)
        self._settings = Settings(sensor)
        seen = {"columns": sensor.columns, "rows": sensor.rows, "pixel_um": sensor.pixel_um}
        self._emccd = world.camera({**truth, **seen}, name)
        self._session = Session(sensor, self.faults)
        self._acquisition: Acquisition | None = None
        self._buffer_bytes = 0
        self._frame, self._frame_point = 0, ("", 0.0)
        self._commands: Mapping[str, Callable[..., Any]] = {
            **self._session_commands(),
            **self._parameter_commands({**self.truth_defaults, **truth}),
            **self._acquisition_commands(),
        }

    face = staticmethod(picam_library)

    def call(self, method: str, arguments: list[Any]) -> list[Any]:
        """Answer a command with the library's code and a value.

        Raises:
            KeyError: No such command; a mistake of the face, not of the client.
        """
        with self._world.lock:
            command = self._commands[method]
            try:
                return [int(Code.NONE), command(*arguments)]
            except VendorError as refusal:
                return [int(refusal.code), None]
            except CommitFailedError as failed:
                return [failed.code, failed.parameters]

    def fault_lose_connection(self) -> None:
        """Pull the cable: a running acquisition ends, every call fails."""
        with self._world.lock:
            super().fault_lose_connection()
            if self._acquisition is not None:
                self._acquisition.lose()

    def _session_commands(self) -> Mapping[str, Callable[..., Any]]:
        session = self._session
        return {
            "initialized": session.is_initialized,
            "initialize": session.initialize,
            "uninitialize": self._uninitialize,
            "camera_ids": session.camera_ids,
            "firmware": session.firmware,
            "open": session.open_camera,
            "close": self._close,
            "connected": session.connected,
            "camera_id": session.camera_id,
            "device": session.device,
            "check": session.need_camera,
        }

    def _parameter_commands(self, truth: Mapping[str, Any]) -> Mapping[str, Callable[..., Any]]:
        return ParameterCommands(
            self._session,
            self._settings,
            self._emccd,
            self.faults,
            refusal=str(truth["commit_refusal"]),
            need_rest=self._need_rest,
        ).commands()

    def _acquisition_commands(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "set_buffer": self._set_buffer,
            "buffer": self._buffer,
            "overrun": self._overrun,
            "start": self._start,
            "stop": self._stop,
            "running": self._running,
            "wait": self._wait,
        }

    def _uninitialize(self) -> None:
        self._session.need_library()
        self._let_go()
        self._session.initialized = False

    def drop_client(self) -> None:
        """Close what a program that has died had open; the rest stays as it was."""
        with self._world.lock:
            self._let_go()
            self._session.initialized = False

    def _close(self, handle: int | None) -> None:
        self._session.need_handle(handle)
        self._let_go()

    def _let_go(self) -> None:
        if self._acquisition is not None:
            self._acquisition.stop()
        self._acquisition, self._buffer_bytes, self._session.open = None, 0, False

    def _need_rest(self) -> None:
        if self._acquisition is not None and self._acquisition.running:
            raise VendorError(Code.ACQUISITION_IN_PROGRESS)

    def _set_buffer(self, device: int | None, size: int) -> None:
        self._session.need_device(device)
        self._need_rest()
        self._buffer_bytes = size

    def _buffer(self, device: int | None) -> int:
        self._session.need_device(device)
        return self._buffer_bytes

    def _overrun(self, device: int | None) -> int:
        self._session.need_device(device)
        return int(self._acquisition is not None and self._acquisition.overrun)

    def _start(self, handle: int | None) -> None:
        self._session.need_camera(handle)
        self._need_rest()
        if not self._settings.committed:
            raise VendorError(Code.PARAMETERS_NOT_COMMITTED)
        ring = self._buffer_bytes // self._settings.frame_bytes()
        if ring == 0:
            raise VendorError(Code.INVALID_ACQUISITION_BUFFER)
        frames = int(self._settings.number(p.READOUT_COUNT))
        self._acquisition = Acquisition(
            self._world, self.faults, self._plan, frames=frames, ring=ring
        )

    def _stop(self, handle: int | None) -> None:
        self._session.need_handle(handle)
        if self._acquisition is not None:
            self._acquisition.stop()

    def _running(self, handle: int | None) -> int:
        self._session.need_handle(handle)
        return int(self._acquisition is not None and self._acquisition.running)

    def _wait(self, handle: int | None, _time_out_ms: int) -> dict[str, Any]:
        self._session.need_handle(handle)
        if self._acquisition is None:
            raise VendorError(Code.ACQUISITION_NOT_IN_PROGRESS)
        update = self._acquisition.update()
        if update is None:
            raise VendorError(Code.TIME_OUT_OCCURRED)
        return {
            "offset": update.first * self._settings.frame_bytes(),
            "data": update.data,
            "count": update.count,
            "running": int(update.running),
            "errors": update.errors,
            "rate_hz": 1.0 / self._frame_s() if update.count else 0.0,
        }

    def _frame_s(self) -> float:
        return self._settings.timing().frame_s + self._overhead_s

    def _plan(self) -> FramePlan:
        return FramePlan(
            exposure_s=self._settings.timing().exposure_s,
            frame_s=self._frame_s(),
            render=self._renderer(),
            stamps=int(self._settings.number(p.TIME_STAMPS)),
            numbered=bool(self._settings.number(p.TRACK_FRAMES)),
            ticks_hz=self._settings.number(p.TIME_STAMP_RESOLUTION),
        )

    def _renderer(self) -> Callable[[float], NDArray[np.uint16]]:
        setting = self._settings.number
        multiplied = setting(p.ADC_QUALITY) == MULTIPLIED
        x, width, x_binning, y, height, y_binning = self._settings.region()
        arguments: dict[str, Any] = {
            "frame": self._next_frame(),
            "exposure_s": self._settings.timing().exposure_s,
            "em_gain": int(setting(p.ADC_EM_GAIN)) if multiplied else 1,
            "quality": "electron_multiplied" if multiplied else "low_noise",
            "adc_mhz": setting(p.ADC_SPEED),
            "analog_gain": int(setting(p.ADC_ANALOG_GAIN)),
            "shutter_open": setting(p.SHUTTER_TIMING_MODE) != _ALWAYS_CLOSED,
            "roi": (x, width, y, height),
            "binning": (x_binning, y_binning),
        }

        def render(start_s: float) -> NDArray[np.uint16]:
            image = self._emccd.render(start_s=start_s, **arguments)
            return np.full_like(image, _FULL_SCALE) if self.faults.saturated else image

        return render

    def _next_frame(self) -> int:
        """Number the frames since the point began, so that noise does not depend on history."""
        point = (self._world.point_id, self._world.point_began_s)
        if point != self._frame_point:
            self._frame, self._frame_point = 0, point
        number, self._frame = self._frame, self._frame + 1
        return number
