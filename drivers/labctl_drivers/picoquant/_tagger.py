"""What the drivers of all PicoQuant modules have in common.

Source: the vendor's headers, demos and manuals of PHLib, HHLib, MHLib and PH330Lib.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl.errors import (
    DeviceError,
    DeviceRefusedError,
    NoReplyError,
    RefusedError,
)
from labctl.photons import SYNC_CHANNEL, RecordType
from labctl.roles import Identity, Limits, Settings, TaggerFlags, TaggerSettings, TimeTagger
from labctl.transport import LibraryLink
from labctl_drivers.picoquant._description import channels_of
from labctl_drivers.picoquant._library import Library
from labctl_drivers.picoquant._models import Module
from labctl_drivers.picoquant._plan import settings_calls
from labctl_drivers.picoquant._search import Found, initialize, open_device
from labctl_drivers.picoquant._settings import ModuleSettings

__all__ = ["PicoquantTagger"]

_BINS, _LENGTH_CODE = 65536, 6
_T2 = 2


class PicoquantTagger(TimeTagger):
    """A PicoQuant module as a ``TimeTagger``.

    A subclass names its ``module``. Each ``configure`` sends everything; Initialize, after which
    a PicoHarp 300 and a HydraHarp 400 are calibrated, is called when the mode changes.
    """

    interface: ClassVar[str] = "library"
    settings_type: ClassVar[type[Settings]] = ModuleSettings
    module: ClassVar[Module]

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: ModuleSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Remember what is needed; nothing is loaded yet.

        Args:
            name: Name in the set-up.
            link: Object with the library's functions, or the order to load the vendor's.
            settings: The set-up's keys.
            limits: See ``Instrument``.
        """
        super().__init__(name, limits)
        self._link, self._config = link, settings
        self._open_library: Library | None = None
        self._found = Found("", "", "", "", 0, 0.0, 0)
        self._mode = ""
        self._repeated = 0
        self._left_running = False
        """Whether the connection was given up with a run on that nobody could stop."""

    # Connection

    def _open(self) -> None:
        self._forget()
        prefix, file = self.module.prefix, self._config.library
        library = self._link.open(Library, self.name, prefix, file)
        self._check_version(version := library.version())
        self._found = open_device(self.name, library, self._config, version)
        self._open_library, self._mode = library, "histogram"
        self._left_running = False
        self._check_inputs()

    def _check_version(self, version: str) -> None:
        if version.partition(".")[0] not in {one.partition(".")[0] for one in self.module.versions}:
            raise DeviceError(
                self.name,
                f"{self.module.prefix}_GetLibraryVersion",
                f"version {version or 'unknown'}",
                f"this driver is written for {' and '.join(self.module.versions)}; install that",
            )

    def _check_inputs(self) -> None:
        wrong = [number for number in self._config.inputs if number > self._found.inputs]
        if wrong:
            raise RefusedError(
                self.name,
                f"the set-up names input {wrong[0]}",
                f"this {self._found.model} has {self._found.inputs}",
            )

    def _close(self) -> None:
        library, self._open_library = self._open_library, None
        if library is not None:
            try:
                library.call("StopMeas")
            except DeviceError:
                self._left_running = not self.is_stopped()
            with suppress(DeviceError):
                library.call("CloseDevice")
        self._link.let_go()
        self._forget()
        self._mode = ""

    @property
    def _library(self) -> Library:
        if self._open_library is None:
            raise NoReplyError(self.name, "library call", "not connected", "connect first")
        return self._open_library

    def flush(self) -> None:
        """Stop whatever run there is; the next ``configure`` initialises again."""
        self._mode = ""
        self._library.call("StopMeas")
        self._forget()

    def identity(self) -> Identity:
        """Return who answered when the connection was made."""
        found = self._found
        return Identity("PicoQuant", found.model, found.serial, found.version)

    def describe(self) -> dict[str, Any]:
        """Return the hardware and its channels; see ``TimeTagger``."""
        found = self._found
        return {
            "hardware": self.module.hardware,
            "hardware_version": found.version,
            "model": found.model,
            "serial": found.serial,
            "inputs": found.inputs,
            "base_resolution_ps": found.base_resolution_ps,
            **channels_of(self._config, found.inputs),
        }

    def snapshot(self) -> dict[str, Any]:
        """Return description, settings in force, sync rate and how often USB failed."""
        library, settings = self._library, self._settings
        wanted = vars(settings) if settings is not None else {}
        return {
            **self.describe(),
            "part_number": self._found.part,
            "library_version": self._found.library_version,
            "reference": self._config.reference,
            **wanted,
            "sync_rate_hz": self.read_sync_rate(),
            "usb_repeats": dict(library.repeats),
        }

    # Hardware

    def base_resolution_ps(self) -> float:
        """Return the finest resolution as the module says, ps."""
        self._check_connected()
        return self._found.base_resolution_ps

    def _check_connected(self) -> None:
        if self._open_library is None:
            raise NoReplyError(self.name, "library call", "not connected", "connect first")

    def histogram_bins(self) -> int:
        """Return 65536, which all models have."""
        return _BINS

    def fifo_records(self) -> int:
        """Return the size of the module's buffer; of newer modules assumed, no text says it."""
        return self.module.fifo_records

    def dead_time_ns(self) -> float:
        """Return the dead time of an input, ns: the longest programmed, or the documented one."""
        used = [self._config.input(number) for number in self.inputs() if number > 0]
        programmed_ns = [1e-3 * (one.dead_time or 0.0) for one in used]
        return max(self.module.own_dead_ns, *programmed_ns, 0.0)

    def inputs(self) -> tuple[int, ...]:
        """Return the inputs in use; 0 is the sync input in T2 where it takes a detector."""
        numbers = range(1, self._found.inputs + 1)
        used = tuple(number for number in numbers if self._config.input(number).enabled)
        in_t2 = self._settings is not None and self._settings.mode == "t2"
        return (0, *used) if in_t2 and self._sync_takes_detector() else used

    def marker_inputs(self) -> tuple[int, ...]:
        """Return the marker inputs whose rising edges are recorded."""
        return tuple(line for line, edge in self._config.markers.items() if edge == "rising")

    def _sync_takes_detector(self) -> bool:
        return self.module.counts_sync_as_input or self._config.sync.detector

    def _channel_of(self, input_number: int, mode: int) -> int:
        if self.module.counts_sync_as_input:
            return input_number
        return SYNC_CHANNEL if input_number == 0 else input_number - 1

    def _record_type(self, mode: int) -> RecordType:
        return self.module.records[mode - _T2]

    # Rates

    def read_sync_rate(self) -> float:
        """Return the rate at the sync input over the last 0.1 s, before the divider, Hz."""
        if self.module.counts_sync_as_input:
            return float(self._library.number("GetCountRate", 0))
        return float(self._library.number("GetSyncRate"))

    def count_rate_hz(self, input_number: int) -> float:
        """Return the rate at an input over the last 0.1 s, 1/s."""
        self._check_input(input_number)
        if input_number == 0:
            return self.read_sync_rate()
        channel = input_number - (not self.module.counts_sync_as_input)
        return float(self._library.number("GetCountRate", channel))

    def warnings(self) -> tuple[str, ...]:
        """Return the library's text of each warning; ask after the rates have been read."""
        bits = self._library.number("GetWarnings")
        return tuple(
            self._library.warning_text(1 << place)
            for place in range(bits.bit_length())
            if bits >> place & 1
        )

    # Settings

    def _check_settings(self, settings: TaggerSettings) -> None:
        module, steps = self.module, self._found.binnings
        self._check_connected()
        if settings.mode != "t2":
            self._need("binning", settings.binning, Limits(0, steps - 1))
            self._need("offset", settings.offset_ps, Limits(0, module.axis_limit_ps), "ps")
        unit_ps = module.axis_unit_ps
        if settings.offset_ps % unit_ps:
            raise RefusedError(
                self.name,
                f"offset of {settings.offset_ps:g} ps",
                f"it must be a whole number of steps of {unit_ps} ps",
            )
        if settings.sync_divider not in module.dividers:
            known = ", ".join(map(str, module.dividers))
            raise RefusedError(
                self.name, f"sync divider {settings.sync_divider}", f"allowed: {known}"
            )

    def _need(self, what: str, value: float, allowed: Limits, unit: str = "") -> None:
        if value not in allowed:
            span = f"{allowed.low:g} to {allowed.high:g} {unit}".rstrip()
            raise RefusedError(self.name, f"{what} {value:g} {unit}".rstrip(), f"allowed: {span}")

    def _write_settings(self, settings: TaggerSettings) -> float:
        library, config = self._library, self._config
        if self._mode != settings.mode:
            # Known again only when it has answered: a failure half-way leaves any mode.
            self._mode = ""
            initialize(library, config, settings.mode)
            self._mode = settings.mode
        for name, arguments in settings_calls(config, settings, self._found.inputs):
            if library.has(name) or not self._spared(name):
                library.call(name, *arguments)
        if settings.mode == "histogram" and not self.module.counts_sync_as_input:
            self._set_length(library)
        if settings.mode == "t2":
            return self._found.base_resolution_ps
        return library.real("GetResolution")

    def _spared(self, name: str) -> bool:
        """Whether an older library can do without this function: nobody has asked for it."""
        asked = name == "SetOflCompression" and self._config.overflow_hold is not None
        return name in self.module.optional and not asked

    def _set_length(self, library: Library) -> None:
        bins = library.number("SetHistoLen", _LENGTH_CODE)
        if bins != _BINS:
            raise DeviceRefusedError(
                self.name,
                f"{self.module.prefix}_SetHistoLen {_LENGTH_CODE}",
                f"{bins} bins instead of {_BINS}",
                "the module cannot do it; use T3",
            )

    # Runs

    def _start(self, acquisition_s: float) -> None:
        library = self._library
        if self._mode == "histogram":
            library.call("ClearHistMem", *([0] if self.module.counts_sync_as_input else []))
        self._repeated = library.repeats.get("ReadFiFo", 0)
        library.call("StartMeas", round(1e3 * acquisition_s))

    def _stop(self) -> None:
        if self._open_library is not None or self._left_running:
            self._library.call("StopMeas")

    def _over(self) -> bool:
        return self._library.number("CTCStatus") != 0

    def _read_flags(self) -> TaggerFlags:
        bits, repeats = self._library.flags()
        found = {name: bool(bits & mask) for name, mask in self.module.flags.items()}
        return TaggerFlags(**found, transfer_repeated=repeats > self._repeated)

    def _largest_read(self) -> int:
        return self.module.read_records

    def _read_fifo(self) -> NDArray[np.uint32]:
        return self._library.records()

    def _read_histogram(self, input_number: int) -> NDArray[np.uint32]:
        channel = 0 if self.module.counts_sync_as_input else input_number - 1
        return self._library.histogram(channel, _BINS)
