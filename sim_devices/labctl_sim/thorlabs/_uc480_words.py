"""Numbers of the uc480 / uEye interface, from its header and the uEye manual."""

from enum import IntEnum

__all__ = ["GET", "Aoi", "Code", "ColorMode", "Exposure", "GainFactor", "PixelClock"]

GET = 0x8000
"""Many functions give the present value for this number in the place of a new one."""


class Code(IntEnum):
    """Results; negative and positive ones other than 0 are errors."""

    NO_SUCCESS = -1
    SUCCESS = 0
    INVALID_CAMERA_HANDLE = 1
    CANT_OPEN_DEVICE = 3
    INVALID_MEMORY_POINTER = 49
    INVALID_PARAMETER = 125
    NO_ACTIVE_IMG_MEM = 108
    NOT_SUPPORTED = 155
    INVALID_COLOR_FORMAT = 174
    CAPTURE_RUNNING = 140
    IN_USE = 3


class ColorMode(IntEnum):
    """Formats of a monochrome sensor of 10 bits."""

    MONO8 = 6
    MONO10 = 34
    MONO12 = 26
    MONO16 = 28


class Exposure(IntEnum):
    """Commands of ``is_Exposure``; all values are milliseconds."""

    GET_DEFAULT = 2
    GET_MIN = 3
    GET_MAX = 4
    GET_STEP = 5
    GET_RANGE = 6
    GET = 7
    SET = 12


class PixelClock(IntEnum):
    """Commands of ``is_PixelClock``; MHz."""

    GET_NUMBER = 1
    GET_LIST = 2
    GET_RANGE = 3
    GET_DEFAULT = 4
    GET = 5
    SET = 6


class Aoi(IntEnum):
    """Commands of ``is_AOI``."""

    SET = 0x01
    GET = 0x02
    GET_POSITION_MIN = 0x07
    GET_SIZE_MIN = 0x08
    GET_POSITION_MAX = 0x09
    GET_SIZE_MAX = 0x10
    GET_POSITION_STEP = 0x11
    GET_SIZE_STEP = 0x12


class GainFactor(IntEnum):
    """Modes of ``is_SetHWGainFactor``; a factor of 1 is 100."""

    GET_MASTER = 0x8000
    SET_MASTER = 0x8004
    DEFAULT_MASTER = 0x8008
    INQUIRE_MASTER = 0x800C
