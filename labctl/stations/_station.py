"""The connected set-up: roles by name, connected together, made safe together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from labctl.errors import ConfigError, LabctlError, NotConnectedError, Problem
from labctl.roles import Identity, Instrument, Laser, Settable, Shutter
from labctl.stations._owner import Owner

__all__ = ["SafeReport", "Station"]

R = TypeVar("R", bound=Instrument)
_TRIES = 3


@dataclass(frozen=True)
class SafeReport:
    """What became of one entry of the safe state; ``error`` is empty if it is verified."""

    action: str
    error: str = ""
    tries: int = 1


class Station:
    """Instruments of one set-up by the names that the set-up gives them."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        safe_state: Sequence[str],
        owners: Mapping[str, Owner] | None = None,
    ) -> None:
        """``safe_state`` lists ``instrument.action`` in the order of execution.

        ``owners`` are the rights to talk to the units, taken before these are connected.
        """
        self._owners = dict(owners or {})
        self._instruments = dict(instruments)
        self.safe_state = tuple(safe_state)
        self._readers: dict[str, Callable[[], float]] = {}
        self._only: dict[tuple[type[Instrument], str], Instrument] = {}
        self.identities: dict[str, Identity] = {}

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._instruments)

    def __getitem__(self, name: str) -> Instrument:
        """Return an instrument by name.

        Raises:
            ConfigError: There is none of this name.
        """
        try:
            return self._instruments[name]
        except KeyError:
            known = ", ".join(self._instruments)
            raise ConfigError(
                [Problem(f"no instrument {name!r}", hint=f"there are {known}")]
            ) from None

    def get(self, name: str, role: type[R]) -> R:
        """Return an instrument by name, as its role."""
        found = self[name]
        if not isinstance(found, role):
            what = f"{name!r} is a {found.role}, not a {role.role}"
            raise ConfigError([Problem(what)])
        return found

    def only(self, role: type[R], *, prefer: str = "") -> R:
        """Return the instrument with this role; ``prefer`` decides if there are several.

        Raises:
            ConfigError: None has it, or several have and none is called ``prefer``.
        """
        known = self._only.get((role, prefer))
        if isinstance(known, role):
            return known
        found = [i for i in self._instruments.values() if isinstance(i, role)]
        named = [i for i in found if i.name == prefer] or found
        if len(named) == 1:
            self._only[role, prefer] = named[0]
            return named[0]
        names = ", ".join(i.name for i in found) or "none"
        what = f"the set-up has not exactly one {role.role}: {names}"
        raise ConfigError([Problem(what, hint=f"name the one to use {prefer!r}" if prefer else "")])

    def settable(self, name: str) -> Settable:
        """Return the settable ``instrument.quantity``."""
        instrument, _, quantity = name.partition(".")
        return self[instrument].settable(quantity)

    def read(self, name: str) -> float:
        """Read ``instrument.quantity``."""
        reader = self._readers.get(name)
        if reader is None:
            instrument, _, quantity = name.partition(".")
            reader = self._readers[name] = self[instrument].reader(quantity)
        return reader()

    def watch(self, name: str) -> float:
        """Read ``instrument.quantity`` beside a measurement, which notices nothing of it."""
        instrument, _, quantity = name.partition(".")
        return self[instrument].watch(quantity)

    def unit(self, name: str) -> str:
        """Return the unit of the readable ``instrument.quantity``."""
        instrument, _, quantity = name.partition(".")
        return self[instrument].readables.get(quantity, "")

    def companions(self, name: str) -> tuple[str, ...]:
        """Return what is read at every point together with ``instrument.quantity``."""
        instrument, _, quantity = name.partition(".")
        beside = self[instrument].companions.get(quantity, ())
        return tuple(f"{instrument}.{one}" for one in beside if one != quantity)

    def connect(self) -> None:
        """Connect all instruments.

        Raises:
            NotConnectedError: Some failed; all of them are reported, all others closed again.
        """
        failures: dict[str, BaseException] = {}
        try:
            for name, instrument in self._instruments.items():
                try:
                    if name in self._owners:
                        self._owners[name].take()
                    self.identities[name] = instrument.connect()
                except (LabctlError, OSError) as error:
                    failures[name] = error
            if failures:
                raise NotConnectedError(failures)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all connections, those that never opened included; one failure stops no other."""
        for instrument in self._instruments.values():
            with suppress(LabctlError, OSError):
                instrument.close()
        for owner in self._owners.values():
            owner.release()

    def make_safe(self) -> list[SafeReport]:
        """Carry out the safe state in its order; one failure never stops the rest."""
        return [self.make_one_safe(action) for action in self.safe_state]

    def make_dark(self) -> list[SafeReport]:
        """End the light: the part of the safe state that shutters and lasers have in it."""
        dark = [a for a in self.safe_state if isinstance(self[_owner(a)], Shutter | Laser)]
        return [self.make_one_safe(action) for action in dark]

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return every readable parameter of every instrument; a failing one says why."""
        return {name: _snapshot(instrument) for name, instrument in self._instruments.items()}

    def make_one_safe(self, action: str) -> SafeReport:
        """Carry out one entry of the safe state, up to three times; never raises."""
        name, verb = _owner(action), action.partition(".")[2]
        error = ""
        for attempt in range(1, _TRIES + 1):
            try:
                if attempt > 1:
                    self._flush(name)
                self[name].make_safe(verb)
            # The last line of defence: whatever a driver does, the next entry has its turn.
            except Exception as failure:
                error = _words(failure)
            else:
                return SafeReport(action, "", attempt)
        return SafeReport(action, error, _TRIES)

    def _flush(self, name: str) -> None:
        # What cannot be flushed may obey all the same.
        with suppress(Exception):
            self[name].flush()


def _owner(action: str) -> str:
    return action.partition(".")[0]


def _snapshot(instrument: Instrument) -> dict[str, Any]:
    try:
        return instrument.snapshot()
    # A snapshot is taken when a run has failed, too, and must not keep it from being stored.
    except Exception as error:
        return {"error": _words(error)}


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, LabctlError | OSError) else repr(error)
