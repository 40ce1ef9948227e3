"""The rectangle of a map: where its pixels lie, and whether the stage may go there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labctl.errors import RefusedError
from labctl.roles import Positioner, Settable

__all__ = ["Field", "Order"]

Order = Literal["raster", "snake"]
_AXES = ("x", "y")


@dataclass(frozen=True)
class Field:
    """Pixels of a map.

    Attributes:
        stage: The stage.
        center_um: Middle of the rectangle, (x, y), um.
        size_um: Its sides, um; rounded up to whole steps.
        step_um: Distance of neighbouring pixels, um.
        fine: Whether the fine axes scan, within their range, and not the coarse ones.
    """

    stage: Positioner
    center_um: tuple[float, float]
    size_um: tuple[float, float]
    step_um: float
    fine: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows (y) and columns (x)."""
        return shape_of(self.size_um, self.step_um)

    def along(self, axis: int) -> NDArray[np.float64]:
        """Return the positions of the pixels along x (0) or y (1), um."""
        number = self.shape[1 - axis]
        places = np.arange(number, dtype=np.float64) - (number - 1) / 2
        return self.center_um[axis] + self.step_um * places

    def settable(self, axis: int) -> Settable:
        """Return what moves along x (0) or y (1)."""
        return self.stage.settable(f"fine_{_AXES[axis]}" if self.fine else _AXES[axis])

    def pixels(self, order: Order) -> Iterator[tuple[int, int]]:
        """Yield row and column of each pixel in the order in which they are visited."""
        rows, columns = self.shape
        for row in range(rows):
            back = order == "snake" and row % 2 == 1
            yield from ((row, n) for n in (reversed(range(columns)) if back else range(columns)))

    def check(self) -> None:
        """Refuse a field that leaves the limits; asks only what is known, moves nothing.

        Raises:
            RefusedError: With every corner that is out of bounds, and why.
        """
        (left, *_, right), (low, *_, high) = self._ends(0), self._ends(1)
        corners = [(x, y) for y in (low, high) for x in (left, right)]
        wrong = [f"({x:g}, {y:g}) um: {why}" for x, y in corners if (why := self._why_not(x, y))]
        if wrong:
            what = f"the map leaves the limits at its corner {'; '.join(wrong)}"
            raise RefusedError(self.stage.name, what, "make it smaller, or move its center")

    def _ends(self, axis: int) -> tuple[float, float]:
        along = self.along(axis)
        return float(along[0]), float(along[-1])

    def _why_not(self, x_um: float, y_um: float) -> str:
        check = self.stage.check_fine_position if self.fine else self.stage.check_position
        reasons: list[str] = []
        for axis, um in zip(_AXES, (x_um, y_um), strict=True):
            try:
                check(axis, um)
            except RefusedError as error:
                reasons.append(error.what if not error.hint else f"{error.what}, {error.hint}")
        return " and ".join(reasons)


def shape_of(size_um: tuple[float, float], step_um: float) -> tuple[int, int]:
    """Return the number of rows (y) and columns (x) of a field."""
    columns, rows = (int(np.ceil(side / step_um - 1e-9)) + 1 for side in size_um)
    return rows, columns
