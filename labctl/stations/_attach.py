"""Hands instruments without a wire of their own the others that they act through."""

from typing import TypeVar

from labctl.clock import Clock
from labctl.roles import Composite, Instrument, PhotonCounter, PulseCounter
from labctl.stations._station import Station

__all__ = ["attach_parts"]

R = TypeVar("R", bound=Instrument)


def attach_parts(station: Station, clock: Clock) -> None:
    """Give counter cards the clock, and composites the parts that their blocks name.

    Raises:
        ConfigError: A name leads to no instrument, or to one that plays another role.
    """
    for card in _all(station, PulseCounter):
        card.attach(clock.now)
    for composite in _all(station, Composite):
        named = composite.part_names().items()
        composite.use_parts({key: station[name] for key, name in named if name})
    counters = _all(station, PhotonCounter)
    for counter in counters:
        counter.meet([other for other in counters if _behind_one_shutter(counter, other)])


def _behind_one_shutter(one: PhotonCounter, other: PhotonCounter) -> bool:
    shutter = one.wiring.shutter
    return one is not other and shutter != "" and other.wiring.shutter == shutter


def _all(station: Station, role: type[R]) -> list[R]:
    return [found for name in station if isinstance(found := station[name], role)]
