"""A neutral-density wheel that a person turns."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from labctl_sim.world import World


class WheelHand:
    """The person's hand on the wheel.

    Args:
        call: Reaches :meth:`AttenuatorWheel.call`.
    """

    def __init__(self, call: Callable[[str, list[Any]], Any]) -> None:
        self._call = call

    def turn_to(self, transmission: float) -> None:
        """Turn to the mark of this transmission.

        Raises:
            ValueError: There is no such mark.
        """
        self._call("turn_to", [transmission])

    def mark(self) -> float:
        """Read the scale."""
        return cast("float", self._call("mark", []))


class AttenuatorWheel:
    """The wheel in the world.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block: ``stands_at_uj_cm2`` over ``full_fluence_uj_cm2`` is the mark
            at which it was left; open without it.
        truth: ``density_scale_rel``: the wheel's true optical density over what its scale says.
    """

    interface: ClassVar[str] = "hand"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {"density_scale_rel": 1.01}

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self._world = name, world
        own: dict[str, Any] = {**self.truth_defaults, **truth}
        self._scale = float(own["density_scale_rel"])
        self._stuck = False
        self._turn(_left_at(settings))

    @staticmethod
    def face(call: Callable[[str, list[Any]], Any]) -> WheelHand:
        """Give what a person's hand can do."""
        return WheelHand(call)

    def call(self, method: str, arguments: list[Any]) -> Any:
        """Do one thing.

        Raises:
            ValueError: There is no such mark or action.
        """
        match method, arguments:
            case "turn_to", [float() | int() as mark] if 0.0 <= mark <= 1.0:
                if not self._stuck:
                    self._turn(float(mark))
            case "turn_to", [mark]:
                raise ValueError(f"{self.name}: the scale has no mark {mark!r}")
            case "mark", []:
                return self._mark
            case _:
                raise ValueError(f"{self.name}: nobody can {method!r} with {len(arguments)} things")
        return None

    def _turn(self, mark: float) -> None:
        self._mark = mark
        with self._world.lock:
            self._world.table.attenuate(self.name, mark**self._scale)

    def fault_stick(self) -> None:
        """Stick where it is until cleared."""
        self._stuck = True

    def clear_faults(self) -> None:
        """Oil it."""
        self._stuck = False


def _left_at(settings: Mapping[str, Any]) -> float:
    left, full = settings.get("stands_at_uj_cm2"), settings.get("full_fluence_uj_cm2")
    return 1.0 if left is None or not full else float(left) / float(full)
