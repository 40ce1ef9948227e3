"""Names of dots that are seen again: by their constellation, from cooldown to cooldown."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._constellation import ConstellationMatch, match_constellations

__all__ = ["NamedDots", "name_dots"]

Places = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NamedDots:
    """Dots that were seen, by the names of a catalogue.

    Attributes:
        names: Name of each dot that was seen, in their order.
        known: Whether the catalogue had it, bool, in the same order.
        places: Where they lie in the catalogue's frame, shape (dot, 2).
        missing: Known dots that should lie among those that were seen, and were not seen.
        elsewhere: Known dots that lie outside of what was looked at.
        match: How the two lists lie against each other.
    """

    names: tuple[str, ...]
    known: NDArray[np.bool_]
    places: Places
    missing: tuple[str, ...]
    elsewhere: tuple[str, ...]
    match: ConstellationMatch

    @property
    def new(self) -> tuple[str, ...]:
        """Names of dots that the catalogue did not have."""
        return tuple(name for name, known in zip(self.names, self.known, strict=True) if not known)


def name_dots(
    names: Sequence[str],
    places: Places,
    seen: Places,
    tolerance: float,
    *,
    largest_rotation_deg: float = 5.0,
    scale_range: tuple[float, float] = (1.0, 1.0),
) -> NamedDots:
    """Give dots that are seen the names that they have in a catalogue.

    Args:
        names: Names in the catalogue.
        places: Places x, y in it, shape (dot, 2), any unit.
        seen: Places that are seen now, shape (dot, 2), same unit.
        tolerance: Largest distance of two places of one dot after the transformation.
        largest_rotation_deg: Largest rotation between the two, either way.
        scale_range: Smallest and largest scale; equal: it is fixed.

    Raises:
        AnalysisError: Fewer than three dots in a list, no match that chance does not explain, or
            several: nothing is named then.
    """
    match = match_constellations(
        places,
        seen,
        tolerance,
        largest_rotation_deg=largest_rotation_deg,
        scale_range=scale_range,
    )
    again = {int(b): names[int(a)] for a, b in match.pairs}
    fresh = _fresh_names(names)
    given = tuple(again[n] if n in again else next(fresh) for n in range(len(seen)))
    matched = set(again.values())
    low, high = seen.min(axis=0) - tolerance, seen.max(axis=0) + tolerance
    inside = np.all((match.apply(places) >= low) & (match.apply(places) <= high), axis=1)
    lost = [(name, bool(near)) for name, near in zip(names, inside, strict=True)]
    return NamedDots(
        names=given,
        known=np.array([n in again for n in range(len(seen))], np.bool_),
        places=_back(match, seen),
        missing=tuple(name for name, near in lost if near and name not in matched),
        elsewhere=tuple(name for name, near in lost if not near and name not in matched),
        match=match,
    )


def _fresh_names(names: Iterable[str]) -> Iterator[str]:
    """Yield names like ``D007`` that are in none of the given ones."""
    taken = set(names)
    yield from (name for n in count(1) if (name := f"D{n:03d}") not in taken)


def _back(match: ConstellationMatch, seen: Places) -> Places:
    """Return places of the second list in the frame of the first."""
    angle_rad = np.radians(match.rotation_deg.value)
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    moved = (seen - np.array([match.shift_x.value, match.shift_y.value])) / match.scale.value
    return moved @ np.array([[cos, -sin], [sin, cos]])
