"""How frames are taken: the light is let in for the exposures and for nothing else."""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from labctl.errors import DeviceError, LabctlError
from labctl.measurements._context import Array, Bank, Context, Grown
from labctl.measurements._laser_light import check_emitting, let_emit
from labctl.measurements._lit import Onto
from labctl.roles import Camera, CameraSettings, Shutter

__all__ = ["Exposure", "Taken", "excitation", "expose"]

_READOUT_MARGIN_S = 10.0
_RETAKES = 2
FRAME_DROPPED = 1 << 8
"""The flag of this name of ``labctl.storage.Quality``."""


@dataclass(frozen=True)
class Exposure:
    """A series of equal frames.

    Attributes:
        settings: Camera settings.
        frames: Number of frames.
        light: Whether the excitation shutter opens (False: a dark or lamp exposure).
        unlocked_sensor: Whether a sensor that is not at its temperature is accepted.
        name: Name under which frames are banked when a pause breaks the series.
        shown: Returns what displays shall see of the frames so far; None: nothing.
        onto: Tells what was lit; None: what is in the spot.
    """

    settings: CameraSettings
    frames: int
    light: bool = True
    unlocked_sensor: bool = False
    name: str = "frames"
    shown: Callable[[NDArray[np.uint16]], Grown] | None = None
    onto: Onto | None = None


@dataclass(frozen=True, eq=False)
class Taken:
    """Frames that were taken.

    Attributes:
        counts: Shape (frame, row, column), dtype uint16.
        lost: Number of frames that were lost on the way and taken once more.
    """

    counts: NDArray[np.uint16]
    lost: int = 0

    @property
    def quality(self) -> int:
        """Flag of a point with lost frames: its frames are whole, but not in one series."""
        return FRAME_DROPPED if self.lost else 0


@dataclass
class _Series:
    """What of a series is there."""

    frames: list[NDArray[np.uint16]] = field(default_factory=list[NDArray[np.uint16]])
    lost: int = 0
    retakes: int = 0


def expose(context: Context, camera: Camera, exposure: Exposure) -> Taken:
    """Configure the camera and take the frames; EM gain only after a preview without it.

    Frames that are lost on the way to the computer are taken once more at the end of the series,
    with a warning; the third time that the series is not whole is an error.

    Raises:
        RefusedError: The camera's guard refuses the gain or the sensor is not locked.
        ProtectionError: Too much light at gain; the camera has been made safe.
        DeviceError: Frames were lost again and again, or have not come.
    """
    series = _Series()
    while len(series.frames) < exposure.frames:
        banked = len(series.frames)
        try:
            _take_frames(context, camera, exposure, series)
        except Bank:
            # After a pause the light may be another one, so the next round begins with a preview.
            _bank(context, exposure, series.frames[banked:], banked)
    return Taken(np.stack(series.frames), series.lost)


def _take_frames(context: Context, camera: Camera, exposure: Exposure, series: _Series) -> None:
    if exposure.settings.em_gain > 1:
        preview(context, camera, exposure)
    _acquire(context, camera, exposure, series, exposure.frames)


def preview(context: Context, camera: Camera, exposure: Exposure) -> None:
    """Take one frame at gain 1, by which the camera's guard judges a gain."""
    without = replace(exposure, settings=replace(exposure.settings, em_gain=1))
    _acquire(context, camera, without, _Series(), 1)


def _acquire(
    context: Context, camera: Camera, exposure: Exposure, series: _Series, end: int
) -> None:
    # The guard of the camera looks at the settings first, and only then may its shutter open.
    camera.configure(exposure.settings)
    camera.set_shutter(True)
    with excitation(context, exposure.light, exposure.onto):
        try:
            while len(series.frames) < end:
                _collect(context, camera, exposure, series, end)
        except Bank:
            # Before the light ends: a frame that is read out while the shutter closes is no frame.
            series.frames.extend(camera.read_frames())
            series.lost += camera.lost_frames()
            camera.stop()
            raise


def _bank(
    context: Context, exposure: Exposure, frames: list[NDArray[np.uint16]], first: int
) -> None:
    arrays = [_as_array(exposure.name, frames)] if frames else []
    live_time_s = len(frames) * exposure.settings.exposure_s
    context.part(arrays, first=first, frames=len(frames), live_time_s=live_time_s)


@contextmanager
def excitation(context: Context, wanted: bool, onto: Onto | None = None) -> Generator[None]:
    """Switch the laser on and open its shutter for the block; close it whatever happens.

    ``onto`` tells afterwards what was lit; None: what is in the spot.

    Raises:
        DeviceError: The laser does not emit, or went out meanwhile: there was no light.
    """
    if not wanted:
        yield
        return
    let_emit(context)
    shutter = context.station.only(Shutter, prefer="shutter")
    began_s = context.clock.now()
    try:
        shutter.set_open(True)
        # Light came at some time between order and answer, and so it will end.
        began_s = 0.5 * (began_s + context.clock.now())
        yield
    except BaseException:
        # What went wrong first is what the user has to know; a shutter that does not close now is
        # closed again, and told of, when the run is made safe.
        with suppress(LabctlError, OSError):
            shutter.set_open(False)
        context.exposed(context.clock.now() - began_s, onto and onto())
        raise
    closing_s = context.clock.now()
    shutter.set_open(False)
    ended_s = 0.5 * (closing_s + context.clock.now())
    context.exposed(ended_s - began_s, onto and onto())
    check_emitting(context)


def _collect(
    context: Context, camera: Camera, exposure: Exposure, series: _Series, end: int
) -> None:
    """Take the frames that are missing; lost ones stay missing."""
    frames = series.frames
    camera.start(end - len(frames), allow_unlocked=exposure.unlocked_sensor)
    while len(frames) < end and (camera.acquiring() or camera.frames_ready()):
        context.wait_until(
            lambda: camera.frames_ready() > 0 or not camera.acquiring(),
            timeout_s=camera.frame_time_s() + _READOUT_MARGIN_S,
            what=f"{camera.name} frame {len(frames) + 1} of {end}",
            bankable=True,
        )
        frames.extend(camera.read_frames())
        context.progress(f"frame {len(frames)} of {end}", len(frames) / end)
        _show(context, exposure, frames, end)
    lost = max(camera.lost_frames(), end - len(frames))
    camera.stop()
    if lost:
        _count_lost(context, camera, series, lost, end)


def _show(context: Context, exposure: Exposure, frames: list[NDArray[np.uint16]], end: int) -> None:
    """Show what has come; the last frame is shown with the point that follows."""
    shown = exposure.shown
    if shown is not None and 0 < len(frames) < end:
        context.show(lambda: shown(np.stack(frames)))


def _count_lost(context: Context, camera: Camera, series: _Series, lost: int, end: int) -> None:
    series.lost += lost
    missing = end - len(series.frames)
    if missing and series.retakes == _RETAKES:
        what = f"{lost} frames were lost, after {series.lost - lost} that were taken again"
        raise DeviceError(camera.name, "read frames", what, "read out slower or bin more")
    series.retakes += 1
    again = f"; {missing} are taken again" if missing else ""
    context.message("warning", camera.name, f"{lost} frames were lost{again}")


def _as_array(name: str, frames: list[NDArray[np.uint16]]) -> Array:
    return Array(name, np.stack(frames), "counts", ("frame", "y", "x"))
