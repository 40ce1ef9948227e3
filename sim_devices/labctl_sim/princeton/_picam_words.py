"""Numbers and words of the PICam library: error codes and enumerations.

Source: the public header ``picam.h`` (names and values); the words are what the library's own
``Picam_GetEnumerationString`` says, as far as public programs quote them.
"""

from enum import IntEnum

__all__ = ["Code", "EnumeratedType", "word"]


class Code(IntEnum):
    """Return codes of the library."""

    NONE = 0
    LIBRARY_NOT_INITIALIZED = 1
    INVALID_PARAMETER_VALUE = 2
    UNEXPECTED_NULL_POINTER = 3
    UNEXPECTED_ERROR = 4
    LIBRARY_ALREADY_INITIALIZED = 5
    CAMERA_ALREADY_OPENED = 7
    INVALID_CAMERA_ID = 8
    INVALID_HANDLE = 9
    PARAMETER_VALUE_IS_READ_ONLY = 10
    PARAMETER_HAS_INVALID_VALUE_TYPE = 11
    PARAMETER_DOES_NOT_EXIST = 12
    PARAMETER_HAS_INVALID_CONSTRAINT_TYPE = 13
    PARAMETER_VALUE_IS_IRRELEVANT = 14
    DEVICE_COMMUNICATION_FAILED = 15
    INVALID_ENUMERATED_TYPE = 16
    ENUMERATION_VALUE_NOT_DEFINED = 17
    ACQUISITION_IN_PROGRESS = 20
    DEVICE_DISCONNECTED = 23
    DEVICE_OPEN_ELSEWHERE = 24
    PARAMETER_IS_NOT_ONLINEABLE = 25
    PARAMETER_IS_NOT_READABLE = 26
    ACQUISITION_NOT_IN_PROGRESS = 27
    INVALID_PARAMETER_VALUES = 28
    PARAMETERS_NOT_COMMITTED = 29
    INVALID_ACQUISITION_BUFFER = 30
    TIME_OUT_OCCURRED = 32
    NO_CAMERAS_AVAILABLE = 34
    INVALID_POINTER = 35
    INVALID_CONSTRAINT_CATEGORY = 38


class EnumeratedType(IntEnum):
    """First argument of ``Picam_GetEnumerationString``."""

    ERROR = 1
    MODEL = 2
    COMPUTER_INTERFACE = 3
    VALUE_TYPE = 4
    CONSTRAINT_TYPE = 5
    PARAMETER = 6
    ADC_ANALOG_GAIN = 7
    ADC_QUALITY = 8
    ORIENTATION = 10
    OUTPUT_SIGNAL = 11
    PIXEL_FORMAT = 12
    READOUT_CONTROL_MODE = 13
    SENSOR_TEMPERATURE_STATUS = 14
    SENSOR_TYPE = 15
    SHUTTER_TIMING_MODE = 16
    TIME_STAMPS = 17
    TRIGGER_DETERMINATION = 18
    TRIGGER_RESPONSE = 19
    VALUE_ACCESS = 20
    ACQUISITION_ERRORS = 25
    ENUMERATED_TYPE = 29


_MASKS = {
    EnumeratedType.ORIENTATION: {0: "Normal", 1: "Flipped Horizontally", 2: "Flipped Vertically"},
    EnumeratedType.TIME_STAMPS: {0: "None", 1: "Exposure Started", 2: "Exposure Ended"},
    EnumeratedType.ACQUISITION_ERRORS: {
        0: "None",
        1: "Data Lost",
        2: "Connection Lost",
        4: "Data Not Arriving",
        8: "Shutter Overheated",
        16: "Camera Faulted",
    },
}

_WORDS = {
    EnumeratedType.MODEL: {
        210: "ProEM: 1600xx(2)B eXcelon",
        211: "ProEM: 1600xx(4)B eXcelon",
        212: "ProEM: 1600xx(2)B",
        213: "ProEM: 1600xx(4)B",
        610: "ProEM+: 1600xx(2)B eXcelon",
        611: "ProEM+: 1600xx(4)B eXcelon",
        612: "ProEM+: 1600xx(2)B",
        613: "ProEM+: 1600xx(4)B",
    },
    EnumeratedType.COMPUTER_INTERFACE: {
        1: "USB 2.0",
        2: "IEEE 1394A",
        3: "Gigabit Ethernet",
        4: "USB 3.0",
    },
    EnumeratedType.VALUE_TYPE: {
        1: "Integer",
        2: "Floating Point",
        3: "Boolean",
        4: "Enumeration",
        5: "ROIs",
        6: "Large Integer",
        7: "Pulse",
        8: "Modulations",
    },
    EnumeratedType.CONSTRAINT_TYPE: {
        1: "None",
        2: "Range",
        3: "Collection",
        4: "ROIs",
        5: "Pulse",
        6: "Modulations",
    },
    EnumeratedType.VALUE_ACCESS: {1: "Read Only", 2: "Read Write", 3: "Read Write Trivial"},
    EnumeratedType.ADC_ANALOG_GAIN: {1: "Low", 2: "Medium", 3: "High"},
    EnumeratedType.ADC_QUALITY: {
        1: "Low Noise",
        2: "High Capacity",
        3: "Electron Multiplied",
        4: "High Speed",
    },
    EnumeratedType.OUTPUT_SIGNAL: {
        1: "Not Reading Out",
        2: "Shutter Open",
        3: "Busy",
        4: "Always Low",
        5: "Always High",
        6: "Acquiring",
        8: "Exposing",
        10: "Reading Out",
        11: "Waiting For Trigger",
    },
    EnumeratedType.PIXEL_FORMAT: {1: "Monochrome 16-Bit", 2: "Monochrome 32-Bit"},
    EnumeratedType.READOUT_CONTROL_MODE: {
        1: "Full Frame",
        2: "Frame Transfer",
        3: "Kinetics",
        4: "Spectra Kinetics",
        5: "Interline",
        6: "DIF",
        7: "SeNsR",
        8: "Rolling Shutter",
        9: "Expose During Readout",
    },
    EnumeratedType.SENSOR_TEMPERATURE_STATUS: {1: "Unlocked", 2: "Locked", 3: "Faulted"},
    EnumeratedType.SENSOR_TYPE: {1: "CCD", 2: "InGaAs", 3: "CMOS"},
    EnumeratedType.SHUTTER_TIMING_MODE: {
        1: "Normal",
        2: "Always Closed",
        3: "Always Open",
        4: "Open Before Trigger",
    },
    EnumeratedType.TRIGGER_DETERMINATION: {
        1: "Positive Polarity",
        2: "Negative Polarity",
        3: "Rising Edge",
        4: "Falling Edge",
    },
    EnumeratedType.TRIGGER_RESPONSE: {
        1: "No Response",
        2: "Readout Per Trigger",
        3: "Shift Per Trigger",
        4: "Expose During Trigger Pulse",
        5: "Start On Single Trigger",
        6: "Gate Per Trigger",
    },
}


def _spoken(name: str) -> str:
    return name.replace("_", " ").title()


def word(kind: int, value: int) -> str | None:
    """Return the library's words for an enumeration value, None if it is not defined.

    Sums of mask values are the words of their bits. Parameters have their words in their own
    table.
    """
    if kind == EnumeratedType.ERROR:
        return _spoken(Code(value).name) if value in set(Code) else None
    if kind == EnumeratedType.ENUMERATED_TYPE:
        return _spoken(EnumeratedType(value).name) if value in set(EnumeratedType) else None
    if kind in _MASKS:
        return _mask_words(_MASKS[EnumeratedType(kind)], value)
    if kind in _WORDS:
        return _WORDS[EnumeratedType(kind)].get(value)
    return None


def _mask_words(bits: dict[int, str], value: int) -> str | None:
    if value in bits:
        return bits[value]
    if value < 0 or value & ~sum(bits):
        return None
    return ", ".join(name for bit, name in bits.items() if bit & value)
