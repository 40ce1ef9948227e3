"""How frames are taken: the light is let in for the exposures and for nothing else."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labctl.errors import DeviceError, LabctlError
from labctl.measurements._context import Array, Bank, Context
from labctl.roles import Camera, CameraSettings, Shutter

__all__ = ["Exposure", "excitation", "expose"]

_READOUT_MARGIN_S = 10.0


@dataclass(frozen=True)
class Exposure:
    """A series of equal frames.

    Attributes:
        settings: Camera settings.
        frames: Number of frames.
        light: Whether the excitation shutter opens (False: a dark or lamp exposure).
        unlocked_sensor: Whether a sensor that is not at its temperature is accepted.
        name: Name under which frames are banked when a pause breaks the series.
    """

    settings: CameraSettings
    frames: int
    light: bool = True
    unlocked_sensor: bool = False
    name: str = "frames"


def expose(context: Context, camera: Camera, exposure: Exposure) -> NDArray[np.uint16]:
    """Configure the camera and take the frames; EM gain only after a preview without it.

    Returns:
        Counts, shape (frame, row, column), dtype uint16.

    Raises:
        RefusedError: The camera's guard refuses the gain or the sensor is not locked.
        ProtectionError: Too much light at gain; the camera has been made safe.
        DeviceError: Frames were lost, or have not come.
    """
    taken: list[NDArray[np.uint16]] = []
    while len(taken) < exposure.frames:
        banked = len(taken)
        try:
            _take_frames(context, camera, exposure, taken)
        except Bank:
            # After a pause the light may be another one, so the next round begins with a preview.
            _bank(context, exposure, taken[banked:], banked)
    return np.stack(taken)


def _take_frames(
    context: Context, camera: Camera, exposure: Exposure, taken: list[NDArray[np.uint16]]
) -> None:
    if exposure.settings.em_gain > 1:
        preview = replace(exposure, settings=replace(exposure.settings, em_gain=1))
        _acquire(context, camera, preview, [], 1)
    _acquire(context, camera, exposure, taken, exposure.frames)


def _acquire(
    context: Context,
    camera: Camera,
    exposure: Exposure,
    taken: list[NDArray[np.uint16]],
    end: int,
) -> None:
    # The guard of the camera looks at the settings first, and only then may its shutter open.
    camera.configure(exposure.settings)
    camera.set_shutter(True)
    with excitation(context, exposure.light):
        try:
            _collect(context, camera, exposure, taken, end)
        except Bank:
            # Before the light ends: a frame that is read out while the shutter closes is no frame.
            taken.extend(camera.read_frames())
            camera.stop()
            raise


def _bank(
    context: Context, exposure: Exposure, frames: list[NDArray[np.uint16]], first: int
) -> None:
    arrays = [_as_array(exposure.name, frames)] if frames else []
    live_time_s = len(frames) * exposure.settings.exposure_s
    context.part(arrays, first=first, frames=len(frames), live_time_s=live_time_s)


@contextmanager
def excitation(context: Context, wanted: bool) -> Generator[None]:
    """Open the excitation shutter for the block, and close it whatever happens."""
    if not wanted:
        yield
        return
    shutter = context.station.only(Shutter, prefer="shutter")
    try:
        shutter.set_open(True)
        yield
    except BaseException:
        # What went wrong first is what the user has to know; a shutter that does not close now is
        # closed again, and told of, when the run is made safe.
        with suppress(LabctlError, OSError):
            shutter.set_open(False)
        raise
    shutter.set_open(False)


def _collect(
    context: Context,
    camera: Camera,
    exposure: Exposure,
    taken: list[NDArray[np.uint16]],
    end: int,
) -> None:
    camera.start(end - len(taken), allow_unlocked=exposure.unlocked_sensor)
    while len(taken) < end:
        context.wait_until(
            lambda: camera.frames_ready() > 0,
            timeout_s=camera.frame_time_s() + _READOUT_MARGIN_S,
            what=f"{camera.name} frame {len(taken) + 1} of {end}",
            bankable=True,
        )
        taken.extend(camera.read_frames())
        context.progress(f"frame {len(taken)} of {end}", len(taken) / end)
        _check_lost(camera)
    camera.stop()


def _check_lost(camera: Camera) -> None:
    lost = camera.lost_frames()
    if lost:
        # A camera that knows why says so itself.
        camera.acquiring()
        raise DeviceError(
            camera.name, "read frames", f"{lost} frames were lost", "read out slower or bin more"
        )


def _as_array(name: str, frames: list[NDArray[np.uint16]]) -> Array:
    return Array(name, np.stack(frames), "counts", ("frame", "y", "x"))
