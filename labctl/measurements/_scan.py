"""A map as it grows: lines of pixels, and where each of them really was."""

import numpy as np
from numpy.typing import NDArray

from labctl.errors import RefusedError
from labctl.measurements._context import Array, Context, Grown
from labctl.measurements._counting import Counter
from labctl.measurements._field import Field, Order
from labctl.measurements._lit import Lit
from labctl.measurements._places import Places
from labctl.measurements._sight import Sight

__all__ = ["Scan", "lines"]

_TRIES = 6
_STARTS = 3
_START_SHARE, _LOST_SHARE, _END_SHARE = 0.2, 0.5, 0.25
"""Of a step: so far off a line should begin, may begin, and end from where it is believed to."""


class Scan:
    """A map as it grows; pixels that were not reached are NaN."""

    def __init__(
        self, context: Context, field: Field, counter: Counter, sight: Sight | None
    ) -> None:
        """Begin with nothing; ``sight`` tells where a stage without sensors is."""
        self._context, self._field, self._counter = context, field, counter
        self._sight = sight
        places = Places(context, field.stage, ("x", "y"))
        self._from_um = [places.slider_um(axis) if field.fine else 0.0 for axis in ("x", "y")]
        """What the places of pixels are counted from."""
        self._lit_um: list[tuple[float, float]] = []
        self._order: list[tuple[int, int]] = []
        self.rate_hz: NDArray[np.float64] = np.full(field.shape, np.nan)
        self.read_um: NDArray[np.float64] = np.full((2, *field.shape), np.nan)

    def line(self, row: int, columns: list[int]) -> None:
        """Scan a line; the light is on from its first to its last pixel.

        Raises:
            RefusedError: The stage slips each time.
        """
        if self._sight is None:
            self._go_to_row(row)
            self._count_all(row, columns)
            return
        for _ in range(_TRIES):
            if self._begin(self._sight, row, columns[0]):
                self._count_all(row, columns)
                if self._seen_straight(self._sight, row, columns):
                    return
            text = f"has slipped on line {row}, which is scanned again"
            self._context.message("info", self._field.stage.name, text)
        what = f"slips each time on line {row} of the map"
        raise RefusedError(self._field.stage.name, what, "does it stick? are its steps too small?")

    def _begin(self, sight: Sight, row: int, column: int) -> bool:
        """Go to the beginning of a line, look, and correct; returns whether it is met.

        A line that lies nearer to its neighbour than to its own place would be a false piece.
        """
        wanted_um = np.array([self._field.along(0)[column], self._field.along(1)[row]])
        off_um = np.zeros(2)
        for _ in range(_STARTS):
            self._go_to_row(row)
            self._go(row, column)
            off_um = np.abs(wanted_um - sight.look())
            if off_um.max() < _START_SHARE * self._field.step_um:
                break
        self._counter.take_path()
        return bool(off_um.max() < _LOST_SHARE * self._field.step_um)

    def _seen_straight(self, sight: Sight, row: int, columns: list[int]) -> bool:
        """Look at the end of a line; small errors of its steps are spread over its pixels."""
        believed_um = self.read_um[:, row, columns]
        off_um = np.array(sight.look()) - believed_um[:, -1]
        if np.abs(off_um).max() > _END_SHARE * self._field.step_um:
            return False
        share = np.linspace(0.0, 1.0, len(columns))
        self.read_um[:, row, columns] = believed_um + off_um[:, None] * share
        return True

    def _go_to_row(self, row: int) -> None:
        self._context.move(self._field.settable(1), float(self._field.along(1)[row]))

    def _count_all(self, row: int, columns: list[int]) -> None:
        self._go(row, columns[0])
        with self._counter.light(self._lit):
            for column in columns:
                if column != columns[0]:
                    self._go(row, column)
                self._count(row, column)

    def _lit(self) -> Lit:
        """Return the places that were lit since this was asked for last."""
        lit, self._lit_um = Lit(np.array(self._lit_um).reshape(-1, 2)), []
        return lit

    def _go(self, row: int, column: int) -> None:
        x, y = self._field.settable(0), self._field.settable(1)
        self.read_um[0, row, column] = self._context.move(x, float(self._field.along(0)[column]))
        self.read_um[1, row, column] = y.read()

    def _count(self, row: int, column: int) -> None:
        x_um, y_um = map(float, self.read_um[:, row, column])
        self._lit_um.append((self._from_um[0] + x_um, self._from_um[1] + y_um))
        rate_hz = self._counter.rate_hz()
        self.rate_hz[row, column] = rate_hz
        self._order.append((row, column))
        self._context.live({"x_um": x_um, "y_um": y_um, "count_rate_hz": rate_hz})
        done, size = int(np.isfinite(self.rate_hz).sum()), self.rate_hz.size
        self._context.progress(f"pixel {done} of {size}", done / size)
        self._context.show(self._grown)

    def _grown(self) -> Grown:
        """Return the map so far, at the places where pixels are meant to be."""
        x_um, y_um = self._field.along(0), self._field.along(1)
        return Grown(
            [
                Array("rate", self.rate_hz.copy(), "Hz", ("y", "x")),
                Array("x", x_um, "um", ("x",)),
                Array("y", y_um, "um", ("y",)),
            ]
        )

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where columns and rows were on the average, um."""
        return self.read_um[0].mean(axis=0), self.read_um[1].mean(axis=1)

    def evened_hz(self) -> NDArray[np.float64]:
        """Return the rates at the columns of ``places``, of pixels that were not quite there."""
        x_um, _ = self.places()
        order = np.argsort(self.read_um[0], axis=1)
        places_um, rates_hz = (
            np.take_along_axis(values, order, axis=1) for values in (self.read_um[0], self.rate_hz)
        )
        lines = [
            np.asarray(np.interp(x_um, *line), np.float64)
            for line in zip(places_um, rates_hz, strict=True)
        ]
        return np.stack(lines)

    def arrays(self) -> list[Array]:
        """Return what is stored."""
        x_um, y_um = self.places()
        found = [
            Array("rate", self.rate_hz, "Hz", ("y", "x")),
            Array("x", x_um, "um", ("x",)),
            Array("y", y_um, "um", ("y",)),
            Array("x_read", self.read_um[0], "um", ("y", "x")),
            Array("y_read", self.read_um[1], "um", ("y", "x")),
        ]
        taken = self._counter.spectra()
        if not taken:
            return found
        spectra = np.zeros((*self.rate_hz.shape, len(taken[0])), np.uint32)
        for (row, column), line in zip(self._order, taken, strict=True):
            spectra[row, column] = line
        wavelength = Array("wavelength", self._counter.wavelength_nm(), "nm", ("pixel",))
        return [*found, Array("spectra", spectra, "counts", ("y", "x", "pixel")), wavelength]


def lines(field: Field, order: Order) -> list[tuple[int, list[int]]]:
    """Return the rows of a field with their columns in the order in which they are visited."""
    found: dict[int, list[int]] = {}
    for row, column in field.pixels(order):
        found.setdefault(row, []).append(column)
    return list(found.items())
