"""Finding a module among the devices that the library can see, and putting it into a mode."""

from contextlib import suppress
from dataclasses import dataclass

from labctl.errors import DeviceError, GarbledReplyError, NoReplyError
from labctl_drivers.picoquant._library import Library
from labctl_drivers.picoquant._plan import mode_arguments
from labctl_drivers.picoquant._settings import ModuleSettings

__all__ = ["Found", "initialize", "open_device"]

_DEVICES = 8
_NOTHING_THERE = -1


@dataclass(frozen=True)
class Found:
    """The module that was opened.

    Attributes:
        model: As the module calls itself.
        part: Part number.
        version: Of the hardware.
        serial: Serial number.
        inputs: Besides the sync input.
        base_resolution_ps: Finest resolution, ps.
        binnings: Number of binnings from 0.
        library_version: Of the library.
    """

    model: str
    part: str
    version: str
    serial: str
    inputs: int
    base_resolution_ps: float
    binnings: int
    library_version: str = ""


def open_device(device: str, library: Library, config: ModuleSettings, version: str) -> Found:
    """Open the module with the set-up's serial number, or the first one, in histogram mode.

    Raises:
        NoReplyError: It is not there; says what is.
        DeviceError: It could not be initialised; it is closed again.
    """
    seen: list[str] = []
    for index in range(_DEVICES):
        code, serial = library.open(index)
        if code < 0:
            if code != _NOTHING_THERE:
                seen.append(f"device {index}: {library.word_of(code)} ({code})")
            continue
        try:
            # Some libraries tell the number only after Initialize.
            initialized = not serial
            if initialized:
                initialize(library, config, "histogram")
                serial = library.serial()
            if config.serial in ("", serial):
                if not initialized:
                    initialize(library, config, "histogram")
                return _ask(device, library, serial, version)
        except BaseException:
            _close(library)
            raise
        seen.append(f"device {index}: serial number {serial}")
        _close(library)
    raise NoReplyError(
        device,
        f"{config.module.prefix}_OpenDevice",
        f"no {config.module.name}{f' {config.serial}' if config.serial else ''} found"
        + (f" ({'; '.join(seen)})" if seen else ""),
        "check power and USB cable, close other programs, compare the serial number in the set-up",
    )


def initialize(library: Library, config: ModuleSettings, mode: str) -> None:
    """Put the open module into a mode; all its settings are lost."""
    library.initialize(*mode_arguments(config, mode))
    if config.module.calibrates:
        library.call("Calibrate")


def _ask(device: str, library: Library, serial: str, version: str) -> Found:
    model, part, hardware_version = library.hardware()
    inputs = library.inputs()
    base_ps, binnings = library.base_resolution()
    if not (base_ps > 0.0 and binnings > 0 and inputs > 0):
        raise GarbledReplyError(
            device,
            "base resolution and inputs",
            f"{base_ps} ps, {binnings} binnings, {inputs} inputs",
            "switch the module off and on",
        )
    return Found(model, part, hardware_version, serial, inputs, base_ps, binnings, version)


def _close(library: Library) -> None:
    with suppress(DeviceError):
        library.call("CloseDevice")
