"""What keeps laser light from the detectors: filters, where they stand, and what they stop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["DEFAULT_DENSITY", "Blocking", "LightFilter"]

DEFAULT_DENSITY = 6.0
"""Optical density at the laser line that every detector needs at least, if nothing is said."""


@dataclass(frozen=True)
class LightFilter:
    """An element of the collection path that stops laser light.

    Attributes:
        name: Name in the set-up.
        density: Optical density at the laser line, -log10 of the transmission; None: its
            instrument tells it, as it stands at present.
        instrument: Name of that instrument; empty: it never changes.
        standing: Positions of parts of the light path at which it is in the light; none: always.
        detectors: Names of the detectors in front of which it stands; none: all.
    """

    name: str
    density: float | None
    instrument: str = ""
    standing: Mapping[str, str] = field(default_factory=dict[str, str])
    detectors: tuple[str, ...] = ()

    def protects(self, detector: str) -> bool:
        """Return whether it stands in front of a detector; of any, if that has no name."""
        return not (self.detectors and detector) or detector in self.detectors

    def is_in(self, positions: Mapping[str, str]) -> bool | None:
        """Return whether it is in the light; None: a part it depends on is not in ``positions``."""
        for part, place in self.standing.items():
            if positions.get(part, place) != place:
                return False
        return True if self.standing.keys() <= positions.keys() else None


@dataclass(frozen=True)
class Blocking:
    """All filters of a set-up, and how much of the laser line they must stop.

    Densities of elements one behind the other add up; light that is scattered between them is
    not counted.

    Attributes:
        filters: The filters.
        least: Optical density that every detector needs.
        special: Detectors and light paths that need another one.
    """

    filters: tuple[LightFilter, ...] = ()
    least: float = DEFAULT_DENSITY
    special: Mapping[str, float] = field(default_factory=dict[str, float])

    def needed(self, path: str, detectors: Iterable[str]) -> tuple[float, str]:
        """Return the density that a light path needs, and who needs it: path or detector.

        What is said of the path holds; otherwise the most that one of its detectors needs.
        """
        if path in self.special:
            return self.special[path], path
        each = [(self.special.get(name, self.least), name) for name in detectors]
        return max(each, default=(self.least, path))
