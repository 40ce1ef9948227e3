"""The parameter values of a simulated camera: what was set, and what was committed."""

from dataclasses import dataclass
from typing import cast

from labctl_sim.libraries import VendorError
from labctl_sim.princeton import _picam_parameters as p
from labctl_sim.princeton._picam_constraints import MULTIPLIED, Constraint, Region, Regions, Rules
from labctl_sim.princeton._picam_sensor import Sensor
from labctl_sim.princeton._picam_words import Code

__all__ = ["Settings", "Timing", "Value"]

Value = float | Region
"""A number of the parameter's kind, or one region."""

_START_VALUES: dict[str, float] = {
    "Exposure Time": 100.0,
    "Shutter Timing Mode": 1,
    "Shutter Opening Delay": 0.0,
    "Shutter Closing Delay": 0.0,
    "ADC Speed": 1.0,
    "ADC Bit Depth": 16,
    "ADC Analog Gain": 1,
    "ADC Quality": 1,
    "ADC EM Gain": 1,
    "Correct Pixel Bias": 1,
    "Trigger Response": 1,
    "Trigger Determination": 3,
    "Output Signal": 3,
    "Invert Output Signal": 0,
    "Readout Control Mode": 1,
    "Readout Port Count": 1,
    "Vertical Shift Rate": 5.0,
    "Normalize Orientation": 1,
    "Readout Count": 1,
    "Pixel Format": 1,
    "Time Stamps": 0,
    "Time Stamp Resolution": 1_000_000,
    "Time Stamp Bit Depth": 64,
    "Track Frames": 0,
    "Frame Tracking Bit Depth": 64,
    "Clean Serial Register": 0,
    "Clean Cycle Count": 1,
    "Clean Before Exposure": 1,
    "Clean Until Trigger": 1,
    "Disable Cooling Fan": 0,
}


@dataclass(frozen=True)
class Timing:
    """Duration of one frame in the calculation of the library.

    Attributes:
        exposure_s: Open to close.
        readout_s: Shifting and digitising, and the shutter's delays.
    """

    exposure_s: float
    readout_s: float

    @property
    def frame_s(self) -> float:
        """From the start of one exposure to the start of the next."""
        return self.exposure_s + self.readout_s


class Settings:
    """Values that the client set (the model) and values that the camera works with (committed)."""

    def __init__(self, sensor: Sensor) -> None:
        """Start with the defaults, committed."""
        self._sensor, self._rules = sensor, Rules(sensor)
        self._defaults: dict[p.Parameter, Value] = {
            p.named(words): value for words, value in _START_VALUES.items()
        }
        self._defaults[p.named("Clean Cycle Height")] = sensor.rows
        self._defaults[p.SENSOR_TEMPERATURE_SET_POINT] = sensor.set_point_c
        self._defaults[p.ROIS] = (0, sensor.columns, 1, 0, sensor.rows, 1)
        self._model = dict(self._defaults)
        self._committed = dict(self._defaults)

    @property
    def committed(self) -> bool:
        """Whether nothing was set since the last commit."""
        return self._model == self._committed

    def default(self, parameter: p.Parameter) -> Value:
        """Value after switching on."""
        return self._defaults[parameter]

    def restore_defaults(self) -> None:
        """Set every parameter to its default, without commit."""
        self._model = dict(self._defaults)

    def get(self, parameter: p.Parameter) -> Value:
        """Value that is set, or follows from the set ones."""
        if parameter in self._model:
            return self._model[parameter]
        return self._derived()[parameter.words]

    def number(self, parameter: p.Parameter) -> float:
        """Set value of a numeric parameter."""
        return cast(float, self._model[parameter])

    def region(self) -> Region:
        """Set region of interest."""
        return cast(Region, self._model[p.ROIS])

    def constraint(self, parameter: p.Parameter, *, capable: bool = False) -> Constraint:
        """What the parameter may be; by default together with the other set values."""
        if capable:
            return self._rules.capable(parameter)
        return self._rules.required(parameter, int(self.number(p.ADC_QUALITY)))

    def dependent(self, parameter: p.Parameter) -> bool:
        """Whether the constraint changes with other parameters."""
        return self._rules.dependent(parameter)

    def relevant(self, parameter: p.Parameter) -> bool:
        """Whether the value has an effect: EM gain needs the electron-multiplying port."""
        return parameter is not p.ADC_EM_GAIN or self.number(p.ADC_QUALITY) == MULTIPLIED

    def set(self, parameter: p.Parameter, value: Value) -> None:
        """Set a value; a value of a range falls on its grid.

        Raises:
            VendorError: The parameter is read only, or never has that value.
        """
        if not parameter.writable:
            raise VendorError(Code.PARAMETER_VALUE_IS_READ_ONLY)
        rule = self.constraint(parameter, capable=True)
        if isinstance(value, tuple):
            accepted = value if isinstance(rule, Regions) and rule.holds(value) else None
        else:
            accepted = None if isinstance(rule, Regions) else rule.nearest(value)
        if accepted is None:
            raise VendorError(Code.INVALID_PARAMETER_VALUE)
        self._model[parameter] = accepted

    def set_online(self, parameter: p.Parameter, value: Value) -> None:
        """Set and commit one value while an acquisition runs.

        Raises:
            VendorError: Not possible for this parameter, or not allowed now.
        """
        if not parameter.online:
            raise VendorError(Code.PARAMETER_IS_NOT_ONLINEABLE)
        if not self.relevant(parameter):
            raise VendorError(Code.PARAMETER_VALUE_IS_IRRELEVANT)
        before = self._model[parameter]
        self.set(parameter, value)
        if not self._valid(parameter):
            self._model[parameter] = before
            raise VendorError(Code.INVALID_PARAMETER_VALUE)
        self._committed[parameter] = self._model[parameter]

    def invalid(self) -> list[p.Parameter]:
        """Parameters whose value the others do not allow."""
        return [parameter for parameter in p.PARAMETERS if not self._valid(parameter)]

    def crop(self, columns: int) -> None:
        """Set a region of fewer columns, by a fault of the camera."""
        x, _, _, y, height, y_binning = self.region()
        self._model[p.ROIS] = (x, columns, 1, y, height, y_binning)

    def commit(self) -> None:
        """Give the set values to the camera."""
        self._committed = dict(self._model)

    def _valid(self, parameter: p.Parameter) -> bool:
        if parameter not in self._model or not self.relevant(parameter):
            return True
        rule, value = self.constraint(parameter), self._model[parameter]
        if isinstance(value, tuple):
            return isinstance(rule, Regions) and rule.aligned(value)
        return not isinstance(rule, Regions) and rule.nearest(value) is not None

    def timing(self) -> Timing:
        """Durations for the set values.

        The sensor has no storage area: every row is shifted out, and each binned row of the region
        is clocked through the whole serial register.
        """
        _, _, _, _, height, binning = self.region()
        columns = self._sensor.columns + self._sensor.left_margin + self._sensor.right_margin
        shift_s = self._sensor.rows * self.number(p.VERTICAL_SHIFT_RATE) * 1e-6
        digitise_s = height // binning * columns / (self.number(p.ADC_SPEED) * 1e6)
        delays_ms = 0.0
        if self.number(p.SHUTTER_TIMING_MODE) == 1:
            delays_ms = self.number(p.SHUTTER_OPENING_DELAY) + self.number(p.SHUTTER_CLOSING_DELAY)
        return Timing(
            exposure_s=self.number(p.EXPOSURE_TIME) * 1e-3,
            readout_s=shift_s + digitise_s + delays_ms * 1e-3,
        )

    def shape(self) -> tuple[int, int]:
        """Rows and columns of a frame after binning."""
        _, width, x_binning, _, height, y_binning = self.region()
        return height // y_binning, width // x_binning

    def metadata_bytes(self) -> int:
        """Bytes behind the pixels of a frame: two time stamps and the frame number."""
        stamps = int(self.number(p.TIME_STAMPS))
        return 8 * (stamps.bit_count() + int(self.number(p.TRACK_FRAMES)))

    def frame_bytes(self) -> int:
        """Pixels and metadata of one frame."""
        rows, columns = self.shape()
        return rows * columns * 2 + self.metadata_bytes()

    def _derived(self) -> dict[str, float]:
        sensor, timing = self._sensor, self.timing()
        return {
            "Readout Time Calculation": timing.readout_s * 1e3,
            "Readout Rate Calculation": 1.0 / timing.frame_s,
            "Frame Rate Calculation": 1.0 / timing.frame_s,
            "Frame Size": self.frame_bytes() - self.metadata_bytes(),
            "Frame Stride": self.frame_bytes(),
            "Readout Stride": self.frame_bytes(),
            "Frames per Readout": 1,
            "Pixel Bit Depth": 16,
            "Exact Readout Count Maximum": 2**31 - 1,
            "Orientation": 0,
            "Sensor Type": 1,
            "Sensor Active Width": sensor.columns,
            "Sensor Active Height": sensor.rows,
            "Sensor Active Left Margin": sensor.left_margin,
            "Sensor Active Right Margin": sensor.right_margin,
            "Sensor Active Top Margin": 0,
            "Sensor Active Bottom Margin": 0,
            "Sensor Masked Height": 0,
            "Pixel Width": sensor.pixel_um,
            "Pixel Height": sensor.pixel_um,
            "Pixel Gap Width": 0.0,
            "Pixel Gap Height": 0.0,
        }
