"""Something in the ring of a rotation mount, perhaps on a slide: acts whenever either moves."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.world import World


class Nothing:
    """What a program can do to a piece of glass."""


class Passive(ABC):
    """Base of simulated passive optics.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block: ``rotator`` names the mount; ``slide`` the selector on which
            it stands (absent or empty: always in the light), in the light at ``slide_position``.
        truth: What differs from ``truth_defaults``.
    """

    interface: ClassVar[str] = "hand"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {}

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self._rotator = str(settings.get("rotator") or "")
        self._slide = str(settings.get("slide") or "")
        self._position = str(settings.get("slide_position") or "in")
        self._slipped_deg = 0.0
        self._acting = False
        world.mounts.follow(self._rotator, self._update)
        world.places.follow(self._slide, self._update)
        self._update()

    @staticmethod
    def face(call: Callable[[str, list[Any]], Any]) -> Nothing:
        """Give what a program can do to it."""
        return Nothing()

    def call(self, method: str, arguments: list[Any]) -> Any:
        """Refuse: there is nothing to be called.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f"{self.name}: a piece of glass cannot {method!r}")

    def fault_slip(self, angle_deg: float = 5.0) -> None:
        """Turn in the ring, whose screw is loose, until cleared."""
        self._slipped_deg = angle_deg
        self._update()

    def clear_faults(self) -> None:
        """Put it back as it was, and tighten the screw."""
        self._slipped_deg = 0.0
        self._update()

    @abstractmethod
    def act(self, angle_deg: float) -> None:
        """Act on the light, with the ring at this true angle."""

    @abstractmethod
    def leave(self) -> None:
        """Act on the light no more."""

    def _update(self) -> None:
        with self.world.lock:
            place = self.world.places.get(self._slide)
            if not self._slide or place == self._position:
                self._acting = True
                ring_deg = self.world.mounts.get(self._rotator) or 0.0
                self.act(ring_deg + self._slipped_deg)
            elif self._acting:
                # Another one may have taken its place on the table, so it leaves only once.
                self._acting = False
                self.leave()
