"""C structures of the uc480 header.

``DWORD`` is an unsigned long there, as the Windows compilers have it. Where an unsigned long has
eight bytes the structures are as wide as clients in Python, who take the same header, make them.
"""

import ctypes

__all__ = [
    "BoardInfo",
    "CameraInfo",
    "CaptureStatus",
    "ImageInfo",
    "Point",
    "Rect",
    "SensorInfo",
    "padded",
]

_WORD, _DWORD = ctypes.c_ushort, ctypes.c_ulong


class BoardInfo(ctypes.Structure):
    """``BOARDINFO``."""

    _fields_ = [
        ("serial", ctypes.c_char * 12),
        ("maker", ctypes.c_char * 20),
        ("version", ctypes.c_char * 10),
        ("date", ctypes.c_char * 12),
        ("select", ctypes.c_ubyte),
        ("type", ctypes.c_ubyte),
        ("reserved", ctypes.c_char * 8),
    ]


class SensorInfo(ctypes.Structure):
    """``SENSORINFO``; the pixel size is in hundredths of a micrometre."""

    _fields_ = [
        ("sensor_id", _WORD),
        ("name", ctypes.c_char * 32),
        ("color_mode", ctypes.c_char),
        ("max_width", _DWORD),
        ("max_height", _DWORD),
        ("master_gain", ctypes.c_int),
        ("red_gain", ctypes.c_int),
        ("green_gain", ctypes.c_int),
        ("blue_gain", ctypes.c_int),
        ("global_shutter", ctypes.c_int),
        ("pixel_size", _WORD),
        ("upper_left_bayer", ctypes.c_char),
        ("reserved", ctypes.c_char * 13),
    ]


class CameraInfo(ctypes.Structure):
    """``UC480_CAMERA_INFO``; a list of them follows a ``DWORD`` with their number."""

    _fields_ = [
        ("camera_id", _DWORD),
        ("device_id", _DWORD),
        ("sensor_id", _DWORD),
        ("in_use", _DWORD),
        ("serial", ctypes.c_char * 16),
        ("model", ctypes.c_char * 16),
        ("status", _DWORD),
        ("reserved", _DWORD * 2),
        ("full_model", ctypes.c_char * 32),
        ("reserved_2", _DWORD * 5),
    ]


class ImageInfo(ctypes.Structure):
    """``UC480IMAGEINFO``; the system time is left out: it is all zeros here."""

    _fields_ = [
        ("flags", _DWORD),
        ("reserved_1", ctypes.c_ubyte * 4),
        ("device_ticks", ctypes.c_uint64),
        ("system_time", _WORD * 7),
        ("reserved_2", ctypes.c_ubyte * 10),
        ("io_status", _DWORD),
        ("aoi_index", _WORD),
        ("aoi_cycle", _WORD),
        ("frame_number", ctypes.c_uint64),
        ("buffers", _DWORD),
        ("buffers_in_use", _DWORD),
        ("reserved_3", _DWORD),
        ("height", _DWORD),
        ("width", _DWORD),
        ("host_time", _DWORD),
    ]


class CaptureStatus(ctypes.Structure):
    """``UC480_CAPTURE_STATUS_INFO``: how often what went wrong."""

    _fields_ = [
        ("total", _DWORD),
        ("reserved", ctypes.c_ubyte * 60),
        ("detail", _DWORD * 256),
    ]


class Rect(ctypes.Structure):
    """``IS_RECT``."""

    _fields_ = [(name, ctypes.c_int) for name in ("x", "y", "width", "height")]


class Point(ctypes.Structure):
    """``IS_POINT_2D`` and ``IS_SIZE_2D``."""

    _fields_ = [(name, ctypes.c_int) for name in ("x", "y")]


def padded(number: int) -> bytes:
    """Return a ``DWORD``."""
    return bytes(_DWORD(number))
