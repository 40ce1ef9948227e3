"""What every instrument of a set-up has in common, whatever its role."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles._limits import Limits
from labctl.roles._rules import LimitRule
from labctl.units import format_quantity

__all__ = ["Identity", "Instrument", "Limits", "SafeAction", "Settable", "SettableSpec", "Settings"]


class Settings(BaseModel):
    """The keys of a driver's own block in the set-up file; drivers subclass it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Identity:
    """Which unit answered when the connection was made."""

    maker: str
    model: str
    serial: str = ""
    firmware: str = ""


@dataclass(frozen=True)
class SettableSpec:
    """A quantity that a recipe can scan, as known without any connection.

    Attributes:
        unit: Unit of its number.
        limits: What the instrument can do at all; a set-up may narrow it.
        timeout_s: Longest time a change may take, s.
        tolerance: Largest accepted |read-back - set| after a move, in ``unit``.
        settles: Whether the quantity is slow and noisy, so that a settle rule decides.
    """

    unit: str
    limits: Limits
    timeout_s: float
    tolerance: float
    settles: bool = False


@dataclass(frozen=True)
class Settable:
    """A quantity of a connected instrument: start, ask, read back. Nothing here waits.

    ``recover``, where there is one, starts the way back to a known place after ``arrived`` has
    told that a move failed.
    """

    name: str
    spec: SettableSpec
    start: Callable[[float], None]
    arrived: Callable[[], bool]
    read: Callable[[], float]
    recover: Callable[[], float] | None = None

    def confirm(self, target: float) -> float:
        """Return the read-back after a move.

        Raises:
            DeviceRefusedError: The instrument is elsewhere, whatever it answered before.
        """
        value = self.read()
        if not abs(value - target) <= self.spec.tolerance:
            raise DeviceRefusedError(
                self.name.partition(".")[0],
                f"{self.name} = {format_quantity(target, self.spec.unit)}",
                f"is at {format_quantity(value, self.spec.unit)} after the move",
                "the instrument cannot reach this value; set a narrower limit in the set-up",
            )
        return value


@dataclass(frozen=True)
class SafeAction:
    """One entry of a set-up's ``safe_state``: what to do, and how to see that it is done."""

    do: str
    verify: str


class Instrument(ABC):
    """Base of all roles.

    A driver sets ``interface`` and ``settings_type`` and writes the abstract methods of its
    role; limits, unit checks, read-back and the safe state are here and in the role.

    Attributes:
        role: Name of the role, e.g. ``"cryostat"``.
        interface: How it is reached: ``stream``, ``http``, ``library`` or ``hand``.
        settings_type: Model of the driver's own keys in the set-up file.
        settables: Quantities that a recipe can scan.
        readables: Quantities that a monitor can read, with their units.
        companions: Readables that are taken at every point together with a settable.
        safe_actions: Actions that a set-up's ``safe_state`` can name.
        references: Keys of its block that name other instruments, with the role of those.
        calibrated_by: Quantity → the calibrations that make it trustworthy; a set-up that names
            one of them wants it in force before the quantity is set.
        kept: Settables that stay exactly where they were put, so that another read-back means
            that the instrument was reset.
        baud_rate: Bits per second of its serial line, if it is reached by one.
        bus_key: Key of its block with the address of one character (0 to 15, written 0 to F)
            that tells units on one serial line apart; empty: the line is its own.
    """

    role: ClassVar[str]
    interface: ClassVar[str] = "stream"
    settings_type: ClassVar[type[Settings]] = Settings
    settables: ClassVar[Mapping[str, SettableSpec]] = {}
    readables: ClassVar[Mapping[str, str]] = {}
    companions: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    safe_actions: ClassVar[Mapping[str, SafeAction]] = {}
    references: ClassVar[Mapping[str, str]] = {}
    calibrated_by: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    kept: ClassVar[tuple[str, ...]] = ()
    baud_rate: ClassVar[int] = 9600
    bus_key: ClassVar[str] = ""

    def __init__(self, name: str, limits: Mapping[str, Limits] | None = None) -> None:
        """Name the instrument as the set-up does; ``limits`` narrow those of the role."""
        self.name = name
        self._limits = dict(limits or {})
        self._rules: list[LimitRule] = []
        self._ordered: dict[str, float] = {}
        self._connected = False

    def __repr__(self) -> str:
        """Return what a notebook shows: name, role, driver, and what can be set and read."""
        driver = f"{type(self).__module__}.{type(self).__qualname__}"
        parts = [f"{self.name}: {self.role} ({driver})"]
        for quantity, spec in self.settables.items():
            limits = self.limits(quantity)
            span = f"{limits.low:g} to {format_quantity(limits.high, spec.unit)}"
            parts.append(f"set {self.name}.{quantity}: {span}")
        if self.readables:
            units = [f"{name} / {unit}" if unit else name for name, unit in self.readables.items()]
            parts.append(f"read {', '.join(units)}")
        return f"<{'; '.join(parts)}>"

    if not TYPE_CHECKING:
        # Hidden from the type checker, which would take every name for an attribute.

        def __getattr__(self, name: str) -> Any:
            """Say how a quantity is set to who guesses ``set_fluence``; nothing else is found."""
            text = f"{type(self).__name__!r} object has no attribute {name!r}"
            if name.removeprefix("set_") in self.settables:
                quantity = name.removeprefix("set_")
                text += f"; use lab.set('{self.name}.{quantity}', value)"
            raise AttributeError(text, name=name, obj=self)

    @abstractmethod
    def identity(self) -> Identity:
        """Ask the instrument who it is."""

    @abstractmethod
    def snapshot(self) -> dict[str, Any]:
        """Return every readable parameter; keys carry the unit, values are plain JSON."""

    @abstractmethod
    def _open(self) -> None:
        """Make the connection and bring the instrument into a defined state."""

    @abstractmethod
    def _close(self) -> None:
        """Give the connection up; must not fail on a dead one."""

    @property
    def connected(self) -> bool:
        """Whether ``connect`` succeeded and ``close`` was not called since."""
        return self._connected

    def busy_s(self) -> float:
        """Return for how long the call that is going on has taken, s of life; 0 if none is.

        Calls on the caller's own thread are over before anybody can ask.
        """
        return 0.0

    def connect(self) -> Identity:
        """Open the connection and return the identity of the unit that answers."""
        try:
            self._open()
            identity = self.identity()
        except BaseException:
            self._close()
            raise
        self._connected = True
        return identity

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._connected = False
        self._close()

    def reconnect(self) -> Identity:
        """Try once to reach the unit again; returns who answers, with its settings pushed again.

        Raises:
            DeviceError: Nobody answers, or another unit.
        """
        if self.interface == "library":
            self.close()
            return self.connect()
        # A link in doubt is made anew by the next question, which also renews the settings.
        return self.identity()

    def lost_settings(self) -> str:
        """Return what it no longer holds although it was told to; empty: all is as it was put.

        Asked before and after each point: an instrument that was reset says nothing by itself.
        """
        for quantity in self.kept:
            if quantity in self._ordered:
                ordered, found = self._ordered[quantity], self.read(quantity)
                if not abs(found - ordered) <= self.settables[quantity].tolerance:
                    unit = self.settables[quantity].unit
                    here = format_quantity(found, unit)
                    return f"{quantity} is {here}, was {format_quantity(ordered, unit)}"
        return ""

    def ordered(self) -> Mapping[str, float]:
        """Return what was last asked of the settables in ``kept``."""
        return {name: self._ordered[name] for name in self.kept if name in self._ordered}

    def limits(self, quantity: str) -> Limits:
        """Return the range of a settable: that of the set-up within that of the instrument."""
        own = self.settables[quantity].limits
        asked = self._limits.get(quantity)
        if asked is None:
            return own
        return Limits(max(own.low, asked.low), min(own.high, asked.high))

    def add_rule(self, rule: LimitRule) -> None:
        """Limit a quantity by a reading of another instrument, asked at the moment of a set."""
        self._rules.append(rule)

    def check(self, quantity: str, value: float) -> None:
        """Refuse a set point that is not finite, outside the limits or against a rule.

        Nothing is ever clipped.

        Raises:
            RefusedError: Names quantity, value and range.
        """
        limits, unit = self.limits(quantity), self.settables[quantity].unit
        if not math.isfinite(value):
            raise RefusedError(self.name, f"{quantity} = {value} is not a number")
        if value not in limits:
            span = f"{limits.low:g} to {format_quantity(limits.high, unit)}"
            raise RefusedError(
                self.name,
                f"{quantity} = {format_quantity(value, unit)} is out of range",
                f"allowed: {span}",
            )
        for rule in self._rules:
            if rule.quantity == quantity:
                rule.check(self.name, value)
        self._ordered[quantity] = value

    def settable(self, quantity: str) -> Settable:
        """Return the settable of that name.

        Raises:
            RefusedError: There is none; names those that there are.
        """
        if quantity not in self.settables:
            known = ", ".join(self.settables) or "none"
            raise RefusedError(self.name, f"has no settable {quantity!r}", f"settables: {known}")
        return self._settable(quantity)

    def _settable(self, quantity: str) -> Settable:
        """Build ``settable``: roles that have settables provide ``start_``/``read_`` methods."""
        start: Callable[[float], None] = getattr(self, f"start_{quantity}")
        arrived: Callable[[], bool] = getattr(self, f"{quantity}_arrived")
        return Settable(
            f"{self.name}.{quantity}",
            self.settables[quantity],
            start,
            arrived,
            self.reader(quantity),
        )

    def read(self, quantity: str) -> float:
        """Return a readable in its unit of ``readables``."""
        return self.reader(quantity)()

    def reader(self, quantity: str) -> Callable[[], float]:
        """Return what reads a readable, for those who read it again and again.

        Raises:
            RefusedError: There is none; names those that there are.
        """
        if quantity not in self.readables:
            known = ", ".join(self.readables) or "none"
            raise RefusedError(self.name, f"has no reading {quantity!r}", f"readings: {known}")
        found: Callable[[], float] = getattr(self, f"read_{quantity}")
        return found

    def watch(self, quantity: str) -> float:
        """Read as ``read`` does, beside a measurement: nothing that others read is changed."""
        return self.read(quantity)

    def make_safe(self, action: str) -> None:
        """Carry out an action of the safe state and verify it by reading back.

        Raises:
            LabctlError: The action failed or the read-back contradicts it.
        """
        if action not in self.safe_actions:
            known = ", ".join(self.safe_actions) or "none"
            raise RefusedError(self.name, f"has no safe action {action!r}", f"actions: {known}")
        entry = self.safe_actions[action]
        getattr(self, entry.do)()
        if not getattr(self, entry.verify)():
            raise DeviceRefusedError(
                self.name, action, "the read-back says that it is not done", "close it by hand now"
            )

    def alarm(self) -> str:
        """Return what is wrong in the instrument's words; empty: nothing, or it cannot tell."""
        return ""

    def rearm(self) -> None:
        """Release a guard that has latched, after a person has looked.

        Raises:
            RefusedError: It has no such guard.
        """
        raise RefusedError(self.name, f"a {self.role} has no guard that latches")

    def use_calibration(self, name: str, result: Mapping[str, Any]) -> None:
        """Believe a result of a calibration named in ``calibrated_by`` from now on."""
        del name, result

    def flush(self) -> None:
        """Bring a connection in doubt back to a defined state; called before another attempt."""
        return None
