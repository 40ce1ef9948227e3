"""Where the moving parts of the table stand, by instrument, and who wants to know of changes."""

from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Followed(Generic[V]):
    """One value per name: the true angle of a rotation mount, the position of a selector."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._values: dict[str, V] = {}
        self._actions: dict[str, list[Callable[[], None]]] = {}

    def get(self, name: str) -> V | None:
        """The present value; None: nobody of this name has said."""
        return self._values.get(name)

    def set(self, name: str, value: V) -> None:
        """Change a value; who follows it acts before this returns."""
        if name in self._values and self._values[name] == value:
            return
        self._values[name] = value
        for action in self._actions.get(name, ()):
            action()

    def follow(self, name: str, action: Callable[[], None]) -> None:
        """Do ``action`` after each change from now on."""
        self._actions.setdefault(name, []).append(action)
