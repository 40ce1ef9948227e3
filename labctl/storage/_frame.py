"""Bytes of a journal: file header, record prefix and JSON header. No file is touched here.

The normative description is docs/spec/journal.md.
"""

import json
import math
import re
import struct
import sys
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticSerializationError, to_json

from labctl.errors import StorageError
from labctl.storage._content import check_content, is_time_s, is_whole
from labctl.storage._names import base_of
from labctl.storage._records import ArrayItem, ArrayLayout, Header, NamedArray, RecordKind

MAGIC = b"\x89LCJ\r\n\x1a\n"
VERSION = 1
FILE_HEADER = struct.Struct("<8sI")
PREFIX = struct.Struct("<IIII")
LENGTH_LIMIT = 2**31 - 1
"""Longest header or body in bytes: what one write call takes on every system."""
_SMALL = 2**16

RESERVED_NAMES = frozenset({"point", "superseded"})
"""Names that the reader gives to its own columns."""

_DTYPE_KINDS = frozenset("biufc")
_Described = tuple[str, np.dtype[Any], tuple[int, ...], str, tuple[str, ...]]
"""Name, dtype, shape, units and axes of an array."""


class Descriptors(NamedTuple):
    """What a header says of its arrays.

    Attributes:
        layout: As objects.
        json: As the JSON list that is stored.
        as_in_memory: Whether the journal holds the numbers as this computer does.
    """

    layout: tuple[ArrayLayout, ...]
    json: bytes
    as_in_memory: bool


def file_header() -> bytes:
    """Return the twelve bytes with which a journal begins."""
    return FILE_HEADER.pack(MAGIC, VERSION)


def frame(header: bytes, arrays: Sequence[NDArray[Any]]) -> tuple[bytes, int]:
    """Return one whole record and the length of its body; the arrays come from ``stored``."""
    parts: list[bytes | memoryview] = [b"", header]
    header_length, body_length, body_crc = len(header), 0, 0
    for values in arrays:
        length = values.nbytes
        # To copy a small array takes less time than to look into it.
        part = values.data if length > _SMALL else values.tobytes()
        parts.append(part)
        body_length += length
        body_crc = zlib.crc32(part, body_crc)
    if header_length > LENGTH_LIMIT or body_length > LENGTH_LIMIT:
        message = f"a record of {header_length + body_length} bytes is too long for the journal"
        raise StorageError(message)
    parts[0] = PREFIX.pack(header_length, body_length, zlib.crc32(header), body_crc)
    return b"".join(parts), body_length


def stored(arrays: Sequence[NamedArray]) -> tuple[list[NDArray[Any]], Descriptors]:
    """Return arrays as the journal holds them, and what its header says of them.

    That is C order, little endian, numbers only.

    Raises:
        StorageError: If they are no numbers, a name is no name or used twice, or the axes do not
            fit the shapes.
    """
    values: list[NDArray[Any]] = []
    found: list[_Described] = []
    for item in arrays:
        # ascontiguousarray would turn a scalar into an array of one element.
        array = np.asarray(item.values, order="C")
        values.append(array)
        found.append((item.name, array.dtype, array.shape, item.units, item.axes))
    descriptors = _describe(tuple(found))
    if not descriptors.as_in_memory:
        values = [array.astype(array.dtype.newbyteorder("<"), copy=False) for array in values]
    return values, descriptors


# A run writes the same few lists of descriptors again and again.
@lru_cache(maxsize=256)
def _describe(arrays: tuple[_Described, ...]) -> Descriptors:
    names = [name for name, *_ in arrays]
    lengths: dict[str, int] = {}
    for name, dtype, shape, _, axes in arrays:
        _check_dtype(dtype)
        _check_names(name, axes, names)
        _check_axes(name, axes, shape, lengths)
    if len(set(names)) != len(names):
        message = f"array names are not unique: {', '.join(names)}"
        raise StorageError(message)
    layout = tuple(
        ArrayLayout(name, dtype.newbyteorder("<").str, shape, units, axes)
        for name, dtype, shape, units, axes in arrays
    )
    native = all(dtype.isnative for _, dtype, *_ in arrays) and sys.byteorder == "little"
    return Descriptors(layout, to_json([vars(item) for item in layout]), native)


def _check_dtype(dtype: np.dtype[Any]) -> None:
    if dtype.kind not in _DTYPE_KINDS or dtype.itemsize > 16:
        message = f"arrays of dtype {dtype} cannot be stored; use numbers or booleans"
        raise StorageError(message)


def _check_names(name: str, axes: tuple[str, ...], names: Sequence[str]) -> None:
    for word in (name, *axes):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", word) or word in RESERVED_NAMES:
            message = f"{word!r} cannot name an array or axis: use letters, digits, underscores"
            raise StorageError(message)
    if (base := base_of(name)) and base not in names:
        message = f"array {name!r} must stand beside an array {base!r}, or be named otherwise"
        raise StorageError(message)


def _check_axes(
    name: str, axes: tuple[str, ...], shape: tuple[int, ...], lengths: dict[str, int]
) -> None:
    if len(axes) != len(shape):
        message = f"{name}: {len(axes)} axes named for {len(shape)} dimensions"
        raise StorageError(message)
    for axis, length in zip(axes, shape, strict=True):
        if lengths.setdefault(axis, length) != length:
            message = f"{name}: axis {axis} is {length} long here, {lengths[axis]} before"
            raise StorageError(message)


def dump_header(
    kind: RecordKind,
    seq: int,
    times: tuple[float, datetime],
    place: tuple[str, int, int],
    arrays: bytes,
    data: Mapping[str, Any],
) -> bytes:
    """Return the JSON header; numbers in ``data`` that are not finite become null.

    Args:
        kind: Kind of the record.
        seq: Number of the record.
        times: Monotonic time in s, time of day.
        place: Step, attempt, segment.
        arrays: The JSON of its ``Descriptors``.
        data: Content of the record.
    """
    # Put together by hand: half of the time of encoding everything as one object.
    return (
        b'{"kind":"%b","seq":%d,"t_mono_s":%b,"t_utc":%b,'
        b'"step_id":%b,"attempt":%d,"segment":%d,"arrays":%b,"data":%b}'
    ) % (
        kind.encode(),
        seq,
        to_json(times[0]),
        # It writes Z for +00:00, but takes a third of the time of datetime's own.
        to_json(times[1]).replace(b'Z"', b'+00:00"'),
        to_json(place[0]),
        place[1],
        place[2],
        arrays,
        _json(data),
    )


def dump_text(value: object) -> str:
    """Return plain JSON text of a stored value, on one line."""
    return _json(value).decode()


def _json(value: object) -> bytes:
    try:
        return to_json(value, inf_nan_mode="null", fallback=_plain)
    except PydanticSerializationError as error:
        raise StorageError(str(error)) from error


def parse_header(raw: bytes) -> Header:
    """Return the fields of a JSON header.

    Raises:
        ValueError: If it is no header of a record, or says what no record can.
    """
    try:
        fields: dict[str, Any] = _DECODER.decode(raw.decode("utf-8"))
        header = Header(
            kind=str(fields["kind"]),
            seq=_whole(fields, "seq"),
            t_mono_s=_time_s(fields["t_mono_s"]),
            t_utc=_time_of_day(fields["t_utc"]),
            step_id=str(fields["step_id"]),
            attempt=_whole(fields, "attempt"),
            segment=_whole(fields, "segment"),
            data=dict(fields["data"]),
            layout=_parse_layouts(fields["arrays"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        message = f"the header is no header of a record: {error}"
        raise ValueError(message) from error
    check_content(header.kind, header.data)
    return header


def _refuse(word: str) -> Any:
    message = f"{word} is no number"
    raise ValueError(message)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _int64(text: str) -> int:
    value = int(text)
    return value if -(2**63) <= value < 2**63 else _refuse(text)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, parse_int=_int64)


def _whole(fields: Mapping[str, Any], name: str) -> int:
    value: Any = fields[name]
    if not is_whole(value):
        message = f"{name} = {value!r:.60}"
        raise ValueError(message)
    return int(value)


def _time_s(value: Any) -> float:
    if not is_time_s(value):
        message = f"t_mono_s = {value!r:.60}"
        raise ValueError(message)
    return float(value)


def _time_of_day(text: Any) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        message = f"t_utc = {text!r:.60} has no zone"
        raise ValueError(message)
    return found


def split_body(layout: Sequence[ArrayLayout], body: bytes) -> dict[str, ArrayItem]:
    """Return the arrays of a body as read-only views of it.

    Raises:
        ValueError: If the descriptors do not cover the body exactly.
    """
    if sum(item.size_bytes for item in layout) != len(body):
        message = "array descriptors do not match the length of the body"
        raise ValueError(message)
    arrays: dict[str, ArrayItem] = {}
    offset = 0
    for item in layout:
        count = math.prod(item.shape)
        flat: NDArray[Any] = np.frombuffer(body, np.dtype(item.dtype), count, offset)
        arrays[item.name] = ArrayItem(item.name, flat.reshape(item.shape), item.units, item.axes)
        offset += item.size_bytes
    return arrays


def _parse_layouts(items: Any) -> tuple[ArrayLayout, ...]:
    found = tuple(_parse_layout(item) for item in items)
    try:
        _describe(
            tuple((one.name, np.dtype(one.dtype), one.shape, one.units, one.axes) for one in found)
        )
    except StorageError as error:
        raise ValueError(str(error)) from error
    return found


def _parse_layout(fields: Mapping[str, Any]) -> ArrayLayout:
    shape, axes = tuple(fields["shape"]), tuple(str(axis) for axis in fields["axes"])
    kind = fields["dtype"]
    known = isinstance(kind, str) and re.fullmatch(r"[<|][biufc](1|2|4|8|16)", kind)
    if not known or len(axes) != len(shape) or not all(is_whole(length) for length in shape):
        message = f"array {fields['name']!r} has an impossible descriptor"
        raise ValueError(message)
    return ArrayLayout(str(fields["name"]), np.dtype(kind).str, shape, str(fields["units"]), axes)


def _plain(value: object) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return cast("NDArray[Any]", value).tolist()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    message = f"{type(value).__name__} cannot be stored in a journal header"
    raise StorageError(message)
