"""The limit on what a library's process does at the moment, in wall time."""

from collections.abc import Mapping
from time import monotonic

__all__ = ["Watchdog"]


class Watchdog:
    """Counts from the entry into each function of the library.

    Attributes:
        function: The function of the library that was entered last; empty: none.
        limit_s: What is allowed at the moment, s.
    """

    def __init__(self, usual_s: float, slow_s: Mapping[str, float], first_s: float) -> None:
        """Begin before the first function.

        Args:
            usual_s: Longest time in a function, s.
            slow_s: By the end of a function's name: what this one may take if that is more, s.
            first_s: Longest time until a function is entered, s: libraries are loaded then.
        """
        self.function = ""
        self._usual_s, self._slow_s = usual_s, slow_s
        self.limit_s = first_s
        self._ends_s = monotonic() + first_s

    def entered(self, function: str) -> None:
        """Count anew."""
        slow = [s for end, s in self._slow_s.items() if function.endswith(end)]
        self.function = function
        self.limit_s = max(self._usual_s, *slow, 0.0)
        self._ends_s = monotonic() + self.limit_s

    def pardon(self, seconds: float) -> None:
        """Leave out time that the library did not take."""
        self._ends_s += seconds

    def left_s(self) -> float:
        """Return how much is left, s; negative when it is over."""
        return self._ends_s - monotonic()
