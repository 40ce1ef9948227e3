"""Packets between the engine and its windows: a JSON head, then the raw bytes of arrays."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.errors import LabctlError

__all__ = ["Arrays", "Head", "pack", "unpack"]

Head = dict[str, Any]
Arrays = Mapping[str, NDArray[Any]]

_LENGTH = struct.Struct("<I")


def pack(head: Mapping[str, Any], arrays: Arrays | None = None) -> bytes:
    """Return a packet: u32 length of the head, the head, the arrays one after the other.

    Args:
        head: Plain JSON values; the key ``arrays`` is taken.
        arrays: By name; numbers of any shape, sent little endian in C order.
    """
    whole = {name: _plain(values) for name, values in (arrays or {}).items()}
    layout = [[name, values.dtype.str, values.shape] for name, values in whole.items()]
    text = json.dumps({**head, "arrays": layout}).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *(v.tobytes() for v in whole.values())])


def unpack(packet: bytes) -> tuple[Head, dict[str, NDArray[Any]]]:
    """Return head and arrays of a packet; the arrays are views of it, not to be written to.

    Raises:
        LabctlError: It is none.
    """
    try:
        (length,) = _LENGTH.unpack_from(packet)
        offset = _LENGTH.size + length
        head: Head = json.loads(packet[_LENGTH.size : offset])
        arrays: dict[str, NDArray[Any]] = {}
        for name, kind, shape in head.pop("arrays"):
            count = int(np.prod(shape, dtype=np.int64))
            found = np.frombuffer(packet, np.dtype(kind), count, offset)
            arrays[name] = found.reshape(shape)
            offset += found.nbytes
    except (struct.error, ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"a packet that is none: {error}"
        raise LabctlError(message) from error
    if offset != len(packet):
        message = f"a packet of {len(packet)} bytes whose head tells of {offset}"
        raise LabctlError(message)
    return head, arrays


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.hasobject:
        message = f"arrays of {values.dtype} do not travel"
        raise TypeError(message)
    return np.asarray(values, values.dtype.newbyteorder("<"), order="C")
