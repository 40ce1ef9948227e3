"""Builds the instruments of a set-up, each with the link that its driver wants."""

from collections.abc import Callable, Mapping
from typing import Any

from labctl.clock import Clock
from labctl.roles import Composite, Instrument
from labctl.setup import InstrumentSetup, Setup, normal_address
from labctl.stations._attach import attach_parts
from labctl.stations._excitation import attach_excitation
from labctl.stations._owner import Owner
from labctl.stations._rules import attach_rules
from labctl.stations._station import Station
from labctl.stations._worker import on_worker
from labctl.transport import (
    FlightRecorder,
    HttpTransport,
    Isolation,
    LibraryLink,
    SharedLine,
    StandIn,
    Transport,
    VisaTransport,
)

__all__ = ["build"]

Library = Callable[[str], object | None]


def build(
    setup: Setup,
    clock: Clock,
    recorder: FlightRecorder,
    *,
    addresses: Mapping[str, str] | None = None,
    library: Library = lambda _: None,
) -> Station:
    """Return the station of a set-up, not yet connected.

    Args:
        setup: The set-up.
        clock: What deadlines are measured with.
        recorder: Takes all traffic.
        addresses: Addresses that replace those of the set-up (simulated instruments).
        library: Returns the stand-in of a vendor library (a ``StandIn`` where it is to live in a
            process of its own), or None for the vendor's own.
    """
    links = _Links(clock, recorder, dict(addresses or {}), library)
    instruments = {
        name: _instrument(entry, links.make(entry), clock)
        for name, entry in setup.instruments.items()
    }
    station = Station(instruments, setup.safe_state, links.owners)
    attach_parts(station, clock)
    attach_rules(station, setup)
    attach_excitation(station, setup)
    return station


def _instrument(entry: InstrumentSetup, link: object, clock: Clock) -> Instrument:
    make: Any = entry.driver_type
    instrument: Instrument = make(entry.name, link, entry.settings, entry.limits)
    # Virtual time belongs to the engine's thread alone, so there the calls run inline. A
    # composite has no connection that could hang, it only calls others, which have their workers.
    inline = clock.virtual or isinstance(instrument, Composite)
    return instrument if inline else on_worker(instrument, clock)


class _Links:
    """Makes links; units on one serial line share its connection."""

    def __init__(
        self,
        clock: Clock,
        recorder: FlightRecorder,
        addresses: Mapping[str, str],
        library: Library,
    ) -> None:
        self._clock, self._recorder = clock, recorder
        self._addresses, self._library = addresses, library
        self._lines: dict[str, SharedLine] = {}
        self._units: dict[str, Owner] = {}
        self.owners: dict[str, Owner] = {}
        """Instrument → the right to it; a simulated one is nobody else's anyway."""

    def make(self, entry: InstrumentSetup) -> object:
        address = self._addresses.get(entry.name, entry.address)
        if entry.name not in self._addresses:
            self._own(entry)
        match entry.driver_type.interface:
            case "stream":
                return self._stream(entry, address)
            case "http":
                return HttpTransport(entry.name, address, self._clock, self._recorder)
            case _:
                record = self._recorder.library_log(entry.name)
                stand_in = self._library(entry.name)
                if stand_in is not None:
                    self.owners.pop(entry.name, None)
                if isinstance(stand_in, StandIn):
                    return LibraryLink(None, record, Isolation(entry.longest_call_s, stand_in))
                if stand_in is None and entry.isolates(simulated=False):
                    return LibraryLink(None, record, Isolation(entry.longest_call_s))
                return LibraryLink(stand_in, record)

    def _own(self, entry: InstrumentSetup) -> None:
        """Note whose right is needed; units on one line have it together."""
        interface = entry.driver_type.interface
        if interface == "hand":
            return
        unit = normal_address(entry.address)
        if interface == "library":
            unit = (
                f"{entry.driver} {entry.address or getattr(entry.settings, 'serial', '')}".strip()
            )
        self.owners[entry.name] = self._units.setdefault(
            unit, Owner(entry.name, unit, self._clock.utc)
        )

    def _stream(self, entry: InstrumentSetup, address: str) -> Transport:
        driver, name = entry.driver_type, entry.name
        if not driver.bus_key:
            clock, recorder = self._clock, self._recorder
            return VisaTransport(name, address, clock, recorder, baud_rate=driver.baud_rate)
        line = self._lines.setdefault(address, SharedLine.visa(address, driver.baud_rate))
        unit = f"{getattr(entry.settings, driver.bus_key):X}"
        return line.transport(name, unit, self._clock, self._recorder)
