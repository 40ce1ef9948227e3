"""Connections of a run: lost ones are made again, lost settings are pushed again.

The light is off meanwhile. What was being measured is measured anew.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from labctl.errors import (
    ConnectionLostError,
    DeviceError,
    DeviceRefusedError,
    GarbledReplyError,
    NoReplyError,
)
from labctl.roles import Instrument, Spectrograph
from labctl.sequencer._control import Repeated
from labctl.stations import Station

if TYPE_CHECKING:
    from labctl.sequencer._session import Session

__all__ = ["Links"]

_FIRST_S, _BACK_OFF_S = 0.1, 10.0
_PATIENCE_S = 60.0
"""So long a lost connection is waited for, s."""
_MOST = 2
"""So often a point is begun anew after trouble with connections."""


class Links:
    """Watches over the connections of a session."""

    def __init__(self, session: "Session") -> None:
        """Nothing has been lost yet."""
        self._session = session
        self._troubles: list[DeviceError] = []
        self.silent: set[str] = set()
        """Instruments that have not answered lately."""
        self.asked_enough: DeviceError | None = None

    def begin_point(self) -> None:
        """Count anew."""
        self._troubles.clear()

    def is_silent(self, name: str) -> bool:
        """Whether an instrument has not answered lately: a monitor would only wait for it, too."""
        return name in self.silent

    def ask_again(self, error: DeviceError, back_off_s: float = _FIRST_S) -> None:
        """Say that an instrument is asked once more, and leave it a moment."""
        session = self._session
        self.silent.add(error.device)
        session.asked_again = True
        session.book.message("warning", error.device, f"asked again: {error}")
        session.let_pass(back_off_s, what=f"{error.device} to answer")

    def check(self) -> None:
        """Look whether every instrument still holds what it was told; before and after a point.

        Raises:
            Repeated: One did not, and does again: measure now.
            DeviceError: It cannot be set again.
        """
        for instrument in self._told_settings:
            if lost := instrument.lost_settings():
                self._set_again(instrument, lost)

    def _set_again(self, instrument: Instrument, lost: str) -> None:
        text = f"it was reset: {lost}; everything is set again"
        self._trouble(DeviceRefusedError(instrument.name, "read back", lost, "who has reset it?"))
        self._session.book.message("warning", instrument.name, text)
        self._session.make_safe()
        instrument.close()
        self._make_again(instrument, _PATIENCE_S)
        raise Repeated(text)

    def recover(self, error: NoReplyError | GarbledReplyError) -> None:
        """Make a connection again after an error; returns when the instrument is as it was.

        The light must be off. A silent instrument is asked once more who it is; one whose
        connection is gone is tried after 0.1 s and then every 10 s for a minute.

        Raises:
            DeviceError: It cannot be reached, another unit answers, or this goes on and on.
        """
        self._trouble(error)
        name, station = error.device, self._session.station
        gone = isinstance(error, ConnectionLostError)
        # Drivers of libraries have asked again themselves where that helps.
        asked = error is self.asked_enough or _has_library(station, name)
        if name not in station or (asked and not gone):
            raise error
        self._session.book.message("warning", name, f"trouble with the connection: {error}")
        try:
            self._make_again(station[name], _PATIENCE_S if gone else 0.0)
        except (NoReplyError, GarbledReplyError) as again:
            # What went wrong first is what the user has to know.
            raise error from again

    @cached_property
    def _told_settings(self) -> list[Instrument]:
        """Instruments that can have lost something; asking the others would only take time."""
        every = [self._session.station[name] for name in self._session.station]
        asked = Instrument.lost_settings
        return [one for one in every if one.kept or one.__class__.lost_settings is not asked]

    def _trouble(self, error: DeviceError) -> None:
        self._troubles.append(error)
        if len(self._troubles) > _MOST:
            raise self._troubles[0]

    def _make_again(self, instrument: Instrument, patience_s: float) -> None:
        session, clock = self._session, self._session.clock
        ordered = dict(instrument.ordered())
        began_s, wait_s = clock.now(), _FIRST_S
        while True:
            session.let_pass(wait_s, what=f"{instrument.name} to come back")
            try:
                self._same_unit(instrument)
                break
            except DeviceRefusedError:
                raise
            except DeviceError:
                if clock.now() - began_s >= patience_s:
                    raise
                wait_s = _BACK_OFF_S
        session.asked_again = True
        text = f"answers again after {clock.now() - began_s:.1f} s; its settings were pushed again"
        session.book.message("info", instrument.name, text)
        # It may be one of those that could not be made safe while it was away.
        session.make_safe()
        self._put_back(instrument, ordered)

    def _same_unit(self, instrument: Instrument) -> None:
        found = instrument.reconnect() if instrument.connected else instrument.connect()
        known = self._session.station.identities.get(instrument.name)
        if known is not None and (found.model, found.serial) != (known.model, known.serial):
            what = f"another unit answers: {found.model} {found.serial}, was {known.model}"
            raise DeviceRefusedError(
                instrument.name, "identity", f"{what} {known.serial}", "check the cables"
            )

    def _put_back(self, instrument: Instrument, ordered: dict[str, float]) -> None:
        session = self._session
        if isinstance(instrument, Spectrograph):
            self._put_grating_back(instrument)
        for quantity, value in ordered.items():
            session.arrive(instrument.settable(quantity), value)
        done = {f"{instrument.name}.{quantity}" for quantity in ordered}
        for name, (value, _) in list(session.set_values.items()):
            device, _, quantity = name.partition(".")
            settable = instrument.settable(quantity) if device == instrument.name else None
            if settable is not None and not settable.spec.settles and name not in done:
                session.arrive(settable, value)
        session.settling.restore(instrument.name)

    def _put_grating_back(self, spectrograph: Spectrograph) -> None:
        number = spectrograph.ordered_grating
        if number is not None and spectrograph.read_grating() != number:
            spectrograph.start_grating(number)
            self._session.wait_until(
                lambda: not spectrograph.is_moving(),
                timeout_s=spectrograph.grating_timeout_s,
                what=f"{spectrograph.name} grating {number}",
            )
            spectrograph.confirm_grating(number)


def _has_library(station: Station, name: str) -> bool:
    return name in station and station[name].interface == "library"
