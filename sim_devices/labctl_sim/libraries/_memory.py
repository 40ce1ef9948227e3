"""Memory that crosses the border to a client of a vendor library."""

import ctypes
from collections.abc import Sequence
from typing import Any, TypeVar

__all__ = [
    "Memory",
    "NullPointerError",
    "read_bytes",
    "read_structure",
    "write_array",
    "write_bytes",
    "write_double",
    "write_int",
    "write_int64",
    "write_pointer",
    "write_structure",
    "write_text",
]

S = TypeVar("S", bound=ctypes.Structure)


class NullPointerError(Exception):
    """The client passed NULL where the library must write or read."""


class Memory:
    """Book-keeping of what the library allocated for its client.

    Attributes:
        allocated: How many blocks were handed out.
        freed: How many blocks came back.
        unknown: How often an address came back that was not, or no longer, handed out.
    """

    def __init__(self) -> None:
        """Start with nothing handed out."""
        self.allocated = self.freed = self.unknown = 0
        self._blocks: dict[int, Any] = {}

    @property
    def outstanding(self) -> int:
        """Number of blocks that the client has not given back."""
        return len(self._blocks)

    def keep(self, block: Any, *parts: Any) -> int:
        """Keep a ctypes object, and what it points to, until it is freed; return its address."""
        address = ctypes.addressof(block)
        if address in self._blocks:
            raise ValueError(f"address {address:#x} is in use")
        self._blocks[address] = (block, parts)
        self.allocated += 1
        return address

    def free(self, address: int | None) -> bool:
        """Forget the block at an address; NULL is allowed. False if the address is unknown."""
        if address is None:
            return True
        if self._blocks.pop(address, None) is None:
            self.unknown += 1
            return False
        self.freed += 1
        return True


def _checked(address: int | None) -> int:
    if address is None:
        raise NullPointerError
    return address


def write_int(address: int | None, value: int) -> None:
    """Write a 32-bit signed integer."""
    ctypes.c_int32.from_address(_checked(address)).value = value


def write_int64(address: int | None, value: int) -> None:
    """Write a 64-bit signed integer."""
    ctypes.c_int64.from_address(_checked(address)).value = value


def write_double(address: int | None, value: float) -> None:
    """Write a double."""
    ctypes.c_double.from_address(_checked(address)).value = value


def write_pointer(address: int | None, value: int | None) -> None:
    """Write an address (None: NULL)."""
    ctypes.c_void_p.from_address(_checked(address)).value = value


def write_bytes(address: int | None, data: bytes) -> None:
    """Copy bytes as they are."""
    ctypes.memmove(_checked(address), data, len(data))


def write_text(address: int | None, text: str, size: int) -> None:
    """Write text and its NUL into a buffer of ``size`` bytes, cutting what does not fit."""
    write_bytes(address, text.encode("latin-1")[: size - 1] + b"\0")


def write_array(address: int | None, kind: Any, values: Sequence[float]) -> None:
    """Write numbers one after the other as elements of one ctypes type."""
    block = (kind * len(values))(*values)
    ctypes.memmove(_checked(address), block, ctypes.sizeof(block))


def write_structure(address: int | None, structure: ctypes.Structure) -> None:
    """Copy a structure."""
    ctypes.memmove(_checked(address), ctypes.byref(structure), ctypes.sizeof(structure))


def read_bytes(address: int | None, size: int) -> bytes:
    """Read that many bytes."""
    return ctypes.string_at(_checked(address), size)


def read_structure(address: int | None, kind: type[S]) -> S:
    """Read a copy of a structure."""
    return kind.from_buffer_copy(read_bytes(address, ctypes.sizeof(kind)))
