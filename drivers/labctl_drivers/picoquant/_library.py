"""The vendor's library: loading it, and calls with ctypes arguments. Nothing else uses ctypes.

Source: prototypes of the vendor's headers; all functions return an int, negative for an error.
"""

import ctypes
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl.errors import ConnectionLostError, DeviceError
from labctl.transport import LibraryLink
from labctl_drivers.picoquant._errors import INSTANCE_RUNNING, USB_CHANCE, device_error, word_of
from labctl_drivers.picoquant._models import BY_PREFIX, Module

__all__ = ["Library", "load_library"]

_LARGEST_INT = 2**31 - 1
_ERROR_TEXT, _WARNING_TEXT, _SHORT_TEXT = 40, 16384, 8
_NEVER_AGAIN = {"CloseDevice", "StartMeas"}
"""A second try could do something twice, or take a failure for a success."""


def load_library(device: str, module: Module, file: str = "") -> object:
    """Load the vendor's library from a file, or from where the system looks for it.

    Raises:
        DeviceError: There is none; says how to install it.
    """
    windows = sys.platform == "win32"
    # On 32-bit Windows the functions clean up the stack themselves (stdcall).
    load: Callable[[str], object] = getattr(ctypes, "WinDLL" if windows else "CDLL")
    names = [file] if file else module.dlls if windows else module.libraries
    failures: list[str] = []
    for name in names:
        try:
            return load(name)
        except OSError as error:
            failures.append(str(error))
    raise DeviceError(
        device,
        f"load {' or '.join(dict.fromkeys(names))}",
        "; ".join(dict.fromkeys(failures)),
        f"install the vendor's library for {module.name}, version {module.versions[0]}, of the "
        "same word size as this Python; name its file as 'library:' in the set-up if it is "
        "elsewhere, or run with --simulate",
    )


class Library:
    """Calls of one module's functions; errors come out as ``DeviceError``.

    Reads and settings are repeated once after the errors that USB gives at random; a start is not.

    Attributes:
        index: Number of the open device in the library.
        repeats: How often each function was repeated.
        slow_s: Functions that may take longer than others, s: they look through all of USB, load
            the hardware's program, or calibrate it.
    """

    slow_s: ClassVar[Mapping[str, float]] = {
        "_OpenDevice": 20.0,
        "_Initialize": 30.0,
        "_Calibrate": 30.0,
    }

    def __init__(self, device: str, link: LibraryLink, prefix: str, file: str = "") -> None:
        """Load the vendor's library, or take the one of the link.

        Args:
            device: Name of the instrument, for errors.
            link: The library object, None for the vendor's; and who takes its calls down.
            prefix: Of the library's functions; tells the kind of module.
            file: The library's file; empty: where the system looks for it.

        Raises:
            DeviceError: The vendor's library is not installed.
        """
        self._device, self._module = device, BY_PREFIX[prefix]
        loaded = link.library
        if loaded is None:
            loaded = load_library(device, self._module, file)
        self._library = link.watched(loaded)
        self.index = 0
        self.repeats: Counter[str] = Counter()
        # Made once: a run reads many times a second.
        self._records = np.zeros(self._module.read_records, np.uint32)

    def has(self, name: str) -> bool:
        """Whether the library has this function."""
        return hasattr(self._library, f"{self._module.prefix}_{name}")

    def call(self, name: str, *arguments: int) -> None:
        """Call a function of the open device with whole numbers."""
        self._device_call(name, *arguments)

    def initialize(self, *arguments: int) -> None:
        """Initialise the open device; a run that an earlier owner left behind is stopped."""
        code = self._tried("Initialize", *arguments)
        if code == INSTANCE_RUNNING:
            self.call("StopMeas")
            code = self._tried("Initialize", *arguments)
        self._checked("Initialize", code)

    def number(self, name: str, *arguments: int) -> int:
        """Call a function that gives an int."""
        found = ctypes.c_int()
        self._device_call(name, *arguments, ctypes.byref(found))
        return found.value

    def real(self, name: str) -> float:
        """Call a function that gives a double."""
        found = ctypes.c_double()
        self._device_call(name, ctypes.byref(found))
        return found.value

    def version(self) -> str:
        """Return the library's version, like ``3.1``."""
        text = ctypes.create_string_buffer(_SHORT_TEXT)
        self._checked("GetLibraryVersion", self._once("GetLibraryVersion", text))
        return _plain(text)

    def open(self, index: int) -> tuple[int, str]:
        """Try to open a device; returns the library's code and the serial number."""
        serial = ctypes.create_string_buffer(_SHORT_TEXT)
        code = self._once("OpenDevice", index, serial)
        self.index = index
        return code, _plain(serial)

    def word_of(self, code: int) -> str:
        """Return the vendor's word for a code, or else what the library says."""
        word = word_of(self._module.prefix, code)
        if word or not self.has("GetErrorString"):
            return word
        text = ctypes.create_string_buffer(_ERROR_TEXT)
        self._once("GetErrorString", text, code)
        return _plain(text)

    def serial(self) -> str:
        """Return the serial number of an initialised device."""
        text = ctypes.create_string_buffer(_SHORT_TEXT)
        self._device_call("GetSerialNumber", text)
        return _plain(text)

    def hardware(self) -> tuple[str, str, str]:
        """Return model, part number and version."""
        sizes = (self._module.model_characters, _SHORT_TEXT, _SHORT_TEXT)
        model, part, version = (ctypes.create_string_buffer(size) for size in sizes)
        self._device_call("GetHardwareInfo", model, part, version)
        return _plain(model), _plain(part), _plain(version)

    def inputs(self) -> int:
        """Return the number of inputs besides the sync; a PicoHarp 300 has one."""
        if self._module.counts_sync_as_input:
            return 1
        return self.number("GetNumOfInputChannels")

    def base_resolution(self) -> tuple[float, int]:
        """Return the finest resolution, ps, and the number of binnings."""
        resolution_ps, steps = ctypes.c_double(), ctypes.c_int()
        self._device_call("GetBaseResolution", ctypes.byref(resolution_ps), ctypes.byref(steps))
        return resolution_ps.value, steps.value

    def warning_text(self, warning: int) -> str:
        """Return the library's text for one warning, in one line."""
        text = ctypes.create_string_buffer(_WARNING_TEXT)
        self._device_call("GetWarningsText", text, warning)
        return " ".join(_plain(text).split())

    def flags(self) -> tuple[int, int]:
        """Return the bits of the flags, and how often reading the buffer was repeated so far."""
        return self.number("GetFlags"), self.repeats["ReadFiFo"]

    def records(self) -> NDArray[np.uint32]:
        """Read the buffer once."""
        count = ctypes.c_int()
        sized = [self._module.read_records] if self._module.reads_counted else []
        buffer = self._records.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32))
        self._device_call("ReadFiFo", buffer, *sized, ctypes.byref(count))
        return self._records[: count.value].copy()

    def histogram(self, channel: int, bins: int) -> NDArray[np.uint32]:
        """Read the histogram of a channel, which stays as it is."""
        counts = np.zeros(bins, np.uint32)
        buffer = counts.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32))
        keep = [0] if self._module.prefix == "HH" else []
        self._device_call("GetHistogram", buffer, channel, *keep)
        return counts

    def _device_call(self, name: str, *arguments: Any) -> None:
        self._checked(name, self._tried(name, *arguments))

    def _tried(self, name: str, *arguments: Any) -> int:
        code = self._once(name, self.index, *arguments)
        if code in USB_CHANCE and name not in _NEVER_AGAIN:
            self.repeats[name] += 1
            code = self._once(name, self.index, *arguments)
        return code

    def _checked(self, name: str, code: int) -> None:
        if code < 0:
            function = f"{self._module.prefix}_{name}"
            raise device_error(self._device, function, code, self.word_of(code))

    def _once(self, name: str, *arguments: Any) -> int:
        function = f"{self._module.prefix}_{name}"
        call: Callable[..., int] | None = getattr(self._library, function, None)
        if call is None:
            remedy = f"install version {self._module.versions[0]} of the vendor's library"
            raise DeviceError(self._device, function, "the library does not have it", remedy)
        try:
            return call(*(_as_c(argument) for argument in arguments))
        except OSError as error:
            # Windows reports so that the library itself has crashed.
            raise ConnectionLostError(
                self._device, function, str(error), "connect again"
            ) from error


def _as_c(argument: Any) -> Any:
    unsigned = isinstance(argument, int) and argument > _LARGEST_INT
    return ctypes.c_uint(argument) if unsigned else argument


def _plain(text: "ctypes.Array[ctypes.c_char]") -> str:
    return text.value.decode("latin-1").strip()
