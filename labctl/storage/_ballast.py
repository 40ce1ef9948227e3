"""Room that a run keeps for its own end: given back when the disk is full."""

import os
from contextlib import suppress
from pathlib import Path

BALLAST_BYTES = 64 * 1024 * 1024
"""Enough for the stop record, what else is told at the end, and the files of small runs."""

_BLOCK = bytes(1024 * 1024)


def reserve(path: Path, size: int = BALLAST_BYTES) -> None:
    """Take so many bytes of the disk; what was there of an earlier run is taken over.

    Raises:
        OSError: So much is not free; nothing is taken then.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o644)
    try:
        _fill(descriptor, size)
    except OSError:
        release(path)
        raise
    finally:
        os.close(descriptor)


def release(path: Path) -> None:
    """Give the room back; without any this does nothing."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def _fill(descriptor: int, size: int) -> None:
    allocate = getattr(os, "posix_fallocate", None)
    if allocate is not None:
        allocate(descriptor, 0, size)
        return
    # Windows has no such call, and a file with holes reserves nothing.
    for begin in range(0, size, len(_BLOCK)):
        block = _BLOCK[: size - begin]
        if os.write(descriptor, block) != len(block):
            message = "no space left"
            raise OSError(message)
