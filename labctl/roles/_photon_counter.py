"""Photon counter: a detector of single photons, and the guard that keeps light from harming it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from labctl.errors import DeviceError, LabctlError, ProtectionError, RefusedError
from labctl.roles._base import Instrument, SafeAction
from labctl.roles._composite import Composite
from labctl.roles._pulse_counter import PulseCounter
from labctl.roles._shutter import Shutter
from labctl.roles._time_tagger import TimeTagger

__all__ = ["DetectorFacts", "DetectorWiring", "PhotonCounter"]

_FEWEST_DARKS = 10.0
"""So many dark counts must be due before their absence says anything: exp(-10) = 4.5e-5."""


@dataclass(frozen=True)
class DetectorFacts:
    """What the unit's test sheet says.

    Attributes:
        dead_time_ns: Time after a pulse in which it gives no other one, ns.
        jitter_fwhm_ps: Timing jitter, full width at half maximum, ps.
        dark_rate_hz: Pulses per second without light.
        afterpulse_probability: Chance that a pulse is followed by one without a photon.
    """

    dead_time_ns: float
    jitter_fwhm_ps: float
    dark_rate_hz: float
    afterpulse_probability: float


@dataclass(frozen=True)
class DetectorWiring:
    """Where the pulses go and what can keep the light away, by names of the set-up.

    Attributes:
        tagger: Time tagger that counts the pulses; empty: a counter card does.
        channel: Input there, from 1; 0 is the sync input of a PicoHarp 300.
        counter: Counter card that counts the pulses; empty: the tagger does.
        counter_channel: Counter of that card, from 0.
        shutter: Shutter in front of the detector; empty: there is none.
        light: What ends the light: the excitation's shutter.
    """

    tagger: str = ""
    channel: int = 1
    counter: str = ""
    counter_channel: int = 0
    shutter: str = ""
    light: str = "shutter"


class PhotonCounter(Composite):
    """Base of drivers of single-photon detectors, which have no data connection of their own.

    Too much light can destroy them. So every reading of the rate goes through a guard: above
    ``max_rate_hz`` the excitation is closed first, then the detector's own shutter, and the guard
    stays latched until a person re-arms it.

    Attributes:
        when_opened: Is called when the shutter in front of it was opened.
    """

    role: ClassVar[str] = "photon_counter"
    readables = {"count_rate": "Hz"}
    safe_actions = {"close": SafeAction("shut", "is_shut")}
    references = {
        "tagger": "time_tagger",
        "counter": "pulse_counter",
        "shutter": "shutter",
        "light": "shutter",
    }

    def __init__(
        self,
        name: str,
        facts: DetectorFacts,
        wiring: DetectorWiring,
        *,
        max_rate_hz: float,
        warn_rate_hz: float,
    ) -> None:
        """Remember what it is; ``attach`` comes before ``connect``.

        Args:
            name: Name in the set-up.
            facts: The test sheet.
            wiring: What it is plugged into.
            max_rate_hz: Above this the guard closes the light.
            warn_rate_hz: Above this the user is warned (dead time, pile-up).
        """
        super().__init__(name)
        self.facts, self.wiring = facts, wiring
        self.max_rate_hz, self.warn_rate_hz = max_rate_hz, warn_rate_hz
        self._read_rate: Callable[[], float] | None = None
        self._watch_rate: Callable[[], float] | None = None
        self._close_light: Callable[[], None] | None = None
        self._shutter: Shutter | None = None
        self._neighbours: tuple[PhotonCounter, ...] = ()
        self._tripped = ""
        self._last_rate_hz: float | None = None
        self.when_opened: Callable[[], None] = _nothing

    @property
    def tagger(self) -> str:
        """Name of the time tagger that its pulses go to; empty if there is none."""
        return self.wiring.tagger

    @property
    def channel(self) -> int:
        """Input of the tagger, from 1; 0 is the sync input of a PicoHarp 300."""
        return self.wiring.channel

    @property
    def has_shutter(self) -> bool:
        """Whether a shutter stands in front of it."""
        return self._shutter is not None

    @property
    def tripped(self) -> str:
        """What the guard has seen, or an empty string."""
        return self._tripped

    @property
    def exposed(self) -> bool:
        """Whether light may reach it, as far as labctl has moved its shutter; nothing is asked."""
        return self._shutter is None or self._shutter.ordered_open

    def part_names(self) -> Mapping[str, str]:
        """Return what the wiring names."""
        return {key: getattr(self.wiring, key) for key in self.references}

    def use_parts(self, parts: Mapping[str, Instrument]) -> None:
        """Take who counts its pulses and what keeps light from it."""
        shutter = self._part(parts, "shutter", Shutter) if "shutter" in parts else None
        light = self._part(parts, "light", Shutter)
        self.attach(self._rate_from(parts), shutter, light.shut)
        self._watch_rate = self._rate_from(parts, "guard")

    def meet(self, neighbours: Sequence["PhotonCounter"]) -> None:
        """Learn of the detectors behind the same shutter: it stays shut while one is latched."""
        self._neighbours = tuple(neighbours)

    def attach(
        self,
        count_rate: Callable[[], float],
        shutter: Shutter | None,
        close_light: Callable[[], None],
        neighbours: Sequence["PhotonCounter"] = (),
    ) -> None:
        """Say how its pulses are counted and how light is kept away; before ``connect``.

        Args:
            count_rate: Returns the rate of its pulses, Hz.
            shutter: The shutter in front of it; None if there is none.
            close_light: Ends the excitation.
            neighbours: Detectors behind the same shutter: it stays shut while one is latched.
        """
        self._read_rate, self._shutter, self._close_light = count_rate, shutter, close_light
        self.meet(neighbours)

    def read_count_rate(self) -> float:
        """Return the rate of its pulses as counted, darks included, Hz.

        Raises:
            ProtectionError: Too much light, now or since the guard was last armed.
            RefusedError: Nobody counts its pulses.
        """
        return self._checked(self._read_rate)

    def watch(self, quantity: str) -> float:
        """Return the rate beside a measurement, Hz, see ``read_count_rate``.

        A counter card gives means since it was last asked, and here has a memory of its own.
        """
        if quantity != "count_rate":
            return super().watch(quantity)
        return self._checked(self._watch_rate or self._read_rate)

    def _checked(self, rate: Callable[[], float] | None) -> float:
        if rate is None:
            raise RefusedError(self.name, "nobody counts its pulses", "connect the set-up first")
        rate_hz = rate()
        self.check_rate(rate_hz)
        return rate_hz

    def check_rate(self, rate_hz: float) -> None:
        """Guard against too much light, with a rate in Hz that somebody has found.

        Raises:
            ProtectionError: The rate is above ``max_rate_hz`` (or no number), and the light has
                been closed; or the guard is still latched from before.
        """
        self._last_rate_hz = rate_hz
        if not rate_hz <= self.max_rate_hz:
            self._trip(rate_hz)
        self._check_guard()

    def check_alive(self, rate_hz: float, over_s: float = 1.0) -> None:
        """Refuse silence: a detector without pulses is at fault, it does not show darkness.

        It complains below a tenth of the dark counts of its test sheet where at least 10 of them
        are due; for shorter or quieter readings it says nothing.

        Args:
            rate_hz: Mean rate of its pulses, Hz.
            over_s: The time over which this is the mean, s.

        Raises:
            DeviceError: It is silent; says what can be the reason.
        """
        due = self.facts.dark_rate_hz * over_s
        if due >= _FEWEST_DARKS and not rate_hz * over_s >= 0.1 * due:
            raise DeviceError(
                self.name,
                "count rate",
                f"{rate_hz:.3g} Hz, less than its dark rate of {self.facts.dark_rate_hz:.3g} Hz",
                "it has shut down after too much light, its gate is closed, its power is off, or"
                " a cable or trigger level is wrong: this is no dark reading",
            )

    def set_open(self, wanted: bool) -> None:
        """Open or close the shutter in front of it; without one there is nothing to move.

        Raises:
            ProtectionError: The guard is latched, or that of a detector behind the same shutter.
            DeviceRefusedError: The shutter did not do it.
        """
        if wanted:
            for neighbour in self._neighbours:
                if neighbour.latched():
                    what = f"behind the same shutter {neighbour.name} is latched"
                    raise ProtectionError(self.name, what, f"re-arm {neighbour.name} first")
            self._check_guard()
        if self._shutter is not None:
            self._shutter.set_open(wanted)
        if wanted:
            for exposed in (self, *self._neighbours):
                exposed.when_opened()

    def shut(self) -> None:
        """Close the shutter in front of it."""
        self.set_open(False)

    def is_shut(self) -> bool:
        """Ask whether its own shutter keeps light away; never true without one."""
        return self._shutter is not None and self._shutter.is_shut()

    def latched(self) -> bool:
        """Whether the guard has tripped and nobody has re-armed it."""
        return bool(self._tripped)

    def rearm(self) -> None:
        """Release the guard after a person has removed the light."""
        self._tripped = ""

    def guard_snapshot(self) -> Mapping[str, float | str | bool | None]:
        """Return facts, wiring, limits and the guard's state, keys with units, for snapshots."""
        return {
            **vars(self.facts),
            **vars(self.wiring),
            "shutter": self.wiring.shutter or "none: nothing keeps light from it but the set-up",
            "max_rate_hz": self.max_rate_hz,
            "warn_rate_hz": self.warn_rate_hz,
            "last_rate_hz": self._last_rate_hz,
            "guard": self._tripped or "armed",
        }

    def _rate_from(self, parts: Mapping[str, Instrument], reader: str = "") -> Callable[[], float]:
        if "counter" in parts:
            card = self._part(parts, "counter", PulseCounter)
            return partial(card.count_rate_hz, self.wiring.counter_channel, reader)
        return partial(self._part(parts, "tagger", TimeTagger).count_rate_hz, self.wiring.channel)

    def _check_guard(self) -> None:
        if self._tripped:
            raise ProtectionError(self.name, self._tripped, "remove the light, then re-arm")

    def _trip(self, rate_hz: float) -> None:
        # Latched before anything is sent: whatever fails below, nothing opens again.
        seen = f"{rate_hz:.3g} Hz" if math.isfinite(rate_hz) else "a rate that is no number"
        self._tripped = f"{seen}, allowed are {self.max_rate_hz:.3g} Hz: too much light"
        actions = [self._close_light, self._shutter.shut if self._shutter else None]
        failures = [text for action in actions if action and (text := _failure(action))]
        if failures:
            self._tripped += f"; NOT SAFE: {'; '.join(failures)}"


def _nothing() -> None:
    """Do nothing: nobody wants to know."""


def _failure(action: Callable[[], None]) -> str:
    """Carry an action out; returns what went wrong, so that the next one has its turn."""
    try:
        action()
    except (LabctlError, OSError) as error:
        return str(error)
    return ""
