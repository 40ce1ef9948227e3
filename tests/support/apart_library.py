"""A library and a driver's class that calls it, for processes of their own."""

import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl.errors import DeviceRefusedError
from labctl.transport import LibraryLink


class Library:
    """Functions as a vendor exports them; what they do is asked of whoever is outside."""

    def __init__(self, call: Callable[[str, list[Any]], Any]) -> None:
        self._call = call

    def X_Ask(self, number: int) -> int:  # noqa: N802
        return int(self._call("ask", [number]))

    def X_Crash(self) -> int:  # noqa: N802
        sys.stdout.write("the last words\n")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGABRT) if sys.platform != "win32" else os.abort()
        return 0

    def X_Segfault(self) -> int:  # noqa: N802
        return len(ctypes.string_at(0))

    def X_Hang(self, seconds: float) -> int:  # noqa: N802
        threading.Event().wait(seconds)
        return 0

    X_Slow = X_Hang


class Caller:
    """What a driver has of it."""

    slow_s: ClassVar[Mapping[str, float]] = {"_Slow": 30.0}

    def __init__(
        self, device: str, link: LibraryLink, offset: int, *, refuse: bool = False
    ) -> None:
        if refuse:
            raise DeviceRefusedError(device, "X_Open", "no (-2)", "ask somebody else")
        self._device, self._offset = device, offset
        self._library: Any = link.watched(link.library or object())
        self.calls = 0

    @property
    def pid(self) -> int:
        return os.getpid()

    def ask(self, number: int) -> int:
        self.calls += 1
        return int(self._library.X_Ask(number)) + self._offset

    def do(self, function: str, *arguments: float) -> int:
        return int(getattr(self._library, f"X_{function}")(*arguments))

    def echo(self, *values: Any, **named: Any) -> list[Any]:
        return [*values, named]

    def call_on(self, port: int) -> None:
        """Hold a connection until this process ends."""
        self.line = socket.create_connection(("127.0.0.1", port))

    def image(self, rows: int) -> tuple[NDArray[np.uint16], str]:
        return np.arange(rows * 1000, dtype=np.uint16).reshape(rows, 1000), "whole"

    def blunder(self) -> None:
        raise ZeroDivisionError("a mistake")

    def strange(self) -> object:
        return object()
