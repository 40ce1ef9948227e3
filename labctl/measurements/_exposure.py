"""How frames are taken: the light is let in for the exposures and for nothing else."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labctl.errors import DeviceError
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
    """

    settings: CameraSettings
    frames: int
    light: bool = True
    unlocked_sensor: bool = False


def expose(context: Context, camera: Camera, exposure: Exposure) -> NDArray[np.uint16]:
    """Configure the camera and take the frames; EM gain only after a preview without it.

    Returns:
        Counts, shape (frame, row, column), dtype uint16.

    Raises:
        RefusedError: The camera's guard refuses the gain or the sensor is not locked.
        ProtectionError: Too much light at gain; the camera has been made safe.
        DeviceError: Frames were lost, or have not come.
    """
    camera.set_shutter(True)
    _prepare_gain(context, camera, exposure)
    camera.configure(exposure.settings)
    return _take_frames(context, camera, exposure)


def _prepare_gain(context: Context, camera: Camera, exposure: Exposure) -> None:
    """Take the preview at gain 1 that the camera asks for before it multiplies."""
    if exposure.settings.em_gain <= 1:
        return
    preview = replace(exposure, settings=replace(exposure.settings, em_gain=1), frames=1)
    camera.configure(preview.settings)
    _take_frames(context, camera, preview)


def _take_frames(context: Context, camera: Camera, exposure: Exposure) -> NDArray[np.uint16]:
    """Take the frames with the settings that the camera holds; a pause may bank what has come."""
    taken: list[NDArray[np.uint16]] = []
    while len(taken) < exposure.frames:
        left = exposure.frames - len(taken)
        try:
            with excitation(context, exposure.light):
                _collect(context, camera, exposure, left, taken)
        except Bank:
            taken.extend(camera.read_frames())
            camera.stop()
            context.part([_as_array(taken)], frames=len(taken))
            camera.set_shutter(True)
            camera.configure(exposure.settings)
    return np.stack(taken)


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
    finally:
        shutter.set_open(False)


def _collect(
    context: Context,
    camera: Camera,
    exposure: Exposure,
    wanted: int,
    taken: list[NDArray[np.uint16]],
) -> None:
    camera.start(wanted, allow_unlocked=exposure.unlocked_sensor)
    end = len(taken) + wanted
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
        raise DeviceError(
            camera.name, "read frames", f"{lost} frames were lost", "read out slower or bin more"
        )


def _as_array(frames: list[NDArray[np.uint16]]) -> Array:
    return Array("frames", np.stack(frames), "counts", ("frame", "y", "x"))
