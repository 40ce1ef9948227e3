"""What a person can do to a detector, and its place in the light."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.world import World, truth_defaults
from labctl_sim.world.photons import Apd, ApdTruth, Bench

__all__ = ["ApdHand", "ApdSimulator"]

Call = Callable[[str, list[Any]], Any]


class ApdHand:
    """Switches of one detector."""

    def __init__(self, call: Call) -> None:
        """``call`` leads to ``call`` of a detector."""
        self._call = call

    def power(self, on: bool) -> None:
        """Switch the supply on or off."""
        self._call("power", [on])

    def gate(self, is_open: bool) -> None:
        """Set the gate input."""
        self._call("gate", [is_open])

    def shutter(self, is_open: bool) -> None:
        """Open or close the shutter in front of this detector alone."""
        self._call("shutter", [is_open])

    def is_powered(self) -> bool:
        """Whether the lamp on the module is lit."""
        return bool(self._call("is_powered", []))


class ApdSimulator:
    """One detector at an input of a time-tagging module.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block: ``tagger`` (name of the module; absent: any) and ``channel``
            (its input, from 1; 0 is the sync input of a PicoHarp 300), ``counter`` (name of a
            counter card; absent: none) and ``counter_channel`` (its input, from 0).
        truth: What differs from ``truth_defaults``.
    """

    interface: ClassVar[str] = "hand"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = truth_defaults(ApdTruth)

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        own: dict[str, Any] = {**self.truth_defaults, **truth}
        counter = str(settings.get("counter") or "")
        self.apd = Apd(
            ApdTruth(**own),
            name=name,
            # Detectors that only a card counts make a group of their own.
            tagger=str(settings.get("tagger") or counter),
            channel=int(settings.get("channel", 1)),
            counter=counter,
            counter_channel=int(settings.get("counter_channel", 0)),
        )
        Bench.of(world).plug_in(self.apd)

    @staticmethod
    def face(call: Call) -> ApdHand:
        """Give the switches."""
        return ApdHand(call)

    def call(self, method: str, arguments: list[Any]) -> Any:
        """Work a switch.

        Raises:
            KeyError: There is no such switch.
        """
        with self.world.lock:
            if method == "is_powered":
                return self.apd.powered
            field = {"power": "powered", "gate": "gate_open", "shutter": "shutter_open"}[method]
            setattr(self.apd, field, bool(arguments[0]))
            return None

    def fault_switch_off(self) -> None:
        """Let the supply fail."""
        self.apd.powered = False

    def clear_faults(self) -> None:
        """Bring the supply back."""
        self.apd.powered = True
