"""Which values a parameter may have: what the camera is capable of, and what it requires now."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from labctl_sim.princeton import _picam_parameters as p
from labctl_sim.princeton._picam_sensor import Sensor

__all__ = [
    "LOW_NOISE",
    "MULTIPLIED",
    "Collection",
    "Constraint",
    "Range",
    "Region",
    "Regions",
    "Rules",
]

LOW_NOISE, MULTIPLIED = 1, 3
"""Values of ADC Quality."""

_SPEEDS_MHZ = {LOW_NOISE: (0.1, 1.0, 5.0), MULTIPLIED: (5.0, 10.0)}
_EXPOSURE_STEP_MS = 0.001

Region = tuple[int, int, int, int, int, int]
"""x, width, x binning, y, height, y binning, in sensor pixels."""


@dataclass(frozen=True)
class Range:
    """Values between two ends on a grid that starts at the lower end."""

    minimum: float
    maximum: float
    step: float

    def nearest(self, value: float) -> float | None:
        """Return the value on the grid, None if it is outside the range."""
        if not self.minimum <= value <= self.maximum:
            return None
        return self.minimum + round((value - self.minimum) / self.step) * self.step


@dataclass(frozen=True)
class Collection:
    """Single values; enumerations and Booleans are numbers here, too."""

    values: tuple[float, ...]

    def nearest(self, value: float) -> float | None:
        """Return the member that equals the value, None if there is none."""
        return next((v for v in self.values if math.isclose(v, value, abs_tol=1e-9)), None)


@dataclass(frozen=True)
class Regions:
    """One region inside the sensor; its sides are multiples of the binning."""

    columns: int
    rows: int

    def holds(self, region: Region) -> bool:
        """Whether the region lies inside the sensor."""
        x, width, x_binning, y, height, y_binning = region
        return (
            min(x, y) >= 0
            and min(width, height, x_binning, y_binning) >= 1
            and x + width <= self.columns
            and y + height <= self.rows
        )

    def aligned(self, region: Region) -> bool:
        """Whether the sides are multiples of the binning."""
        _, width, x_binning, _, height, y_binning = region
        return width % x_binning == 0 and height % y_binning == 0


Constraint = Range | Collection | Regions

_YES_NO = Collection((0.0, 1.0))
_FIXED_LISTS: dict[str, Sequence[float]] = {
    "Shutter Timing Mode": (1, 2, 3),
    "ADC Bit Depth": (16,),
    "ADC Analog Gain": (1, 2, 3),
    "ADC Quality": (LOW_NOISE, MULTIPLIED),
    "Trigger Response": (1, 2, 5),
    "Trigger Determination": (3, 4),
    "Output Signal": (1, 2, 3, 4, 5, 6, 8, 10, 11),
    "Readout Control Mode": (1,),
    "Readout Port Count": (1,),
    "Vertical Shift Rate": (2.0, 5.0, 10.0),
    "Pixel Format": (1,),
    "Time Stamps": (0, 1, 2, 3),
    "Time Stamp Resolution": (1_000_000,),
    "Time Stamp Bit Depth": (64,),
    "Frame Tracking Bit Depth": (64,),
}
_FIXED_RANGES = {
    "Exposure Time": Range(0.0, 1e7, _EXPOSURE_STEP_MS),
    "Shutter Opening Delay": Range(0.0, 1000.0, 0.001),
    "Shutter Closing Delay": Range(0.0, 1000.0, 0.001),
    "Readout Count": Range(0, 2**31 - 1, 1),
    "Clean Cycle Count": Range(0, 10, 1),
}


class Rules:
    """The constraints of one camera."""

    def __init__(self, sensor: Sensor) -> None:
        """Take limits that follow from the sensor."""
        self._ranges = {
            **_FIXED_RANGES,
            "Clean Cycle Height": Range(1, sensor.rows, 1),
            "Sensor Temperature Set Point": Range(sensor.coldest_c, 25.0, 0.01),
        }
        self._regions = Regions(sensor.columns, sensor.rows)

    def capable(self, parameter: p.Parameter) -> Constraint:
        """Every value that some configuration allows."""
        if parameter is p.ADC_SPEED:
            return Collection(tuple(sorted({s for speeds in _SPEEDS_MHZ.values() for s in speeds})))
        return self.required(parameter, MULTIPLIED)

    def required(self, parameter: p.Parameter, quality: int) -> Constraint:
        """The values that are allowed together with this ADC quality."""
        if parameter is p.ADC_SPEED:
            return Collection(_SPEEDS_MHZ[quality])
        if parameter is p.ADC_EM_GAIN:
            return Range(1, 1000 if quality == MULTIPLIED else 1, 1)
        if parameter is p.ROIS:
            return self._regions
        if parameter.kind is p.Kind.BOOLEAN:
            return _YES_NO
        if parameter.words in self._ranges:
            return self._ranges[parameter.words]
        return Collection(tuple(float(v) for v in _FIXED_LISTS[parameter.words]))

    @staticmethod
    def dependent(parameter: p.Parameter) -> bool:
        """Whether its constraint changes with other parameters."""
        return parameter in (p.ADC_SPEED, p.ADC_EM_GAIN)
