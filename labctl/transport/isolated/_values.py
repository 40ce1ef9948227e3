"""Plain values as packets: numbers, text, bytes, arrays, errors; lists, tuples, dicts of them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from labctl import errors
from labctl.channels import pack, unpack
from labctl.errors import DeviceError, LabctlError, RefusedError
from labctl.transport.isolated._room import Room

__all__ = ["decode", "encode"]


def encode(value: object, room: Room | None = None) -> bytes:
    """Return a packet; large arrays are put into ``room``, which the receiver shares.

    Raises:
        TypeError: There is something in it that is no plain value.
    """
    if room is not None:
        room.clear()
    writer = _Writer(room)
    plain = writer.plain(value)
    return pack({"value": plain}, writer.arrays)


def decode(packet: bytes, room: Room | None = None) -> Any:
    """Return the value of a packet; its arrays are the caller's own.

    Raises:
        LabctlError: It is no packet.
    """
    head, arrays = unpack(packet)
    return _Reader(room, arrays).value(head["value"])


class _Writer:
    """Takes arrays and bytes out of a value; every object that is left says what it stands for."""

    def __init__(self, room: Room | None) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self._room = room

    def plain(self, value: Any) -> Any:
        match value:
            case None | bool() | int() | float() | str():
                return value
            case np.generic():
                return cast("np.generic", value).item()
            case bytes():
                return {"bytes": self._kept(np.frombuffer(value, np.uint8))}
            case np.ndarray():
                return {"array": self._kept(cast("NDArray[Any]", value))}
            case DeviceError() | RefusedError():
                return {"error": [type(value).__name__, *_fields(value)]}
            case list():
                return self._each(cast("list[Any]", value))
            case tuple():
                return {"tuple": self._each(cast("tuple[Any, ...]", value))}
            case Mapping():
                pairs = cast("Mapping[Any, Any]", value).items()
                return {"dict": [self._each(pair) for pair in pairs]}
            case _:
                message = f"{type(value).__name__} does not travel between processes"
                raise TypeError(message)

    def _each(self, values: Sequence[Any]) -> list[Any]:
        return [self.plain(one) for one in values]

    def _kept(self, array: NDArray[Any]) -> object:
        place = None if self._room is None else self._room.put(array)
        if place is not None:
            return place
        name = str(len(self.arrays))
        self.arrays[name] = array
        return name


class _Reader:
    """Puts arrays and bytes in again."""

    def __init__(self, room: Room | None, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._room, self._arrays = room, arrays

    def value(self, plain: Any) -> Any:
        if isinstance(plain, list):
            return self._each(cast("list[Any]", plain))
        if not isinstance(plain, dict):
            return plain
        ((kind, content),) = cast("dict[str, Any]", plain).items()
        match kind:
            case "bytes":
                return self._array(content).tobytes()
            case "array":
                return self._array(content)
            case "error":
                return _error(*content)
            case "tuple":
                return tuple(self._each(content))
            case _:
                return dict(self._each(pair) for pair in content)

    def _each(self, plain: Sequence[Any]) -> list[Any]:
        return [self.value(one) for one in plain]

    def _array(self, where: Any) -> NDArray[Any]:
        if isinstance(where, str):
            return self._arrays[where].copy()
        if self._room is None:
            message = "an array in memory that is not shared"
            raise LabctlError(message)
        begin, kind, shape = where
        return self._room.get(begin, kind, tuple(shape))


def _fields(error: DeviceError | RefusedError) -> Sequence[str]:
    if isinstance(error, DeviceError):
        return error.device, error.command, error.reply, error.remedy
    return error.device, error.what, error.hint


def _error(name: str, *fields: str) -> LabctlError:
    kind: type[LabctlError] = getattr(errors, name)
    return kind(*fields)
