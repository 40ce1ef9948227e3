"""Builds the instruments of a set-up, each with the link that its driver wants."""

from collections.abc import Callable, Mapping
from typing import Any

from labctl.clock import Clock
from labctl.roles import Composite, Instrument
from labctl.setup import InstrumentSetup, Setup
from labctl.stations._attach import attach_parts
from labctl.stations._rules import attach_rules
from labctl.stations._station import Station
from labctl.stations._worker import on_worker
from labctl.transport import FlightRecorder, HttpTransport, LibraryLink, VisaTransport

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
        library: Returns the stand-in of a vendor library, or None for the vendor's own.
    """
    instruments = {
        name: _instrument(entry, clock, recorder, dict(addresses or {}), library)
        for name, entry in setup.instruments.items()
    }
    station = Station(instruments, setup.safe_state)
    attach_parts(station, clock)
    attach_rules(station, setup)
    return station


def _instrument(
    entry: InstrumentSetup,
    clock: Clock,
    recorder: FlightRecorder,
    addresses: Mapping[str, str],
    library: Library,
) -> Instrument:
    address = addresses.get(entry.name, entry.address)
    make: Any = entry.driver_type
    link = _link(entry, address, clock, recorder, library)
    instrument: Instrument = make(entry.name, link, entry.settings, entry.limits)
    # Virtual time belongs to the engine's thread alone, so there the calls run inline. A
    # composite has no connection that could hang, it only calls others, which have their workers.
    inline = clock.virtual or isinstance(instrument, Composite)
    return instrument if inline else on_worker(instrument, clock)


def _link(
    entry: InstrumentSetup,
    address: str,
    clock: Clock,
    recorder: FlightRecorder,
    library: Library,
) -> object:
    match entry.driver_type.interface:
        case "stream":
            return VisaTransport(entry.name, address, clock, recorder)
        case "http":
            return HttpTransport(entry.name, address, clock, recorder)
        case _:
            return LibraryLink(library(entry.name), recorder.library_log(entry.name))
