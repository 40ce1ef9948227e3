"""Neutral-density filters in a filter wheel, whose own truth says what they do to the light."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.optics._passive import Nothing
from labctl_sim.world import World


class NdWheel:
    """The filters; their true densities are the truth ``carries`` of the wheel.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; not used.
        truth: Nothing to be said.
    """

    interface: ClassVar[str] = "hand"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {}

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name = name

    @staticmethod
    def face(call: Callable[[str, list[Any]], Any]) -> Nothing:
        """Give what a program can do to them."""
        return Nothing()

    def call(self, method: str, arguments: list[Any]) -> Any:
        """Refuse: there is nothing to be called.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f"{self.name}: a piece of glass cannot {method!r}")
