"""One owner per instrument: whoever connects a unit holds a lock on it until it is closed.

The lock is one of the operating system on a small file, so it ends with the process that holds
it; what the file says (process and since when) is only for the message to whoever comes second.
"""

import json
import os
import re
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from labctl.errors import DeviceRefusedError, StorageError
from labctl.locks import try_lock

__all__ = ["Owner"]

_FOLDER = "LABCTL_LOCKS"
"""Environment variable: folder of the locks, where several accounts share a set-up."""


class Owner:
    """The right to talk to one unit."""

    def __init__(self, device: str, unit: str, utc: Callable[[], datetime]) -> None:
        """Nothing is held yet.

        Args:
            device: Name of the instrument in the set-up.
            unit: What tells the physical unit from all others: its address, or driver and serial.
            utc: Labels the beginning.
        """
        self._device, self._unit, self._utc = device, unit, utc
        self._descriptor: int | None = None

    @property
    def path(self) -> Path:
        """The file of this unit."""
        folder = os.environ.get(_FOLDER)
        base = Path(folder) if folder else user_state_path("labctl") / "locks"
        legible = re.sub(r"\W+", "_", self._unit)[:60]
        return base / f"{legible}_{sha256(self._unit.encode()).hexdigest()[:12]}.lock"

    def take(self) -> None:
        """Become the owner; does nothing if this is one already.

        Raises:
            DeviceRefusedError: Another process, or another connection of this one, is the owner.
            StorageError: The file of the lock cannot be made.
        """
        if self._descriptor is not None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise StorageError(f"{self.path}: no lock can be made ({error})") from error
        if not try_lock(descriptor):
            said = _read(descriptor)
            os.close(descriptor)
            raise self._in_use(said)
        # A file that a killed process has left says nothing any more.
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        told = {"pid": os.getpid(), "since": self._utc().isoformat(timespec="seconds")}
        os.write(descriptor, json.dumps({**told, "unit": self._unit}).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the right up; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _in_use(self, said: dict[str, Any]) -> DeviceRefusedError:
        pid = said.get("pid", "unknown")
        who = "this program itself" if pid == os.getpid() else f"PID {pid}"
        what = f"in use by {who} since {said.get('since', 'an unknown time')}"
        return DeviceRefusedError(self._device, f"open {self._unit}", what, "end that one first")


def _read(descriptor: int) -> dict[str, Any]:
    try:
        return dict(json.loads(os.read(descriptor, 4096) or b"{}"))
    except (OSError, ValueError):
        # It is just being written.
        return {}
