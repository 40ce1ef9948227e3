"""TimeTagger: histograms and time-tag records of photons (TCSPC)."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.photons import RecordType, Stream, format_of
from labctl.roles._base import Instrument, Limits, SafeAction
from labctl.units import format_quantity

__all__ = ["Mode", "TaggerFlags", "TaggerSettings", "TimeTagger"]

Mode = Literal["histogram", "t2", "t3"]

_ACQUISITION = Limits(0.001, 360_000.0)
_MOST_RECORDS = 1 << 22


@dataclass(frozen=True)
class TaggerSettings:
    """What a measurement decides; levels, edges and channel offsets belong to the set-up.

    Attributes:
        mode: ``histogram`` (delays sorted in the hardware), ``t2`` (absolute times) or ``t3``
            (sync numbers and delays).
        acquisition_s: Longest time that a run may take, s: 0.001 to 360000.
        binning: Exponent: a delay bin is 2^binning base resolutions. 0 in T2.
        sync_divider: Divider in front of the sync input. 1 in T2.
        offset_ps: Where the delay axis begins, ps. 0 in T2.
    """

    mode: Mode
    acquisition_s: float
    binning: int = 0
    sync_divider: int = 1
    offset_ps: float = 0.0


@dataclass(frozen=True)
class TaggerFlags:
    """What went wrong in a run.

    Attributes:
        fifo_full: The buffer ran over: the run is over, records after that are lost.
        overflow: A bin of the histogram is full.
        sync_lost: The sync pulses stayed away.
        reference_lost: The external clock stayed away.
        counts_dropped: A burst was too fast for the front end; the run goes on.
        system_error: The hardware has an error; the data are not to be trusted.
        transfer_repeated: A read of the buffer failed and was repeated: records may be missing,
            and overflow records among them would shift all later times.
    """

    fifo_full: bool = False
    overflow: bool = False
    sync_lost: bool = False
    reference_lost: bool = False
    counts_dropped: bool = False
    system_error: bool = False
    transfer_repeated: bool = False

    def words(self) -> tuple[str, ...]:
        """Return the names of the flags that are set."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name))

    def __or__(self, other: "TaggerFlags") -> "TaggerFlags":
        """Return the flags that are set in either."""
        return TaggerFlags(**dict.fromkeys((*self.words(), *other.words()), True))


class TimeTagger(Instrument):
    """Base of TCSPC drivers.

    Order of calls: ``configure``, wait ``settle_s``, rates and ``warnings``, ``stream``,
    ``start``; then ``read_records`` until it gives nothing and ``running`` says no; ``stop``;
    in histogram mode ``read_histogram``. ``stop`` is due also when the run ended by itself.

    Attributes:
        settle_s: So long after ``configure`` the rates are valid, s.
    """

    role: ClassVar[str] = "time_tagger"
    readables = {"sync_rate": "Hz"}
    safe_actions = {"stop": SafeAction("stop", "is_stopped")}
    settle_s: ClassVar[float] = 0.25

    def __init__(self, name: str, limits: Mapping[str, Limits] | None = None) -> None:
        """Start without settings."""
        super().__init__(name, limits)
        self._forget()

    # What a driver writes

    @abstractmethod
    def base_resolution_ps(self) -> float:
        """Return the finest resolution, ps; the unit of T2 times."""

    @abstractmethod
    def histogram_bins(self) -> int:
        """Return the number of bins of a histogram."""

    @abstractmethod
    def fifo_records(self) -> int:
        """Return how many records the hardware can keep until they are read."""

    @abstractmethod
    def dead_time_ns(self) -> float:
        """Return the dead time of an input, ns: the longest programmed, or the documented one."""

    @abstractmethod
    def inputs(self) -> tuple[int, ...]:
        """Return the numbers of the inputs in use, from 1.

        0 is the sync input, listed while it takes a detector (T2).
        """

    @abstractmethod
    def count_rate_hz(self, input_number: int) -> float:
        """Return the rate at an input over the last gate, 1/s."""

    @abstractmethod
    def read_sync_rate(self) -> float:
        """Return the rate at the sync input before the divider, Hz; 0 without pulses."""

    @abstractmethod
    def warnings(self) -> tuple[str, ...]:
        """Return the vendor's warnings, one text each; ask after the rates have been read."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what the header of a PTU file wants, as plain JSON values.

        Keys: ``hardware`` (``HW_Type``), ``hardware_version``, ``serial``, ``inputs`` (how many
        the hardware has), ``base_resolution_ps``, ``sync`` and ``channels`` (by number as text)
        with levels, edges, offsets and dead times; keys carry the unit.
        """

    @abstractmethod
    def _check_settings(self, settings: TaggerSettings) -> None:
        """Refuse what this model cannot do; sends nothing."""

    @abstractmethod
    def _write_settings(self, settings: TaggerSettings) -> float:
        """Send everything; returns the width of a delay bin as read back, ps."""

    @abstractmethod
    def _record_type(self, mode: int) -> RecordType:
        """Return the kind of records in mode 2 or 3."""

    @abstractmethod
    def _channel_of(self, input_number: int, mode: int) -> int:
        """Return the channel code of an input in mode 2 or 3."""

    @abstractmethod
    def _start(self, acquisition_s: float) -> None:
        """Start a run."""

    @abstractmethod
    def _stop(self) -> None:
        """End a run, or acknowledge that it is over; harmless when there is none."""

    @abstractmethod
    def _over(self) -> bool:
        """Ask whether the time of the run is up."""

    @abstractmethod
    def _read_flags(self) -> TaggerFlags:
        """Ask for the flags."""

    @abstractmethod
    def _largest_read(self) -> int:
        """Return how many records one read of the buffer gives at most."""

    @abstractmethod
    def _read_fifo(self) -> NDArray[np.uint32]:
        """Read the buffer once; empty if nothing is there."""

    @abstractmethod
    def _read_histogram(self, input_number: int) -> NDArray[np.uint32]:
        """Read one histogram."""

    def _forget(self) -> None:
        """A driver calls this when a connection is made or given up: nothing is set, none runs."""
        self._settings: TaggerSettings | None = None
        self._delay_bin_ps = 0.0
        self._flags = TaggerFlags()
        self._overrun, self._stopped = False, True

    def marker_inputs(self) -> tuple[int, ...]:
        """Return the marker inputs whose rising edges come among the records; none by default."""
        return ()

    # Settings

    @property
    def settings(self) -> TaggerSettings | None:
        """The settings in force; None before ``configure``."""
        return self._settings

    def configure(self, settings: TaggerSettings) -> None:
        """Check everything, then send it; the rates are valid ``settle_s`` later.

        Raises:
            RefusedError: Something is out of range, or a run is on; nothing was sent.
            DeviceError: The hardware did not take it; it has to be configured again.
        """
        self._check_common(settings)
        self._check_settings(settings)
        if not self.is_stopped():
            raise RefusedError(self.name, "a change of settings during a run", "stop it first")
        self._settings = None
        width_ps = self._write_settings(settings)
        expected_ps = self.base_resolution_ps() * 2**settings.binning
        if settings.mode != "t2" and not math.isclose(width_ps, expected_ps, rel_tol=1e-9):
            raise DeviceRefusedError(
                self.name,
                f"binning {settings.binning}",
                f"a delay bin is {width_ps:g} ps, not {expected_ps:g} ps",
                "configure again",
            )
        self._delay_bin_ps, self._settings = width_ps, settings
        self._flags, self._overrun = TaggerFlags(), False

    def _check_common(self, settings: TaggerSettings) -> None:
        if settings.mode not in get_args(Mode):
            raise RefusedError(self.name, f"mode {settings.mode!r}", f"one of {get_args(Mode)}")
        if settings.acquisition_s not in _ACQUISITION:
            raise RefusedError(
                self.name,
                f"acquisition of {format_quantity(settings.acquisition_s, 's')}",
                f"allowed: {_ACQUISITION.low:g} to {_ACQUISITION.high:g} s",
            )
        if not math.isfinite(settings.offset_ps):
            raise RefusedError(self.name, f"offset {settings.offset_ps} is not a number")
        if settings.mode == "t2" and settings.sync_divider != 1:
            raise RefusedError(
                self.name, f"sync divider {settings.sync_divider} in T2", "it must be 1 there"
            )
        if settings.mode == "t2" and (settings.binning, settings.offset_ps) != (0, 0.0):
            raise RefusedError(
                self.name, "binning or offset in T2", "times count base resolutions from the start"
            )

    def _configured(self) -> TaggerSettings:
        if self._settings is None:
            raise RefusedError(self.name, "it has no settings", "configure it first")
        return self._settings

    def _tagging_mode(self) -> int:
        mode = self._configured().mode
        if mode == "histogram":
            raise RefusedError(self.name, "there are no records in histogram mode", "use t2 or t3")
        return 2 if mode == "t2" else 3

    def _check_input(self, input_number: int) -> None:
        if input_number not in self.inputs():
            hint = f"inputs: {', '.join(map(str, self.inputs()))}"
            if input_number == 0:
                hint += "; the sync input takes a detector in T2 only, where it is meant to"
            raise RefusedError(self.name, f"there is no input {input_number}", hint)

    def delay_bin_ps(self) -> float:
        """Return the width of a delay bin as read back, ps; the base resolution in T2."""
        self._configured()
        return self._delay_bin_ps

    def channel_of(self, input_number: int) -> int:
        """Return the channel code that photons of an input have in ``labctl.photons`` blocks."""
        mode = self._tagging_mode()
        self._check_input(input_number)
        return self._channel_of(input_number, mode)

    def delay_bins(self) -> int:
        """Return how many delay bins a T3 record can tell apart."""
        return format_of(self._record_type(3)).delay_bins

    def stream(self) -> Stream:
        """Return what the numbers of ``read_records`` mean; ask once, before ``start``.

        In T3 a tick is one period of the sync as it is measured now, before the divider.

        Raises:
            RefusedError: Histogram mode.
            DeviceRefusedError: T3 without sync pulses.
        """
        mode = self._tagging_mode()
        tick_s = self.base_resolution_ps() / 1e12 if mode == 2 else self.sync_period_s()
        return Stream(self._record_type(mode), tick_s, self._delay_bin_ps / 1e12)

    def sync_period_s(self) -> float:
        """Return the period of the sync before the divider as it is measured now, s.

        Raises:
            DeviceRefusedError: There are no pulses.
        """
        rate_hz = self.read_sync_rate()
        if rate_hz <= 0.0:
            raise DeviceRefusedError(
                self.name,
                "sync period",
                "no pulses at the sync input",
                f"check laser, cable and level; rates need {self.settle_s} s after a change",
            )
        return 1.0 / rate_hz

    # Runs

    def start(self) -> None:
        """Start a run of at most ``acquisition_s``.

        Raises:
            RefusedError: Not configured, or the last run was not stopped.
        """
        settings = self._configured()
        if not self.is_stopped():
            raise RefusedError(self.name, "a second start", "stop the run first")
        self._flags, self._overrun = TaggerFlags(), False
        # Set before: after a failure half-way a run may be on.
        self._stopped = False
        self._start(settings.acquisition_s)

    def running(self) -> bool:
        """Ask whether photons are still being taken; records can be left when they are not."""
        return not (self._overrun or self.is_stopped() or self._over())

    def stop(self) -> None:
        """End a run; always allowed, also when it ended by itself. Records stay to be read."""
        self._stop()
        self._stopped = True

    def is_stopped(self) -> bool:
        """Whether no run is on: none was started, or the hardware has confirmed the stop."""
        return self._stopped

    def read_records(self) -> NDArray[np.uint32]:
        """Return the next records, shape (n,), uint32; n = 0 if there are none.

        The buffer is read until a read does not fill up, but not beyond some 4 million records,
        so that a fast module is emptied by few calls. The flags are asked before each read. If
        the buffer ran over, the hardware is stopped and ``running`` is False from then on; what
        it still has comes with this and, if it is a lot, the following calls.
        """
        self._tagging_mode()
        full = self._largest_read()
        parts = [self._flags_and_records()]
        while len(parts[-1]) == full and len(parts) * full < _MOST_RECORDS:
            parts.append(self._flags_and_records())
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _flags_and_records(self) -> NDArray[np.uint32]:
        if self.flags().fifo_full and not self._overrun:
            self._overrun = True
            self._stop()
        return self._read_fifo()

    def flags(self) -> TaggerFlags:
        """Ask for the flags; returns all that were seen since ``start``."""
        self._flags |= self._read_flags()
        return self._flags

    def read_histogram(self, input_number: int) -> NDArray[np.uint32]:
        """Return counts by delay of one input, shape (``histogram_bins``,), uint32.

        Raises:
            RefusedError: Not in histogram mode, no such input, or the run was not stopped.
        """
        if self._configured().mode != "histogram":
            raise RefusedError(self.name, "there is no histogram in T2 and T3", "read the records")
        self._check_input(input_number)
        if not self.is_stopped():
            raise RefusedError(self.name, "a histogram during a run", "stop it first")
        counts = self._read_histogram(input_number)
        self.flags()
        return counts
