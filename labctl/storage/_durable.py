"""What differs between systems when a file must survive: directory sync, locks, replacing."""

import hashlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from labctl.locks import is_free, lock


def create_exclusively(path: Path) -> int:
    """Create a new file for writing, held by a lock that ends with this process.

    Raises:
        OSError: If it exists or cannot be created.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o644)
    lock(descriptor)
    return descriptor


def is_held(path: Path) -> bool:
    """Return whether a living process writes this journal."""
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        return not is_free(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Bring the content of a closed file to the disk."""
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileDigest(TypedDict):
    """What tells whether a file is still as it was written; size in bytes."""

    size: int
    sha256: str


def file_digest(path: Path) -> FileDigest:
    """Return size and SHA-256 of a file.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"size": path.stat().st_size, "sha256": digest}


def sync_directory(path: Path) -> None:
    """Bring new names in a directory to the disk; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def replace(
    source: Path, target: Path, *, tries: int = 5, pause: Callable[[float], None] = _pause
) -> Path:
    """Put ``source`` in the place of ``target`` in one step and return where it came to lie.

    Windows refuses while another program holds the old file open. After ``tries`` refusals,
    0.2 s apart, the next free name ``target.1``, ``target.2`` … is used, so that nothing is lost.
    """
    for attempt in range(tries):
        if attempt:
            pause(0.2)
        try:
            source.replace(target)
        except PermissionError:
            continue
        sync_directory(target.parent)
        return target
    number = 1
    while (spare := target.with_name(f"{target.name}.{number}")).exists():
        number += 1
    source.replace(spare)
    sync_directory(target.parent)
    return spare
