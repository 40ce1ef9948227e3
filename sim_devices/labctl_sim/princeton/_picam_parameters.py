"""The parameters of a simulated ProEM, as the library declares them.

A parameter's identifier is ``constraint type << 24 | value type << 16 | number`` (``picam.h``).
"""

from dataclasses import dataclass
from enum import IntEnum

from labctl_sim.princeton._picam_words import EnumeratedType

__all__ = [
    "ADC_ANALOG_GAIN",
    "ADC_BIT_DEPTH",
    "ADC_EM_GAIN",
    "ADC_QUALITY",
    "ADC_SPEED",
    "BY_ID",
    "EXPOSURE_TIME",
    "PARAMETERS",
    "READOUT_COUNT",
    "ROIS",
    "SENSOR_TEMPERATURE_READING",
    "SENSOR_TEMPERATURE_SET_POINT",
    "SENSOR_TEMPERATURE_STATUS",
    "SHUTTER_CLOSING_DELAY",
    "SHUTTER_OPENING_DELAY",
    "SHUTTER_TIMING_MODE",
    "TIME_STAMPS",
    "TIME_STAMP_RESOLUTION",
    "TRACK_FRAMES",
    "VERTICAL_SHIFT_RATE",
    "Kind",
    "Parameter",
    "Rule",
    "named",
]


class Kind(IntEnum):
    """Value types."""

    INTEGER = 1
    FLOATING_POINT = 2
    BOOLEAN = 3
    ENUMERATION = 4
    ROIS = 5
    LARGE_INTEGER = 6


class Rule(IntEnum):
    """Constraint types; a parameter without constraint is read only."""

    NONE = 1
    RANGE = 2
    COLLECTION = 3
    ROIS = 4


@dataclass(frozen=True)
class Parameter:
    """Declaration of one parameter.

    Attributes:
        number: The vendor's number.
        words: What the library calls it.
        kind: Value type.
        rule: Constraint type.
        words_of_values: Type of its enumeration.
        readable: Read from the hardware (``Picam_ReadParameter…``), not from the model.
        online: May change while an acquisition runs.
    """

    number: int
    words: str
    kind: Kind
    rule: Rule
    words_of_values: EnumeratedType | None = None
    readable: bool = False
    online: bool = False

    @property
    def id(self) -> int:
        """Identifier in the library's calls."""
        return self.rule << 24 | self.kind << 16 | self.number

    @property
    def writable(self) -> bool:
        """Whether a client may set it."""
        return self.rule is not Rule.NONE


_INT, _FLOAT, _BOOL, _ENUM = Kind.INTEGER, Kind.FLOATING_POINT, Kind.BOOLEAN, Kind.ENUMERATION
_LARGE = Kind.LARGE_INTEGER
_FIXED, _RANGE, _LIST = Rule.NONE, Rule.RANGE, Rule.COLLECTION
_Type = EnumeratedType

EXPOSURE_TIME = Parameter(23, "Exposure Time", _FLOAT, _RANGE, online=True)
SHUTTER_TIMING_MODE = Parameter(24, "Shutter Timing Mode", _ENUM, _LIST, _Type.SHUTTER_TIMING_MODE)
SHUTTER_CLOSING_DELAY = Parameter(25, "Shutter Closing Delay", _FLOAT, _RANGE)
SHUTTER_OPENING_DELAY = Parameter(46, "Shutter Opening Delay", _FLOAT, _RANGE)
ADC_SPEED = Parameter(33, "ADC Speed", _FLOAT, _LIST)
ADC_BIT_DEPTH = Parameter(34, "ADC Bit Depth", _INT, _LIST)
ADC_ANALOG_GAIN = Parameter(35, "ADC Analog Gain", _ENUM, _LIST, _Type.ADC_ANALOG_GAIN)
ADC_QUALITY = Parameter(36, "ADC Quality", _ENUM, _LIST, _Type.ADC_QUALITY)
ADC_EM_GAIN = Parameter(53, "ADC EM Gain", _INT, _RANGE, online=True)
ROIS = Parameter(37, "ROIs", Kind.ROIS, Rule.ROIS)
READOUT_COUNT = Parameter(40, "Readout Count", _LARGE, _RANGE)
VERTICAL_SHIFT_RATE = Parameter(13, "Vertical Shift Rate", _FLOAT, _LIST)
TIME_STAMPS = Parameter(68, "Time Stamps", _ENUM, _LIST, _Type.TIME_STAMPS)
TIME_STAMP_RESOLUTION = Parameter(69, "Time Stamp Resolution", _LARGE, _LIST)
TRACK_FRAMES = Parameter(71, "Track Frames", _BOOL, _LIST)
SENSOR_TEMPERATURE_SET_POINT = Parameter(14, "Sensor Temperature Set Point", _FLOAT, _RANGE)
SENSOR_TEMPERATURE_READING = Parameter(
    15, "Sensor Temperature Reading", _FLOAT, _FIXED, readable=True
)
SENSOR_TEMPERATURE_STATUS = Parameter(
    16,
    "Sensor Temperature Status",
    _ENUM,
    _FIXED,
    _Type.SENSOR_TEMPERATURE_STATUS,
    readable=True,
)

PARAMETERS = (
    EXPOSURE_TIME,
    SHUTTER_TIMING_MODE,
    SHUTTER_OPENING_DELAY,
    SHUTTER_CLOSING_DELAY,
    ADC_SPEED,
    ADC_BIT_DEPTH,
    ADC_ANALOG_GAIN,
    ADC_QUALITY,
    ADC_EM_GAIN,
    Parameter(106, "Correct Pixel Bias", _BOOL, _LIST),
    Parameter(30, "Trigger Response", _ENUM, _LIST, _Type.TRIGGER_RESPONSE),
    Parameter(31, "Trigger Determination", _ENUM, _LIST, _Type.TRIGGER_DETERMINATION),
    Parameter(32, "Output Signal", _ENUM, _LIST, _Type.OUTPUT_SIGNAL),
    Parameter(52, "Invert Output Signal", _BOOL, _LIST),
    Parameter(26, "Readout Control Mode", _ENUM, _LIST, _Type.READOUT_CONTROL_MODE),
    Parameter(27, "Readout Time Calculation", _FLOAT, _FIXED),
    Parameter(28, "Readout Port Count", _INT, _LIST),
    VERTICAL_SHIFT_RATE,
    ROIS,
    Parameter(38, "Orientation", _ENUM, _FIXED, _Type.ORIENTATION),
    Parameter(39, "Normalize Orientation", _BOOL, _LIST),
    READOUT_COUNT,
    Parameter(77, "Exact Readout Count Maximum", _LARGE, _FIXED),
    Parameter(41, "Pixel Format", _ENUM, _LIST, _Type.PIXEL_FORMAT),
    Parameter(42, "Frame Size", _INT, _FIXED),
    Parameter(43, "Frame Stride", _INT, _FIXED),
    Parameter(44, "Frames per Readout", _INT, _FIXED),
    Parameter(45, "Readout Stride", _INT, _FIXED),
    Parameter(48, "Pixel Bit Depth", _INT, _FIXED),
    Parameter(50, "Readout Rate Calculation", _FLOAT, _FIXED),
    Parameter(51, "Frame Rate Calculation", _FLOAT, _FIXED),
    TIME_STAMPS,
    TIME_STAMP_RESOLUTION,
    Parameter(70, "Time Stamp Bit Depth", _INT, _LIST),
    TRACK_FRAMES,
    Parameter(72, "Frame Tracking Bit Depth", _INT, _LIST),
    Parameter(57, "Sensor Type", _ENUM, _FIXED, _Type.SENSOR_TYPE),
    Parameter(59, "Sensor Active Width", _INT, _FIXED),
    Parameter(60, "Sensor Active Height", _INT, _FIXED),
    Parameter(61, "Sensor Active Left Margin", _INT, _FIXED),
    Parameter(62, "Sensor Active Top Margin", _INT, _FIXED),
    Parameter(63, "Sensor Active Right Margin", _INT, _FIXED),
    Parameter(64, "Sensor Active Bottom Margin", _INT, _FIXED),
    Parameter(65, "Sensor Masked Height", _INT, _FIXED),
    Parameter(9, "Pixel Width", _FLOAT, _FIXED),
    Parameter(10, "Pixel Height", _FLOAT, _FIXED),
    Parameter(11, "Pixel Gap Width", _FLOAT, _FIXED),
    Parameter(12, "Pixel Gap Height", _FLOAT, _FIXED),
    Parameter(19, "Clean Serial Register", _BOOL, _LIST),
    Parameter(20, "Clean Cycle Count", _INT, _RANGE),
    Parameter(21, "Clean Cycle Height", _INT, _RANGE),
    Parameter(78, "Clean Before Exposure", _BOOL, _LIST),
    Parameter(22, "Clean Until Trigger", _BOOL, _LIST),
    SENSOR_TEMPERATURE_SET_POINT,
    SENSOR_TEMPERATURE_READING,
    SENSOR_TEMPERATURE_STATUS,
    Parameter(29, "Disable Cooling Fan", _BOOL, _LIST),
)
"""In the order in which the library lists them."""

BY_ID = {parameter.id: parameter for parameter in PARAMETERS}
_BY_WORDS = {parameter.words: parameter for parameter in PARAMETERS}


def named(words: str) -> Parameter:
    """Return the parameter that the library calls so; KeyError if the camera lacks it."""
    return _BY_WORDS[words]
