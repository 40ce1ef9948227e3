"""What both Montana simulators have in common: truth, plant, and the faults of a cryostat."""

from collections.abc import Mapping
from typing import Any, ClassVar

from labctl_sim.montana._plant import Plant
from labctl_sim.world import ThermalTruth, World, truth_defaults

_FOREVER_S = float("inf")
_CHANNELS = {
    "platform": frozenset({"platform"}),
    "sample": frozenset({"sample"}),
    "all": frozenset({"platform", "sample"}),
}

THERMAL_DEFAULTS: Mapping[str, float | int | bool | str] = truth_defaults(ThermalTruth)


class MontanaCryostat:
    """A cryostat in the world, before any protocol.

    Args:
        name: The instrument's name.
        world: The world; this cryostat becomes its thermal model.
        settings: The set-up's block for this instrument; not used.
        truth: What differs from ``truth_defaults``.
    """

    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {}
    interface: ClassVar[str] = "stream"

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name = name
        self.world = world
        self.settings = dict(settings)
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        world.attach_cryostat(self.truth)
        self.plant = Plant(world, sample_fitted=bool(self.truth["sample_thermometer_fitted"]))
        self._refusals = 0
        self._lies = 0

    def fault_sentinel(self, channel: str = "all", for_s: float = _FOREVER_S) -> None:
        """Have no reading: ``platform``, ``sample`` or ``all``."""
        self.plant.lose_readings(_channels(channel), for_s)

    def fault_nan(self, channel: str = "all", for_s: float = _FOREVER_S) -> None:
        """Read not-a-number: ``platform``, ``sample`` or ``all``."""
        self.plant.read_nan(_channels(channel), for_s)

    def fault_stale(self, for_s: float = _FOREVER_S) -> None:
        """Repeat the present temperatures."""
        self.plant.freeze(for_s)

    def fault_no_settling(
        self, amplitude_k: float = 0.5, period_s: float = 40.0, for_s: float = _FOREVER_S
    ) -> None:
        """Swing around the set point."""
        self.plant.unsettle(amplitude_k, period_s, for_s)

    def fault_vacuum_trip(self, pressure_pa: float = 50.0) -> None:
        """Lose the vacuum until cleared: alarm, heater off, the cold parts warm up."""
        self.plant.leak(pressure_pa)

    def fault_refuse(self, times: int = 1) -> None:
        """Refuse the next commands that change something."""
        self._refusals += times

    def fault_lie(self, times: int = 1) -> None:
        """Confirm the next set points without taking them."""
        self._lies += times

    def clear_faults(self) -> None:
        """End all faults."""
        self._refusals = self._lies = 0
        self.plant.heal()

    def refuses(self) -> bool:
        """Count one changing command; True if a fault wants it refused."""
        self._refusals, refused = max(0, self._refusals - 1), self._refusals > 0
        return refused

    def lies(self) -> bool:
        """Count one set point; True if a fault wants it ignored."""
        self._lies, lied = max(0, self._lies - 1), self._lies > 0
        return lied


def _channels(channel: str) -> frozenset[str]:
    if channel not in _CHANNELS:
        raise ValueError(f"channel {channel!r} is none of {', '.join(_CHANNELS)}")
    return _CHANNELS[channel]
