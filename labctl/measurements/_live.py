"""Live views: acquisitions that go on until they are ended, to look at; nothing is stored.

They use the same paths, lights and guards as recorded measurements.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray
from pydantic import PrivateAttr

from labctl.measurements._context import Context
from labctl.measurements._measurement import Measurement

__all__ = ["Live", "Show"]

Show = Callable[[str, Mapping[str, NDArray[Any]], Mapping[str, Any]], None]
"""Is given a topic, the arrays by name, and facts beside them as plain JSON values."""


class Live(Measurement):
    """Base of live views; ``run`` returns only by an interruption."""

    _show: Show | None = PrivateAttr(default=None)

    def shown_to(self, show: Show) -> None:
        """Show what comes to ``show``, on the engine's thread."""
        self._show = show

    def show(
        self, topic: str, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]
    ) -> None:
        """Show something."""
        if self._show is not None:
            self._show(topic, arrays, facts)

    def estimate_s(self) -> float:
        """Return 0: it goes on until it is ended."""
        return 0.0

    @abstractmethod
    def run(self, context: Context) -> None:
        """Show what comes until a command ends it."""
