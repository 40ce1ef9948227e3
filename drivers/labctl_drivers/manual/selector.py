"""Part of the light path that a person moves: a target, a filter, a mirror."""

from collections.abc import Mapping
from typing import Annotated, Any, Protocol, cast

from pydantic import Field, field_validator

from labctl.errors import RefusedError
from labctl.roles import Identity, Limits, Selector, Settings
from labctl.transport import LibraryLink
from labctl_drivers.manual._hand import recorded

__all__ = ["ManualSelector", "ManualSelectorSettings", "SelectorHand"]


class SelectorHand(Protocol):
    """Somebody, or a simulated hand, that moves a part at once."""

    def move(self, position: str) -> None:
        """Bring the part into a position."""
        ...

    def position(self) -> str:
        """Return where the part stands; empty if it is none of its positions."""
        ...


class ManualSelectorSettings(Settings):
    """Keys of a manual selector in the set-up file.

    Attributes:
        positions: Names of its positions, the usual one first.
    """

    positions: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=2)]

    @field_validator("positions")
    @classmethod
    def _different(cls, positions: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(positions)) < len(positions):
            raise ValueError("two positions have the same name")
        return positions


class ManualSelector(Selector):
    """Driver of a part without any wire: tells the person what to do, believes what they say."""

    interface = "hand"
    settings_type = ManualSelectorSettings

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: ManualSelectorSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """The library of ``link`` is a ``SelectorHand``, or None where a real person has to."""
        super().__init__(name, limits)
        self._hand = cast("SelectorHand | None", recorded(link))
        self._settings = settings
        self._told = ""

    def identity(self) -> Identity:
        """Return that a person does it."""
        return Identity("by hand", ", ".join(self._settings.positions))

    def snapshot(self) -> dict[str, Any]:
        """Return where it stands, and where it could."""
        return {"position": self.read_position(), "positions": list(self._settings.positions)}

    def positions(self) -> tuple[str, ...]:
        """Return the names of its positions."""
        return self._settings.positions

    def is_moving(self) -> bool:
        """Return False: whoever moves it says so when it is done."""
        return False

    def read_position(self) -> str:
        """Return where it stands, as far as anybody has said; empty if nobody has."""
        return self._told if self._hand is None else self._hand.position()

    def confirm(self, position: str) -> None:
        """Take the person's word for where it stands now.

        Raises:
            RefusedError: It has no such position.
        """
        if position not in self._settings.positions:
            known = ", ".join(self._settings.positions)
            raise RefusedError(self.name, f"has no position {position!r}", f"positions: {known}")
        self._told = position

    def _start(self, position: str) -> None:
        if self._hand is not None:
            self._hand.move(position)
        elif self._told != position:
            order = f"bring it to {position!r} by hand"
            raise RefusedError(self.name, order, f"then confirm it: confirm({position!r})")

    def _open(self) -> None:
        self._told = ""

    def _close(self) -> None:
        return None
