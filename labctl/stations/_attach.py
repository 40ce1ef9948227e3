"""Photon counters have no connection of their own: others count their pulses and shut light off."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from labctl.clock import Clock
from labctl.roles import Instrument, PhotonCounter, PulseCounter, Shutter, TimeTagger
from labctl.stations._station import Station

__all__ = ["attach_counters"]

R = TypeVar("R", bound=Instrument)


def attach_counters(station: Station, clock: Clock) -> None:
    """Give counter cards the clock, and photon counters what their wiring names.

    Raises:
        ConfigError: A wiring names an instrument that is not there, or plays another role.
    """
    for card in _all(station, PulseCounter):
        card.attach(clock.now)
    counters = _all(station, PhotonCounter)
    for counter in counters:
        shutter = counter.wiring.shutter
        counter.attach(
            _rate_of(station, counter),
            station.get(shutter, Shutter) if shutter else None,
            station.get(counter.wiring.light, Shutter).shut,
            [c for c in counters if c is not counter and shutter and c.wiring.shutter == shutter],
        )


def _rate_of(station: Station, counter: PhotonCounter) -> Callable[[], float]:
    wiring = counter.wiring
    if wiring.counter:
        card = station.get(wiring.counter, PulseCounter)
        return partial(card.count_rate_hz, wiring.counter_channel)
    return partial(station.get(wiring.tagger, TimeTagger).count_rate_hz, wiring.channel)


def _all(station: Station, role: type[R]) -> list[R]:
    return [found for name in station if isinstance(found := station[name], role)]
