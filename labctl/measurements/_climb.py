"""Finding the maximum of the counts: by small steps of each axis, and by a search if it is lost."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import CentreFit, fit_centre
from labctl.errors import AnalysisError, RefusedError
from labctl.measurements._places import Places

__all__ = ["Climb", "Meter", "Peak", "climb_or_search", "search"]

Vector = NDArray[np.float64]
Seen = list[tuple[float, dict[str, float]]]

_ROUNDS = 4
_MOVED_UM = 0.3
_SEEN_SIGMAS = 5.0
_LAYER_UM = 1.5
_TILE_UM = 0.75
_QUARTERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
_APART_UM = 1.5
_AS_BRIGHT = 0.5


class Meter(Protocol):
    """What counts."""

    @property
    def dark(self) -> float:
        """Counts without light."""
        ...

    def counts(self) -> float:
        """Return the counts with the light on."""
        ...


@dataclass
class Peak:
    """A maximum of the counts.

    Attributes:
        place_um: Where it is, um, by axis.
        counts: Counts there.
        fits: The last fit along each axis.
        places: Where counts were taken for it, um; shape (n,) for each axis.
        scans: The counts there.
    """

    place_um: dict[str, float] = field(default_factory=dict[str, float])
    counts: float = 0.0
    fits: dict[str, CentreFit] = field(default_factory=dict[str, CentreFit])
    places: dict[str, Vector] = field(default_factory=dict[str, Vector])
    scans: dict[str, Vector] = field(default_factory=dict[str, Vector])


@dataclass(frozen=True)
class Climb:
    """The way to the maximum of the counts.

    Attributes:
        places: The stage.
        meter: What counts.
        points: Number of places in a scan of one axis.
        sd_um: About how wide the maximum is along each axis, um.
    """

    places: Places
    meter: Meter
    points: int
    sd_um: Mapping[str, float]

    def to_top(self) -> Peak:
        """Go to the maximum; along all axes once more if one of them was far off.

        Raises:
            AnalysisError: Nothing shines here, or no maximum was met after a few rounds.
        """
        peak = Peak()
        for _ in range(2):
            before_um = self.places.read()
            for axis in self.places.axes:
                self._along(axis, peak)
            peak.place_um = self.places.read()
            moved_um = [abs(um - before_um[axis]) for axis, um in peak.place_um.items()]
            if max(moved_um) < _MOVED_UM:
                break
        peak.counts = self.meter.counts()
        return peak

    def _along(self, axis: str, peak: Peak) -> None:
        for _ in range(_ROUNDS):
            at_um = self.places.scan_places(axis, self.points)
            counts = np.array([self._counts_at(axis, um) for um in at_um])
            fit = fit_centre(at_um, counts, self.meter.dark, self.sd_um[axis])
            peak.fits[axis], peak.places[axis], peak.scans[axis] = fit, at_um, counts
            um = fit.place_um.value
            if fit.inside and self._followed(axis, um):
                self.places.go_axis(axis, um)
                return
            self.places.step_to(axis, um)
        message = f"no maximum along {axis} within {_ROUNDS} scans"
        raise AnalysisError(message)

    def _followed(self, axis: str, um: float) -> bool:
        return not self.places.range_um(axis) or self.places.has_room(axis, um)

    def _counts_at(self, axis: str, um: float) -> float:
        self.places.go_axis(axis, um)
        return self.meter.counts()


def climb_or_search(
    climb: Climb, reach_um: float, depth_um: float = 0.0, *, within_um: float = math.inf
) -> Peak:
    """Climb to the maximum from where the stage stands; if nothing shines there, search first.

    Raises:
        AnalysisError: No maximum was met.
        RefusedError: Nothing shines around, either, or there are two candidates.
    """
    start_um = climb.places.read()
    try:
        return climb.to_top()
    except AnalysisError:
        climb.places.go(start_um)
        search(climb.places, climb.meter, reach_um, depth_um, within_um=within_um)
        return climb.to_top()


def search(
    places: Places,
    meter: Meter,
    reach_um: float,
    depth_um: float,
    *,
    within_um: float = math.inf,
) -> None:
    """Look for light around where the stage stands, and go to where it is brightest.

    Layers of z are searched one after the other, the nearest first; each is looked at whole before
    it is judged, so that a neighbour is not taken for the dot. In a layer coarse steps lead from
    tile to tile and fine motion inside them, because an axis without read-out creeps by a part of
    its run-up with each coarse move.

    Args:
        places: The stage.
        meter: What counts.
        reach_um: Least radius of a layer, um.
        depth_um: Farthest layer, um.
        within_um: Nothing farther away in a layer is looked at.

    Raises:
        RefusedError: Nothing shines, or there are two candidates.
    """
    middle_um = places.read()
    count = int(depth_um / _LAYER_UM) if "z" in middle_um else 0
    for layer in sorted(range(-count, count + 1), key=abs):
        if layer:
            places.step_to("z", middle_um["z"] + layer * _LAYER_UM)
        seen = _layer(places, meter, middle_um, reach_um, within_um)
        if seen:
            places.go(_only_one(places.stage.name, seen))
            return
    places.go(middle_um)
    what = f"nothing shines within {reach_um:g} um, and {depth_um:g} um of focus"
    raise RefusedError(places.stage.name, what, "look for the dot by hand, or search farther")


def _layer(
    places: Places,
    meter: Meter,
    middle_um: Mapping[str, float],
    reach_um: float,
    within_um: float,
) -> Seen:
    """Return the counts above the dark ones, and the place, wherever something shines."""
    tile_um = min(places.range_um("x"), places.range_um("y")) or _TILE_UM
    has_fine = bool(places.range_um("x") and places.range_um("y"))
    inside = (
        [(x * tile_um / 4, y * tile_um / 4) for x, y in _QUARTERS] if has_fine else [(0.0, 0.0)]
    )
    seen: Seen = []
    for tile in _spiral(math.ceil(reach_um / tile_um - 0.5)):
        centre_um = {
            axis: middle_um[axis] + tile_um * n for axis, n in zip(("x", "y"), tile, strict=True)
        }
        for axis, um in centre_um.items():
            if not places.has_room(axis, um):
                places.step_to(axis, um)
        for x, y in inside:
            off_um = (centre_um["x"] + x - middle_um["x"], centre_um["y"] + y - middle_um["y"])
            if math.hypot(*off_um) > within_um:
                continue
            at_um = {"x": centre_um["x"] + x, "y": centre_um["y"] + y}
            places.go(at_um)
            excess = meter.counts() - meter.dark
            if excess > _SEEN_SIGMAS * math.sqrt(max(meter.dark, 1.0)):
                seen.append((excess, at_um))
    return seen


def _only_one(stage: str, seen: Seen) -> dict[str, float]:
    """Return the brightest place; another one that is as bright must be near it."""
    best, at_um = max(seen, key=lambda one: one[0])
    for other, there_um in seen:
        apart_um = math.hypot(*(there_um[axis] - at_um[axis] for axis in ("x", "y")))
        if apart_um > _APART_UM and other > _AS_BRIGHT * best:
            what = f"two candidates {apart_um:.1f} um apart, {best:.0f} and {other:.0f} counts"
            raise RefusedError(stage, what, "tell them apart by hand")
    return at_um


def _spiral(rings: int) -> Iterator[tuple[int, int]]:
    """Yield the nodes of a square grid, ring by ring, each next to the one before."""
    yield 0, 0
    for ring in range(1, rings + 1):
        x, y = ring, 1 - ring
        for dx, dy in ((0, 1), (-1, 0), (0, -1), (1, 0)):
            while max(abs(x + dx), abs(y + dy)) <= ring:
                yield x, y
                x, y = x + dx, y + dy
        yield x, y
