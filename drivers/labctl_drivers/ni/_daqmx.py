"""The part of the NI-DAQmx C library that counts edges."""

import ctypes
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from labctl.errors import ConnectionLostError, DeviceRefusedError, RefusedError
from labctl.transport import LibraryLink

__all__ = ["FALLING", "RISING", "Daqmx"]

RISING, FALLING = 10280, 10171
_COUNT_UP = 10128
_TEXT_BYTES = 2048
_TIMEOUT_S = 1.0
_GONE = {-88709, -88708, -200045, -200220, -201003}
"""The card is not there, or not any more; a pulled card's name is no name of a device."""

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_FUNCTIONS: Mapping[str, Sequence[type[Any]]] = {
    "DAQmxGetDevProductType": (_TEXT, _POINTER, ctypes.c_uint32),
    "DAQmxGetDevSerialNum": (_TEXT, _POINTER),
    "DAQmxCreateTask": (_TEXT, _POINTER),
    "DAQmxCreateCICountEdgesChan": (
        _POINTER, _TEXT, _TEXT, ctypes.c_int32, ctypes.c_uint32, ctypes.c_int32,
    ),
    "DAQmxSetCICountEdgesTerm": (_POINTER, _TEXT, _TEXT),
    "DAQmxStartTask": (_POINTER,),
    "DAQmxReadCounterScalarU32": (_POINTER, ctypes.c_double, _POINTER, _POINTER),
    "DAQmxStopTask": (_POINTER,),
    "DAQmxClearTask": (_POINTER,),
    "DAQmxGetExtendedErrorInfo": (_POINTER, ctypes.c_uint32),
}  # fmt: skip
"""Functions with their argument types, as ``NIDAQmx.h`` declares them."""


class Daqmx:
    """The library; errors come out as ``DeviceError`` with the library's words.

    Attributes:
        slow_s: The first task of a program loads the rest of the library, s.
    """

    slow_s: ClassVar[Mapping[str, float]] = {"CreateTask": 30.0}

    def __init__(self, device: str, link: LibraryLink) -> None:
        """Load the vendor's library, or take the one of the link.

        Args:
            device: Name of the instrument, for errors.
            link: The library object, None for the vendor's; and who takes its calls down.

        Raises:
            RefusedError: The vendor's library is not installed.
        """
        self._device = device
        library = link.library if link.library is not None else _vendors(device)
        self._library: Any = link.watched(library)
        for name, types in _FUNCTIONS.items():
            function = getattr(self._library, name)
            function.argtypes, function.restype = list(types), ctypes.c_int32

    def product(self, card: str) -> tuple[str, str]:
        """Return product type and serial number (hexadecimal, as on its label) of a card."""
        text, serial = ctypes.create_string_buffer(_TEXT_BYTES), ctypes.c_uint32()
        self._call("DAQmxGetDevProductType", card.encode(), text, _TEXT_BYTES)
        self._call("DAQmxGetDevSerialNum", card.encode(), ctypes.byref(serial))
        return text.value.decode("latin-1"), f"{serial.value:08X}"

    def count_edges(self, counter: str, terminal: str, edge: int) -> int:
        """Start to count the edges at a terminal, without end; returns the running task's handle.

        Args:
            counter: Counter of the card: ``Dev1/ctr0``.
            terminal: Where the pulses come in: ``/Dev1/PFI8``; empty: the counter's usual one.
            edge: ``RISING`` or ``FALLING``.
        """
        task = ctypes.c_void_p()
        self._call("DAQmxCreateTask", b"", ctypes.byref(task))
        try:
            name = counter.encode()
            self._call("DAQmxCreateCICountEdgesChan", task, name, b"", edge, 0, _COUNT_UP)
            if terminal:
                self._call("DAQmxSetCICountEdgesTerm", task, name, terminal.encode())
            self._call("DAQmxStartTask", task)
        except BaseException:
            self._library.DAQmxClearTask(task)
            raise
        return task.value or 0

    def read(self, task: int) -> int:
        """Return the count of a task, 0 to 2^32 - 1."""
        counts = ctypes.c_uint32()
        self._call("DAQmxReadCounterScalarU32", task, _TIMEOUT_S, ctypes.byref(counts), None)
        return counts.value

    def end(self, task: int) -> None:
        """Stop a task and give its counter back; a dead one is given up in silence."""
        self._library.DAQmxStopTask(task)
        self._library.DAQmxClearTask(task)

    def _call(self, name: str, *arguments: Any) -> None:
        code: int = getattr(self._library, name)(*arguments)
        # Positive codes are warnings.
        if code < 0:
            text = ctypes.create_string_buffer(_TEXT_BYTES)
            self._library.DAQmxGetExtendedErrorInfo(text, _TEXT_BYTES)
            words = " ".join(text.value.decode("latin-1").split())
            reply = f"{code}: {words or 'no text'}"
            if code in _GONE:
                remedy = "check card and cable, and compare its name with NI MAX"
                raise ConnectionLostError(self._device, name, reply, remedy)
            raise DeviceRefusedError(
                self._device, name, reply, "see the card in NI MAX; does another program use it?"
            )


def _vendors(device: str) -> object:
    name = "nicaiu.dll" if sys.platform == "win32" else "libnidaqmx.so"
    try:
        return ctypes.WinDLL(name) if sys.platform == "win32" else ctypes.CDLL(name)
    except OSError as error:
        raise RefusedError(device, f"{name}: {error}", "install NI-DAQmx") from error
