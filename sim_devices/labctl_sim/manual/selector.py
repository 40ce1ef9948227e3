"""A part of the light path that a person moves; its truth says what that does to the light."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from labctl_sim.world import World


class SelectorHand:
    """The person's hand on the part.

    Args:
        call: Reaches :meth:`ManualSelector.call`.
    """

    def __init__(self, call: Callable[[str, list[Any]], Any]) -> None:
        self._call = call

    def move(self, position: str) -> None:
        """Bring the part into a position.

        Raises:
            ValueError: There is no such position.
        """
        self._call("move", [position])

    def position(self) -> str:
        """Say where it stands."""
        return str(self._call("position", []))


class ManualSelector:
    """A part with named positions; it stands in the first one, and moves at once.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; ``positions`` is used.
        truth: What differs from ``truth_defaults``. In the position ``scatterer_position`` a
            scatterer stands in the laser light instead of the sample, the long-pass filter is
            out, and grey filters, chosen for the attenuator as it stands when the person puts
            the scatterer in, leave ``scattered_per_pulse`` photons of a pulse (assumed; one
            detector of the cryogenic set-up then sees 2 % of the pulses). In the position
            ``spreading_position`` a lens spreads the excitation over a wide field; in
            ``grey_position`` grey filters stand in front of the imaging camera in the place of
            its long-pass filter.
    """

    interface: ClassVar[str] = "hand"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "scatterer_position": "scatterer",
        "scattered_per_pulse": 12.0,
        "spreading_position": "wide_field",
        "spread_1e2_diameter_um": 50.0,
        "grey_position": "grey",
        "grey_density": 2.5,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name = name
        self._world = world
        self._truth: dict[str, Any] = {**self.truth_defaults, **truth}
        positions: Sequence[Any] = settings.get("positions") or ("sample", "scatterer")
        self._positions = tuple(str(position) for position in positions)
        self._stuck = False
        self._position = self._positions[0]
        self._act()

    @staticmethod
    def face(call: Callable[[str, list[Any]], Any]) -> SelectorHand:
        """Give what a person's hand can do."""
        return SelectorHand(call)

    def call(self, method: str, arguments: list[Any]) -> Any:
        """Do one thing.

        Raises:
            ValueError: The position or the action is unknown.
        """
        match method, arguments:
            case "move", [str() as position] if position in self._positions:
                if not self._stuck:
                    self._position = position
                    self._act()
            case "move", [position]:
                known = ", ".join(self._positions)
                raise ValueError(f"{self.name}: position {position!r} is none of {known}")
            case "position", []:
                return self._position
            case _:
                raise ValueError(f"{self.name}: nobody can {method!r} with {len(arguments)} things")
        return None

    def fault_stuck(self) -> None:
        """Stay where it is until cleared, whatever the person does."""
        self._stuck = True

    def clear_faults(self) -> None:
        """Move again."""
        self._stuck = False

    def _act(self) -> None:
        """Tell what stands on it; several parts may stand in the path, each with its effect."""
        self._world.places.set(self.name, self._position)
        place = str(self._truth["scatterer_position"])
        if place in self._positions:
            in_light = self._position == place
            photons = float(self._truth["scattered_per_pulse"])
            self._world.put_scatterer(photons if in_light else None)
        table = self._world.table
        place = str(self._truth["spreading_position"])
        if place in self._positions:
            wide = self._position == place
            table.spread(float(self._truth["spread_1e2_diameter_um"]) if wide else None)
        place = str(self._truth["grey_position"])
        if place in self._positions:
            grey = self._position == place
            table.imaging_density = float(self._truth["grey_density"]) if grey else None
