"""What a guard looks at: interlocks of the set-up, and detectors that light can harm."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from labctl.clock import Clock
from labctl.errors import LabctlError, ProtectionError, RefusedError
from labctl.events import InterlockAction, InterlockState
from labctl.roles import Camera, PhotonCounter
from labctl.sequencer._trip_rule import TripWatch, rule_of
from labctl.setup import Interlock
from labctl.stations import Station
from labctl.storage import Quality

__all__ = ["CameraWatch", "DetectorWatch", "InterlockWatch", "Standing", "Watched"]

_EXPOSED_S, _SHUT_S, _LOOK_S = 0.1, 1.0, 10.0
"""Rate meters have a gate of 0.1 s; a detector behind its closed shutter needs a look sometimes."""
_CAMERA_S = 1.0
_FOREVER_S = math.inf
_BITS = {
    "temperature": Quality.TEMPERATURE_UNSTABLE,
    "platform_temperature": Quality.TEMPERATURE_UNSTABLE,
    "stability": Quality.TEMPERATURE_UNSTABLE,
    "sync_rate": Quality.SYNC_BAD,
    "count_rate": Quality.APD_OVERLIGHT,
    "power": Quality.POWER_OUT,
    "sample_power": Quality.POWER_OUT,
    "fluence": Quality.POWER_OUT,
    "in_compliance": Quality.COMPLIANCE,
}
"""Quantity → what is doubtful in a point that it was bad in."""


@dataclass(frozen=True)
class Standing:
    """How an interlock, or the guard of a detector, stands.

    Attributes:
        name: Like ``cryostat.temperature above 120 K``, or the name of a detector.
        device: The instrument that is watched.
        state: ``armed`` or ``tripped``.
        action: What a trip does.
        text: What was seen, and why it matters.
        latched: Whether a person must re-arm it.
        wait_s: Longest suspension, s.
        bits: Quality bits of a point that it concerns.
    """

    name: str
    device: str
    state: InterlockState
    action: InterlockAction
    text: str = ""
    latched: bool = True
    wait_s: float = _FOREVER_S
    bits: int = 0

    @property
    def reason(self) -> str:
        """What a run that ends or waits says of it."""
        kind = "" if self.name == self.device else "interlock "
        return f"{kind}{self.name}: {self.text}"


class Watched(ABC):
    """Something that is looked at again and again; on whatever thread, one look at a time.

    Attributes:
        standing: How it stands since the last look.
    """

    standing: Standing

    @abstractmethod
    def look(self) -> None:
        """Look now; ``standing`` tells what has come out. Raises nothing of labctl's."""

    @abstractmethod
    def rearm(self) -> None:
        """Release it after a person has looked; raises RefusedError while things are bad."""

    def take_note(self) -> None:
        """Bring ``standing`` up to date without asking anything."""
        return None

    def period_s(self) -> float:
        """Return the time to the next look, s."""
        return _CAMERA_S

    def shortest_s(self) -> float:
        """Return the shortest time between two looks, s."""
        return self.period_s()

    def when_exposed(self, told: Callable[[], None]) -> None:
        """Have ``told`` called when ``period_s`` may have become shorter."""
        del told

    def is_dark(self) -> bool:
        """Whether a trip has ended the light already."""
        return False

    def doubt(self) -> int:
        """Return the quality bits that the last look leaves on a point, tripped or not."""
        return 0

    def reader(self) -> str:
        """Return the instrument that is asked."""
        return self.standing.device

    def concerns(self, name: str) -> bool:
        """Whether a person means this by a name."""
        return name in (self.standing.name, self.standing.device)


class InterlockWatch(Watched):
    """An interlock of the set-up."""

    def __init__(self, entry: Interlock, station: Station, clock: Clock) -> None:
        """Watch what ``entry`` says; nothing is read yet."""
        self._entry, self._station, self._clock = entry, station, clock
        self._unit = "" if entry.alarm else station.unit(entry.watch)
        self._watch = TripWatch(rule_of(entry, self._unit), clock.now())
        device, _, quantity = entry.watch.partition(".")
        bits = _BITS.get(quantity, 0)
        if entry.stale_s is not None:
            bits = Quality.STALE_READING
        self._bits = int(bits)
        self._alarm = ""
        self.standing = Standing(
            f"{entry.watch} {_condition(entry)}",
            device,
            "armed",
            entry.do,
            entry.why,
            entry.latches,
            entry.wait_s,
            self._bits,
        )

    def look(self) -> None:
        """Read, and decide."""
        watch = self._watch
        watch.take(self._clock.now(), self._reading())
        if watch.tripped and watch.well and not self._entry.latches:
            watch.release()
        self._stand()

    def rearm(self) -> None:
        """Release it, unless the condition still holds."""
        if self._watch.tripped and not self._watch.well:
            what = f"{self.standing.name}: {self._seen()}"
            raise RefusedError(self.standing.device, what, "it can be re-armed when that is over")
        self._watch.release()
        self._stand()

    def period_s(self) -> float:
        """Return what the set-up says, s."""
        return self._entry.every_s

    def doubt(self) -> int:
        """Return the bits while the condition holds."""
        return self._doubtful() if self._watch.bad else 0

    def concerns(self, name: str) -> bool:
        """Whether a person means this by a name."""
        return super().concerns(name) or name == self._entry.watch

    def _reading(self) -> float:
        try:
            if self._entry.alarm:
                self._alarm = self._station[self.standing.device].alarm()
                return float(bool(self._alarm))
            return self._station.watch(self._entry.watch)
        except LabctlError:
            # No reading; if that lasts, the rule takes it for a bad one.
            return math.nan

    def _doubtful(self) -> int:
        return self._bits | (Quality.STALE_READING if self._watch.silent else 0)

    def _stand(self) -> None:
        state: InterlockState = "tripped" if self._watch.tripped else "armed"
        if state != self.standing.state:
            why = self._entry.why
            text = f"{self._seen()}: {why}" if why else self._seen()
            shown = text if state == "tripped" else why
            bits = self._doubtful()
            self.standing = replace(self.standing, state=state, text=shown, bits=bits)

    def _seen(self) -> str:
        return self._alarm or self._watch.describe(self._unit)


class DetectorWatch(Watched):
    """The guard of a single-photon detector: it acts by itself, here it is made to look."""

    def __init__(self, detector: PhotonCounter, clock: Clock) -> None:
        """Watch a detector."""
        self._detector, self._clock = detector, clock
        self._looked_s = -math.inf
        bits = int(Quality.APD_OVERLIGHT)
        self.standing = Standing(detector.name, detector.name, "armed", "close_light", bits=bits)

    def look(self) -> None:
        """Read the rate, but seldom where it is dark."""
        detector, now_s = self._detector, self._clock.now()
        due = detector.exposed or now_s - self._looked_s >= _LOOK_S
        if due and not detector.latched():
            self._looked_s = now_s
            _guarded(partial(detector.watch, "count_rate"))
        self.take_note()

    def rearm(self) -> None:
        """Release the guard of the detector."""
        self._detector.rearm()
        self.take_note()

    def period_s(self) -> float:
        """Return a gate of the rate meter while light can reach it, s."""
        return _EXPOSED_S if self._detector.exposed else _SHUT_S

    def reader(self) -> str:
        """Return who counts its pulses."""
        return self._detector.wiring.counter or self._detector.wiring.tagger

    def shortest_s(self) -> float:
        """Return a gate of the rate meter, s."""
        return _EXPOSED_S

    def when_exposed(self, told: Callable[[], None]) -> None:
        """Have ``told`` called when its shutter was opened."""
        self._detector.when_opened = told

    def is_dark(self) -> bool:
        """Whether the detector itself has ended the light."""
        return "NOT SAFE" not in self._detector.tripped

    def take_note(self) -> None:
        """Ask the guard itself, which asks nothing of an instrument."""
        self.standing = _guard_standing(self.standing, self._detector.tripped)


class CameraWatch(Watched):
    """The guard of an EM register, made to look when nobody reads frames."""

    def __init__(self, camera: Camera, clock: Clock) -> None:
        """Watch a camera."""
        self._camera, self._clock = camera, clock
        bits = int(Quality.SATURATED)
        self.standing = Standing(camera.name, camera.name, "armed", "close_light", bits=bits)

    def look(self) -> None:
        """Look whether gained frames lie unread."""
        settings = self._camera.settings
        if settings is not None and settings.em_gain > 1:
            _guarded(partial(self._camera.look, self._clock.now()))
        self.take_note()

    def rearm(self) -> None:
        """Release the guard of the camera."""
        self._camera.rearm()
        self.take_note()

    def take_note(self) -> None:
        """Ask the guard itself, which asks nothing of an instrument."""
        self.standing = _guard_standing(self.standing, self._camera.tripped)


def _condition(entry: Interlock) -> str:
    if entry.band is not None:
        return f"outside {entry.band[0]} to {entry.band[1]}"
    if entry.stale_s is not None:
        return f"stale for {entry.stale_s:g} s"
    if entry.alarm:
        return "alarm"
    return f"above {entry.above}" if entry.above is not None else f"below {entry.below}"


def _guarded(look: Callable[[], object]) -> None:
    try:
        look()
    except ProtectionError:
        # It has acted and is latched now.
        return
    except LabctlError:
        # It cannot be read; whoever measures with it notices, and nobody else opens its shutter.
        return


def _guard_standing(before: Standing, seen: str) -> Standing:
    state: InterlockState = "tripped" if seen else "armed"
    return before if state == before.state else replace(before, state=state, text=seen)
