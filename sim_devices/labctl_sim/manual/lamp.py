"""A calibration lamp that a person puts before the slit and switches on."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from labctl_sim.world import LAMPS, World


class LampSwitch:
    """The person's hand on the lamp.

    Args:
        call: Reaches :meth:`CalibrationLamp.call`.
    """

    def __init__(self, call: Callable[[str, list[Any]], Any]) -> None:
        self._call = call

    def turn_on(self, lamp: str) -> None:
        """Switch a lamp on, the one before it off.

        Raises:
            ValueError: There is no such lamp.
        """
        self._call("turn_on", [lamp])

    def turn_off(self) -> None:
        """Switch the lamp off."""
        self._call("turn_off", [])

    def state(self) -> str | None:
        """Name the lamp that is on; None if none is."""
        return cast("str | None", self._call("state", []))


class CalibrationLamp:
    """The lamp in the world; it burns at full brightness at once.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; not used.
        truth: Nothing to be said yet.
    """

    interface: ClassVar[str] = "hand"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {}

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name = name
        self._world = world
        self._dark = False

    @staticmethod
    def face(call: Callable[[str, list[Any]], Any]) -> LampSwitch:
        """Give what a person's hand can do."""
        return LampSwitch(call)

    def call(self, method: str, arguments: list[Any]) -> Any:
        """Do one thing.

        Raises:
            ValueError: The lamp or the action is unknown.
        """
        match method, arguments:
            case "turn_on", [str() as lamp] if lamp in LAMPS:
                self._world.table.lamp = None if self._dark else lamp
            case "turn_on", [lamp]:
                raise ValueError(f"{self.name}: lamp {lamp!r} is none of {', '.join(LAMPS)}")
            case "turn_off", []:
                self._world.table.lamp = None
            case "state", []:
                return self._world.table.lamp
            case _:
                raise ValueError(f"{self.name}: nobody can {method!r} with {len(arguments)} things")
        return None

    def fault_dark(self) -> None:
        """Burn out: the lamp goes off and stays off until cleared."""
        self._dark = True
        self._world.table.lamp = None

    def clear_faults(self) -> None:
        """Put a new lamp in, switched off."""
        self._dark = False
