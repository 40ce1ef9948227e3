"""Finding the maximum of the counts: by small steps of each axis, and by a search if it is lost."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import CentreFit, fit_centre
from labctl.errors import AnalysisError, RefusedError
from labctl.measurements._count_rate import RateMeter
from labctl.measurements._recenter_stage import Places

__all__ = ["Climb", "Peak", "grid_um", "search"]

Vector = NDArray[np.float64]

_SPAN_UM = 1.5
"""Of a scan by coarse steps, where an axis has no fine motion."""
_ROUNDS = 4
_MOVED_UM = 0.3
_SEEN_SIGMAS = 5.0
_APART_UM = 1.5
_AS_BRIGHT = 0.5


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
    meter: RateMeter
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
            at_um = self._scan_places(axis)
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

    def _scan_places(self, axis: str) -> Vector:
        range_um = self.places.range_um(axis)
        first_um = self.places.stage.read_position(axis)
        if not range_um:
            first_um, range_um = first_um - 0.5 * _SPAN_UM, _SPAN_UM
        return np.linspace(first_um, first_um + range_um, self.points)

    def _counts_at(self, axis: str, um: float) -> float:
        self.places.go_axis(axis, um)
        return self.meter.counts()


def search(
    places: Places, meter: RateMeter, offsets_um: Iterator[dict[str, float]], what: str
) -> float:
    """Look for light around where the stage stands, and go to where it is brightest.

    Everything is searched before it is judged, so that a neighbour is not taken for the dot.

    Returns:
        The counts there.

    Raises:
        RefusedError: Nothing shines, or there are two candidates.
    """
    middle_um, dark = places.read(), meter.dark
    seen: list[tuple[float, dict[str, float]]] = []
    for offset_um in offsets_um:
        at_um = {axis: middle_um[axis] + by for axis, by in offset_um.items() if axis in middle_um}
        places.go(at_um)
        counts = meter.counts()
        if counts - dark > _SEEN_SIGMAS * math.sqrt(max(dark, 1.0)):
            seen.append((counts - dark, at_um))
    if not seen:
        places.go(middle_um)
        raise RefusedError(what, "nothing shines within reach", "look for it by hand, or widen it")
    best, at_um = max(seen, key=lambda one: one[0])
    for other, there_um in seen:
        apart_um = math.hypot(*(there_um[axis] - at_um[axis] for axis in ("x", "y")))
        if apart_um > _APART_UM and other > _AS_BRIGHT * best:
            text = f"two candidates {apart_um:.1f} um apart, {best:.0f} and {other:.0f} counts"
            raise RefusedError(what, text, "tell them apart by hand")
    places.go(at_um)
    return best


def grid_um(
    reach_um: float, depth_um: float, step_um: float, layer_um: float
) -> Iterator[dict[str, float]]:
    """Yield displacements in layers of z, nearest layer first, each as a spiral in x and y.

    Args:
        reach_um: Radius in x and y, um.
        depth_um: Farthest layer in z, um.
        step_um: Between neighbours in a layer, um.
        layer_um: Between layers, um.
    """
    layers = [layer_um * k for k in range(-int(depth_um / layer_um), int(depth_um / layer_um) + 1)]
    for z in sorted(layers, key=lambda um: (abs(um), um)):
        for x, y in _spiral(int(reach_um / step_um)):
            if math.hypot(x, y) * step_um <= reach_um:
                yield {"z": z, "x": x * step_um, "y": y * step_um}


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
