"""C structures of the PICam library (``picam.h``, ``picam_advanced.h``)."""

import ctypes
from collections.abc import Sequence
from typing import Any

from labctl_sim.libraries import Memory

__all__ = [
    "AcquisitionBuffer",
    "AcquisitionStatus",
    "AvailableData",
    "CameraID",
    "CollectionConstraint",
    "FirmwareDetail",
    "RangeConstraint",
    "Roi",
    "Rois",
    "RoisConstraint",
    "keep_array",
    "keep_collection",
    "keep_range",
    "keep_regions",
    "keep_rois",
    "keep_text",
]

_PInt = ctypes.POINTER(ctypes.c_int)
_PDouble = ctypes.POINTER(ctypes.c_double)


class CameraID(ctypes.Structure):
    """Which camera."""

    _fields_ = [
        ("model", ctypes.c_int),
        ("computer_interface", ctypes.c_int),
        ("sensor_name", ctypes.c_char * 64),
        ("serial_number", ctypes.c_char * 64),
    ]


class FirmwareDetail(ctypes.Structure):
    """One firmware of the camera."""

    _fields_ = [("name", ctypes.c_char * 64), ("detail", ctypes.c_char * 256)]


class Roi(ctypes.Structure):
    """One region, in sensor pixels."""

    _fields_ = [
        ("x", ctypes.c_int),
        ("width", ctypes.c_int),
        ("x_binning", ctypes.c_int),
        ("y", ctypes.c_int),
        ("height", ctypes.c_int),
        ("y_binning", ctypes.c_int),
    ]


class Rois(ctypes.Structure):
    """Array of regions."""

    _fields_ = [("roi_array", ctypes.POINTER(Roi)), ("roi_count", ctypes.c_int)]


class CollectionConstraint(ctypes.Structure):
    """Allowed single values."""

    _fields_ = [
        ("scope", ctypes.c_int),
        ("severity", ctypes.c_int),
        ("values_array", _PDouble),
        ("values_count", ctypes.c_int),
    ]


class RangeConstraint(ctypes.Structure):
    """Allowed range."""

    _fields_ = [
        ("scope", ctypes.c_int),
        ("severity", ctypes.c_int),
        ("empty_set", ctypes.c_int),
        ("minimum", ctypes.c_double),
        ("maximum", ctypes.c_double),
        ("increment", ctypes.c_double),
        ("excluded_values_array", _PDouble),
        ("excluded_values_count", ctypes.c_int),
        ("outlying_values_array", _PDouble),
        ("outlying_values_count", ctypes.c_int),
    ]


class RoisConstraint(ctypes.Structure):
    """Allowed regions."""

    _fields_ = [
        ("scope", ctypes.c_int),
        ("severity", ctypes.c_int),
        ("empty_set", ctypes.c_int),
        ("rules", ctypes.c_int),
        ("maximum_roi_count", ctypes.c_int),
        ("x_constraint", RangeConstraint),
        ("width_constraint", RangeConstraint),
        ("x_binning_limits_array", _PInt),
        ("x_binning_limits_count", ctypes.c_int),
        ("y_constraint", RangeConstraint),
        ("height_constraint", RangeConstraint),
        ("y_binning_limits_array", _PInt),
        ("y_binning_limits_count", ctypes.c_int),
    ]


class AvailableData(ctypes.Structure):
    """Where new readouts lie in the client's buffer."""

    _fields_ = [("initial_readout", ctypes.c_void_p), ("readout_count", ctypes.c_longlong)]


class AcquisitionStatus(ctypes.Structure):
    """State of the acquisition; errors are a mask."""

    _fields_ = [
        ("running", ctypes.c_int),
        ("errors", ctypes.c_int),
        ("readout_rate", ctypes.c_double),
    ]


class AcquisitionBuffer(ctypes.Structure):
    """The client's frame ring."""

    _fields_ = [("memory", ctypes.c_void_p), ("memory_size", ctypes.c_longlong)]


_INDEPENDENT, _DEPENDENT = 1, 2
_ERROR = 1
_BINNING_ALIGNED = 3


def keep_text(memory: Memory, text: str) -> int:
    """Allocate a NUL-terminated string."""
    return memory.keep(ctypes.create_string_buffer(text.encode("latin-1")))


def keep_array(memory: Memory, kind: Any, values: Sequence[Any]) -> int | None:
    """Allocate an array of one ctypes type; an empty one is NULL."""
    return memory.keep((kind * len(values))(*values)) if values else None


def keep_collection(memory: Memory, dependent: bool, values: Sequence[float]) -> int:
    """Allocate a collection constraint."""
    array = (ctypes.c_double * len(values))(*values)
    scope = _DEPENDENT if dependent else _INDEPENDENT
    pointer = ctypes.cast(array, _PDouble)
    return memory.keep(CollectionConstraint(scope, _ERROR, pointer, len(values)), array)


def _range(dependent: bool, low: float, high: float, step: float) -> RangeConstraint:
    scope = _DEPENDENT if dependent else _INDEPENDENT
    return RangeConstraint(
        scope=scope, severity=_ERROR, empty_set=0, minimum=low, maximum=high, increment=step
    )


def keep_range(memory: Memory, dependent: bool, low: float, high: float, step: float) -> int:
    """Allocate a range constraint."""
    return memory.keep(_range(dependent, low, high, step))


def keep_regions(memory: Memory, columns: int, rows: int) -> int:
    """Allocate the constraint of the regions: one region anywhere on the sensor, any binning."""
    constraint = RoisConstraint(
        scope=_INDEPENDENT,
        severity=_ERROR,
        rules=_BINNING_ALIGNED,
        maximum_roi_count=1,
        x_constraint=_range(False, 0, columns - 1, 1),
        width_constraint=_range(False, 1, columns, 1),
        y_constraint=_range(False, 0, rows - 1, 1),
        height_constraint=_range(False, 1, rows, 1),
    )
    return memory.keep(constraint)


def keep_rois(memory: Memory, region: Sequence[int]) -> int:
    """Allocate a list of one region."""
    array = (Roi * 1)(Roi(*region))
    return memory.keep(Rois(ctypes.cast(array, ctypes.POINTER(Roi)), 1), array)
