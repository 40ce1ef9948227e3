"""A pulsed diode laser with knobs and a key (PicoQuant PDL 800-B, 800-D), worked by a person."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from labctl_sim.world import LASER_DEFAULTS, LaserHead, World


class LaserHand:
    """The person's hand on the laser.

    Args:
        call: Reaches :meth:`KnobLaser.call`.
    """

    def __init__(self, call: Callable[[str, list[Any]], Any]) -> None:
        self._call = call

    def switch(self, on: bool) -> None:
        """Turn the emission on or off."""
        self._call("switch", [on])

    def set_intensity(self, percent: float) -> None:
        """Turn the knob to a mark, percent of full scale."""
        self._call("set_intensity", [percent])

    def set_rep_rate(self, rep_rate_hz: float) -> None:
        """Turn the switch to a repetition rate, Hz."""
        self._call("set_rep_rate", [rep_rate_hz])

    def lit(self) -> bool:
        """Look whether the emission lamp burns."""
        return cast("bool", self._call("lit", []))

    def intensity(self) -> float:
        """Read the knob, percent."""
        return cast("float", self._call("intensity", []))

    def rep_rate(self) -> float:
        """Read the switch, Hz."""
        return cast("float", self._call("rep_rate", []))


class KnobLaser:
    """The laser in the world.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block: ``intensity_percent`` is how it was left, and where the
            set-up's fluence holds.
        truth: ``LASER_DEFAULTS``.
    """

    interface: ClassVar[str] = "hand"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {**LASER_DEFAULTS}

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self._world = name, world
        reference = 0.01 * float(settings.get("intensity_percent") or 100.0)
        self._head = LaserHead(name, world, {**self.truth_defaults, **truth}, reference)
        self._knob = 100.0 * reference
        self._key_out = False

    @staticmethod
    def face(call: Callable[[str, list[Any]], Any]) -> LaserHand:
        """Give what a person's hand can do."""
        return LaserHand(call)

    def call(self, method: str, arguments: list[Any]) -> Any:
        """Do one thing.

        Raises:
            ValueError: There is no such mark or action.
        """
        match method, arguments:
            case "switch", [bool() as on]:
                self._head.emit(on and not self._key_out)
            case "set_intensity", [float() | int() as percent] if 0.0 <= percent <= 100.0:
                self._knob = float(percent)
                self._head.set_intensity(0.01 * percent)
            case "set_rep_rate", [float() | int() as rep_rate_hz] if rep_rate_hz > 0.0:
                self._head.set_rep_rate(float(rep_rate_hz))
            case "lit", []:
                return self._head.on
            case "intensity", []:
                return self._knob
            case "rep_rate", []:
                return self._head.rep_rate_hz
            case _:
                raise ValueError(f"{self.name}: nobody can {method!r} with {arguments!r}")
        return None

    def fault_key(self) -> None:
        """Turn the key off until cleared: no light, whatever the switch."""
        self._key_out = True
        self._head.emit(False)

    def clear_faults(self) -> None:
        """Turn the key on; the emission stays off."""
        self._key_out = False
