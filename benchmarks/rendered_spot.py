"""Pictures of the laser spot straight from the world's renderer, and the fluence that they give."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    ImageScale,
    Measured,
    SpotSize,
    measure_spot,
    spot_size,
)
from labctl.clock import EventQueue
from labctl.host import seeder
from labctl.optics import Excitation
from labctl_sim.sample import Sample, load_sample
from labctl_sim.world import LaserTruth, World
from labctl_sim.world.imaging import ImagingSensor, ImagingTruth

__all__ = ["SpotRun", "measured_spot"]

_SAMPLE = {
    "schema_version": 1,
    "name": "one dot",
    "composition": "CsPbBr3",
    "dots": {"A1": {"edge_length": "23 nm", "lifetime": "180 ps"}},
}
Frames = NDArray[np.float64]
_REGION = (591, 128, 435, 128)
_FRAMES, _EXPOSURE_S = 4, 5e-3
_NOMINAL_UM, _SCALE_REL, _POWER_REL = 5.3 / 60.0, 0.02, 0.06
_POINT_UM = Measured(0.14, 0.04)
_RATE_HZ, _POWER_W = 1e7, 2e-6


@dataclass(frozen=True)
class SpotRun:
    """What was measured of a spot, and what it really is.

    Attributes:
        size: As the calibration ``spot_size`` has it.
        fluence_uj_cm2: Of a power that was measured, too.
        diameters_um: True 1/e² diameters along x and y.
        true_uj_cm2: True peak fluence.
    """

    size: SpotSize
    fluence_uj_cm2: Measured
    diameters_um: tuple[float, float]
    true_uj_cm2: float


def measured_spot(seed: int) -> SpotRun:
    """Draw a spot, a camera and a power meter as well as they are known, and measure."""
    rng = np.random.default_rng(seed)
    diameter_um, ratio = float(rng.uniform(2.0, 2.8)), float(rng.uniform(0.85, 1.15))
    # Whatever it is, the width of a point's image is positive.
    point_um = abs(float(rng.normal(_POINT_UM.value, _POINT_UM.error)))
    laser = LaserTruth(spot_1e2_diameter_um=diameter_um, spot_ratio=ratio, peak_fluence_uj_cm2=3.0)
    truth = ImagingTruth(
        um_per_pixel=_NOMINAL_UM * float(rng.normal(1.0, _SCALE_REL)),
        psf_sd_um=point_um,
        focus_offset_um=0.0,
    )
    bright, dark = _pictures(seed, laser, truth)
    believed = Measured(_NOMINAL_UM, _SCALE_REL * _NOMINAL_UM)
    scale = ImageScale(believed, Measured(1.8, 0.2), mirrored=True, rms_um=0.0)
    believed_px = 0.25 * 2.4 / _NOMINAL_UM
    size = spot_size(measure_spot(bright, dark, believed_px), scale, _POINT_UM)
    stretched = math.sqrt(ratio)
    really = Excitation(_RATE_HZ, diameter_um)
    power_w = _POWER_W * float(rng.normal(1.0, _POWER_REL))
    return SpotRun(
        size,
        _fluence(power_w, size),
        (diameter_um * stretched, diameter_um / stretched),
        really.fluence_uj_cm2(_POWER_W),
    )


def _fluence(power_w: float, size: SpotSize) -> Measured:
    spot = size.diameter_um
    excitation = Excitation(_RATE_HZ, spot.value, spot.error / spot.value)
    value = excitation.fluence_uj_cm2(power_w)
    return Measured(value, value * (excitation.fluence_error_rel(_POWER_REL) or math.nan))


@lru_cache(maxsize=1)
def _sample() -> Sample:
    return load_sample(_SAMPLE)


def _pictures(seed: int, laser: LaserTruth, truth: ImagingTruth) -> tuple[Frames, Frames]:
    queue = EventQueue()
    world = World(
        sample=_sample(),
        dot="A1",
        laser=laser,
        now=queue.now,
        schedule=queue.schedule,
        seed=seeder(seed),
        memory=False,
    )
    world.stage_um = (0.0, 0.0, 0.0)
    world.table.imaging_density = 3.0
    sensor = ImagingSensor(world, truth, "imaging_camera")

    def frames(lit: bool, first: int) -> Frames:
        world.table.laser_on = world.table.shutter_open = lit
        return np.stack(
            [
                sensor.render(
                    frame=first + number,
                    start_s=queue.now(),
                    exposure_s=_EXPOSURE_S,
                    gain=1.0,
                    region=_REGION,
                )
                for number in range(_FRAMES)
            ]
        ).astype(np.float64)

    return frames(True, _FRAMES), frames(False, 0)
