"""Maps on the fly: fine axes that do not stop at pixels, photons sorted by time after markers."""

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from labctl.errors import DeviceError, RefusedError
from labctl.measurements._context import Array, Context
from labctl.measurements._exposure import excitation
from labctl.measurements._field import Field, shape_of
from labctl.measurements._lit import Lit
from labctl.measurements._photon_job import Part
from labctl.measurements._places import Places
from labctl.measurements._sight import Sight, sight_of
from labctl.photons import LineCounts
from labctl.roles import PhotonCounter, Positioner, TimeTagger

__all__ = ["TURN_S", "Flight", "fly_estimate_s"]

Vector = NDArray[np.float64]

_AXES = ("x", "y")
_MARGIN_UM = 0.1
"""At both ends of the fine range: a coarse way may end so far from where it should."""
_RANGE_UM = 1.5
TURN_S = 3e-3
"""At the beginning of each line, for the piezo to come to rest."""
_TILE_S = 0.8
_TRIES = 5
_WITHIN_UM = 0.01


def fly_estimate_s(
    size_um: tuple[float, float], step_um: float, dwell_s: float, range_um: float = _RANGE_UM
) -> float:
    """Return the expected lab time of a map on the fly, s."""
    rows, columns = shape_of(size_um, step_um)
    side = _pixels_in(range_um, step_um)
    tiles = math.ceil(rows / side) * math.ceil(columns / side)
    lines = rows * math.ceil(columns / side)
    return rows * columns * dwell_s + lines * TURN_S + tiles * _TILE_S


def _pixels_in(range_um: float, step_um: float) -> int:
    """Return how many pixels of a line lie in the fine range without its margins."""
    return max(0, math.floor((range_um - 2.0 * _MARGIN_UM) / step_um + 1e-9) + 1)


@dataclass(frozen=True)
class _Tile:
    """A part of the field that fine motion reaches without coarse steps."""

    rows: range
    columns: range


@dataclass(frozen=True, eq=False)
class _Line:
    """One line as it was scanned: pixels in the order in which they came."""

    row: int
    columns: NDArray[np.int32]
    edges_s: Vector


@dataclass
class Flight:
    """Scans a field on the fly; counts of pixels come out when all is over.

    Attributes:
        context: The context of the measurement.
        area: Its pixels.
        dwell_s: Time at each pixel, s.
        places: The stage.
        sight: What tells where a stage without sensors is.
        marker: Marker input of the time tagger.
    """

    context: Context
    area: Field
    dwell_s: float
    places: Places
    sight: Sight | None
    marker: int
    detector: PhotonCounter | None = None
    _lines: list[_Line] = field(default_factory=list[_Line])
    _counts: tuple[NDArray[np.int64], ...] = ()

    @classmethod
    def over(cls, context: Context, over: Field, dwell_s: float) -> Self:
        """Judge whether a field can be scanned; nothing moves.

        Raises:
            RefusedError: No fine motion on both axes, no line marker, or out of bounds.
        """
        stage = over.stage
        for axis in _AXES:
            stage.check_fine_position(axis, 0.0)
        marker = stage.line_marker().marker
        tagger = context.station.only(TimeTagger, prefer="tagger")
        if marker not in tagger.marker_inputs():
            what = f"does not record marker input {marker}, to which {stage.name} is cabled"
            hint = f"write 'markers: {{{marker}: rising}}' in its block of the set-up"
            raise RefusedError(tagger.name, what, hint)
        places = Places(context, stage, _AXES)
        flight = cls(context, over, dwell_s, places, sight_of(context, places), marker)
        flight._check()
        return flight

    def lead(self, part: Part, look: Callable[[], None]) -> None:
        """Scan all tiles while photons come."""
        counts = next(a for a in part.pipeline.analyses if isinstance(a, LineCounts))
        for tile in self._tiles():
            self._go(tile)
            with excitation(self.context, wanted=True, onto=partial(self._lit, tile)):
                for line in self._scan(tile):
                    counts.expect(line.edges_s)
                    look()
                    if part.stopped:
                        what, hint = f"ended before the map: {part.stopped}", "make the map smaller"
                        raise DeviceError(self.area.stage.name, "photons of a map", what, hint)
                    self._tell(counts)
            self._check_end()

    def _lit(self, tile: _Tile) -> Lit:
        x_um, y_um = self._along(tile, "x"), self._along(tile, "y")
        return Lit(np.stack(np.meshgrid(x_um, y_um), axis=-1).reshape(-1, 2))

    def collect(self, part: Part) -> None:
        """Take the counts of all lines.

        Raises:
            DeviceError: Markers and lines are not equally many.
        """
        counts = next(a for a in part.pipeline.analyses if isinstance(a, LineCounts)).result()
        if counts.markers != counts.lines:
            what = f"{counts.markers} line markers came for {counts.lines} lines"
            raise DeviceError(
                self.area.stage.name,
                f"marker input {self.marker}",
                what,
                "check cable, edge and level; the photons are kept",
            )
        self._counts = counts.counts

    def counts(self) -> tuple[NDArray[np.int64], Vector]:
        """Return photons of each pixel, and how long it was looked at, s; both (y, x)."""
        counts, seconds = np.zeros(self.area.shape, np.int64), np.zeros(self.area.shape)
        for line, found in zip(self._lines, self._counts, strict=True):
            counts[line.row, line.columns] += found
            seconds[line.row, line.columns] += np.diff(line.edges_s)
        return counts, seconds

    def rate_hz(self) -> Vector:
        """Return counts per second, (y, x)."""
        counts, seconds = self.counts()
        return counts / seconds

    def arrays(self) -> list[Array]:
        """Return the image, and what is needed to make it again from the photons."""
        counts, seconds = self.counts()
        longest = max(len(line.columns) for line in self._lines)
        columns = np.full((len(self._lines), longest), -1, np.int32)
        edges_s = np.full((len(self._lines), longest + 1), np.nan)
        for n, line in enumerate(self._lines):
            columns[n, : len(line.columns)] = line.columns
            edges_s[n, : len(line.edges_s)] = line.edges_s
        return [
            Array("rate", counts / seconds, "Hz", ("y", "x")),
            Array("x", self.area.along(0), "um", ("x",)),
            Array("y", self.area.along(1), "um", ("y",)),
            Array("counts", counts.astype(np.uint32), "counts", ("y", "x")),
            Array("dwell", seconds, "s", ("y", "x")),
            Array("line_row", np.array([n.row for n in self._lines], np.int32), "1", ("line",)),
            Array("line_column", columns, "1", ("line", "place")),
            Array("line_edge", edges_s, "s", ("line", "edge")),
        ]

    def _tiles(self) -> Iterator[_Tile]:
        """Yield the tiles row by row, each row of them the other way than the one before."""
        rows, columns = self.area.shape
        high, wide = (self._pixels(axis) for axis in reversed(_AXES))
        firsts = list(range(0, columns, wide))
        for number, row in enumerate(range(0, rows, high)):
            for column in reversed(firsts) if number % 2 else firsts:
                yield _Tile(
                    range(row, min(row + high, rows)), range(column, min(column + wide, columns))
                )

    def _pixels(self, axis: str) -> int:
        range_um = self.places.range_um(axis)
        found = _pixels_in(range_um, self.area.step_um)
        if found < 2:
            what = f"a fine range of {range_um:g} um holds no two steps of {self.area.step_um:g} um"
            raise RefusedError(self.area.stage.name, f"axis {axis}: {what}", "take smaller steps")
        return found

    def _middle(self, tile: _Tile) -> dict[str, float]:
        x_um, y_um = self.area.along(0)[tile.columns], self.area.along(1)[tile.rows]
        return {"x": float(x_um[[0, -1]].mean()), "y": float(y_um[[0, -1]].mean())}

    def _check(self) -> None:
        stage, reasons = self.area.stage, list[str]()
        for tile in self._tiles():
            for axis, um in self._middle(tile).items():
                try:
                    stage.check_position(axis, um - 0.5 * self.places.range_um(axis))
                except RefusedError as error:
                    reasons.append(error.what)
        if reasons:
            what = f"the map leaves the limits: {'; '.join(dict.fromkeys(reasons))}"
            raise RefusedError(stage.name, what, "make it smaller, or move its center")

    def _go(self, tile: _Tile) -> None:
        """Bring the tile into the middle of the fine range, and look until it is there.

        Raises:
            RefusedError: It does not get there.
        """
        middle_um = self._middle(tile)
        for _ in range(_TRIES):
            for axis, um in middle_um.items():
                if not self._reaches(axis, self._along(tile, axis)):
                    self.places.slide_to(axis, um)
            self._bend()
            with self._looking():
                self._rest()
                if self.sight is not None:
                    self.sight.look()
            if all(self._reaches(axis, self._along(tile, axis)) for axis in _AXES):
                return
        at = ", ".join(f"{axis} = {um:.2f} um" for axis, um in middle_um.items())
        what = f"is not there after {_TRIES} ways to {at}"
        raise RefusedError(self.area.stage.name, what, "does it stick, or slip?")

    @contextmanager
    def _looking(self) -> Generator[None]:
        """Keep the light for looking at the sample from the detector, if there is a look."""
        detector = None if self.sight is None else self.detector
        if detector is None:
            yield
            return
        # Fine motion that was started before comes to rest meanwhile.
        detector.set_open(False)
        yield
        detector.set_open(True)

    def _along(self, tile: _Tile, axis: str) -> Vector:
        which = tile.columns if axis == "x" else tile.rows
        return self.area.along(_AXES.index(axis))[which]

    def _fine_um(self, axis: str, places_um: Vector) -> Vector:
        return places_um - self.places.slider_um(axis)

    def _reaches(self, axis: str, places_um: Vector) -> bool:
        fine_um = self._fine_um(axis, places_um)
        return bool(fine_um.min() >= 0.0 and fine_um.max() <= self.places.range_um(axis))

    def _bend(self) -> None:
        """Put both fine axes into the middle; the output is an offset from then on."""
        stage = self.area.stage
        for axis in _AXES:
            stage.start_fine_position(axis, 0.5 * self.places.range_um(axis))

    def _rest(self) -> None:
        """Wait for the end of fine motion."""
        stage = self.area.stage
        self.context.wait_until(
            lambda: all(stage.fine_arrived(axis) for axis in _AXES),
            timeout_s=10.0,
            what=f"{stage.name} fine motion",
        )

    def _scan(self, tile: _Tile) -> Iterator[_Line]:
        stage, columns = self.area.stage, np.array(tile.columns, np.int32)
        x_um, y_um = (self._fine_um(axis, self._along(tile, axis)) for axis in _AXES)
        stage.mark_line(False)
        stage.sweep_fine_position("x", float(x_um[0]))
        for number, row in enumerate(tile.rows):
            order = slice(None, None, -1 if number % 2 else 1)
            stage.sweep_fine_position("y", float(y_um[number]))
            self.context.wait(TURN_S, what=f"{stage.name} to turn round")
            line = _Line(row, columns[order], self._sweep(stage, x_um[order]))
            self._lines.append(line)
            yield line

    def _sweep(self, stage: Positioner, x_um: Vector) -> Vector:
        """Scan a line; returns when its pixels began, s after the marker, and the last ended."""
        clock = self.context.clock
        asked_s = clock.now()
        stage.mark_line(True)
        # The edge came between order and answer.
        began_s = 0.5 * (asked_s + clock.now())
        edges_s = [0.0]
        for number, um in enumerate(x_um):
            if number:
                stage.sweep_fine_position("x", float(um))
            self.context.wait(self.dwell_s, what=f"{stage.name} pixel")
            edges_s.append(clock.now() - began_s)
        stage.mark_line(False)
        return np.array(edges_s)

    def _check_end(self) -> None:
        """Read back where the sweep has ended.

        Raises:
            DeviceError: Elsewhere than it was told.
        """
        stage, line = self.area.stage, self._lines[-1]
        ends = {"x": int(line.columns[-1]), "y": line.row}
        for axis, pixel in ends.items():
            told_um = float(self.area.along(_AXES.index(axis))[pixel]) - self.places.slider_um(axis)
            read_um = stage.read_fine_position(axis)
            if abs(read_um - told_um) > _WITHIN_UM:
                what = f"is at {read_um:.3f} um instead of {told_um:.3f} um"
                raise DeviceError(stage.name, f"fine_{axis}", what, "is it grounded by hand?")

    def _tell(self, counts: LineCounts) -> None:
        """Tell displays how far it is.

        Raises:
            DeviceError: No marker has come with the lines so far.
        """
        if len(self._lines) > 1 and not counts.markers:
            what = "no marker came with the first lines"
            remedy = "check the cable from the trigger output, and its licence"
            raise DeviceError(self.area.stage.name, f"marker input {self.marker}", what, remedy)
        done, size = sum(len(line.columns) for line in self._lines), math.prod(self.area.shape)
        self.context.progress(f"pixel {done} of {size}", done / size)
