"""What the content of a record can be: its checksum only tells that it is what was written.

Keys that are absent or unknown are left alone, because later versions may write other ones.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from labctl.storage._records import RecordKind

__all__ = ["check_content", "is_time_s", "is_whole"]

_LONGEST_S = 1e12
"""Thirty thousand years: no clock of a run shows more, s."""
_MOST = 2**53

Test = Callable[[Any], bool]


def is_whole(value: Any) -> bool:
    """Whether it is a number to count with: 0, 1, 2 …, exact in every program."""
    return type(value) is int and 0 <= value < _MOST


def is_time_s(value: Any) -> bool:
    """Whether it can be the time of a clock, s."""
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < _LONGEST_S


def check_content(kind: str, data: Mapping[str, Any]) -> None:
    """Refuse the content of a record that no version writes.

    Raises:
        ValueError: Names the key.
    """
    for key, possible in _TESTS.get(kind, {}).items():
        if key in data and not possible(data[key]):
            message = f"a record {kind!r} cannot have {key} = {data[key]!r:.60}"
            raise ValueError(message)
    if kind == RecordKind.MONITOR and "quantity" not in data:
        raise ValueError("a reading of nothing")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _or_none(possible: Test) -> Test:
    return lambda value: value is None or possible(value)


def _is_span_s(value: Any) -> bool:
    return is_time_s(value) and value >= 0


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _is_reading(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    entry = cast("dict[str, Any]", value)
    numbers = _is_scalar(entry.get("value")) and _is_scalar(entry.get("std"))
    return numbers and _is_text(entry.get("units", ""))


def _are_readings(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return all(_is_reading(one) for one in cast("dict[str, Any]", value).values())


def _is_file_name(value: Any) -> bool:
    """Whether it names a file beside the journal, and nothing elsewhere."""
    return _is_text(value) and value not in ("", ".", "..") and not set(value) & set("/\\:\0")


_TESTS: Mapping[str, Mapping[str, Test]] = {
    RecordKind.POINT: {
        "index": is_whole,
        "quality": is_whole,
        "measurement": _is_text,
        "label": _is_text,
        "detector": _is_text,
        "began_s": _or_none(is_time_s),
        "ended_s": _or_none(is_time_s),
        "live_time_s": _or_none(_is_span_s),
        "set": _are_readings,
        "read": _are_readings,
        "settings": _is_mapping,
    },
    RecordKind.EVENT: {"data": _or_none(_is_mapping)},
    RecordKind.MONITOR: {"quantity": _is_text, "units": _is_text, "value": _is_scalar},
    RecordKind.SIDECAR: {"name": _is_file_name, "size": is_whole},
}
