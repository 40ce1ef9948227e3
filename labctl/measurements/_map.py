"""The measurement ``map``: count rates over a rectangle, and the dots in it."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Key
from pydantic import model_validator

from labctl.errors import AnalysisError
from labctl.measurements._context import Array, Context
from labctl.measurements._counting import Counter, Counting
from labctl.measurements._dots import dots_on_map, report_dots, spot_sd_px
from labctl.measurements._field import Field, Order, shape_of
from labctl.measurements._measurement import Again, Measurement
from labctl.roles import Positioner
from labctl.units import Micrometers

__all__ = ["Map"]

_SETUP_S = 5.0
_MOVE_S = 0.1
_RETURN_UM_S = 50.0
_PIECES = 2.5
"""Of the full width of a spot: pieces of torn ones lie about as near (steps of one slip)."""


class Map(Counting, Measurement):
    """Count rate, or a short spectrum, at each pixel of a rectangle.

    The excitation is let in while a line is scanned, and shut on the way to the next one.

    Attributes:
        size_um: Sides of the rectangle along x and y, um.
        step_um: Distance of neighbouring pixels, um.
        center_um: Its middle, um; None: where the stage stands, or the middle of the fine range.
        fine: Whether the fine axes scan, and not the coarse ones.
        order: ``raster``: each line from low to high x; ``snake``: every other line backwards.
        find: Whether dots are looked for, which ``dots`` steps then go to.
        spot_um: Full width at half maximum of a dot on the map, um: excitation spot times
            collection [A].
    """

    kind: ClassVar[str] = "map"
    needs: ClassVar[tuple[str, ...]] = ("positioner", "shutter")

    size_um: tuple[Micrometers, Micrometers] = Key(description="like 'size: [10 um, 10 um]'")
    step_um: Micrometers = Key(gt=0, description="like 'step: 0.5 um'")
    center_um: tuple[Micrometers, Micrometers] | None = None
    fine: bool = False
    order: Order = "raster"
    find: bool = False
    spot_um: Micrometers = Key(0.7, gt=0)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            size: tuple[str, str],
            step: str,
            center: tuple[str, str] | None = None,
            fine: bool = False,
            order: Order = "raster",
            find: bool = False,
            spot: str = "0.7 um",
            **counting: Any,
        ) -> None:
            """As in a recipe: ``Map(size=("10 um", "10 um"), step="0.5 um", dwell="0.1 s")``."""

    @model_validator(mode="after")
    def _can_be_searched(self) -> Self:
        if min(self.size_um) <= 0:
            message = "size: must be greater than 0"
            raise ValueError(message)
        if not self.find:
            return self
        try:
            spot_px = spot_sd_px(self.spot_um, self.step_um)
        except AnalysisError as error:
            raise ValueError(str(error)) from error
        pixels, least = min(shape_of(self.size_um, self.step_um)), 4 * int(np.ceil(4 * spot_px))
        if pixels < least or self.detector != "apd":
            message = f"dots are found on maps of counts with {least} or more pixels on each side"
            raise ValueError(message)
        return self

    def once_more(self) -> Again:
        """Return that the dots of a map keep their names and places for the whole run."""
        return "never" if self.find else "compare"

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        rows, columns = shape_of(self.size_um, self.step_um)
        back_s = rows * self.size_um[0] / _RETURN_UM_S
        return _SETUP_S + rows * columns * (self.pixel_s + _MOVE_S) + back_s

    def run(self, context: Context) -> None:
        """Scan, store the point, look for dots."""
        field = self._field(context.station.only(Positioner, prefer="stage"))
        field.check()
        with self.ready(context) as counter:
            scan = _Scan(context, field, counter)
            for row, columns in lines(field, self.order):
                scan.line(row, columns)
        if self.find:
            # Before the point: a map that is stored is not made again, so its dots are known.
            self._find(context, scan)
        context.store(
            scan.arrays(),
            settings={**counter.standing, "map": self._settings(field)},
            live_time_s=scan.rate_hz.size * self.live_s,
            brief=f"{scan.rate_hz.size} pixels, {scan.rate_hz.max():.3g} Hz at most",
        )

    def _find(self, context: Context, scan: "_Scan") -> None:
        x_um, y_um = scan.places()
        stage = context.station.only(Positioner, prefer="stage")
        # A stage without sensors that slips between two lines tears spots into pieces.
        torn = not all(stage.has_readout(axis) for axis in ("x", "y")) and not self.fine
        dots = dots_on_map(
            scan.rate_hz,
            x_um,
            y_um,
            live_s=self.live_s,
            fwhm_um=self.spot_um,
            apart_um=_PIECES * self.spot_um if torn else 0.0,
        )
        report_dots(context, dots, self, self.spot_um, self.kind)

    def _field(self, stage: Positioner) -> Field:
        center = self.center_um or (_middle(stage, "x", self.fine), _middle(stage, "y", self.fine))
        return Field(stage, center, self.size_um, self.step_um, self.fine)

    def _settings(self, field: Field) -> dict[str, Any]:
        return {
            "fine": self.fine,
            "order": self.order,
            "dwell_s": self.live_s,
            "step_um": self.step_um,
            "center_x_um": field.center_um[0],
            "center_y_um": field.center_um[1],
        }


def lines(field: Field, order: Order) -> list[tuple[int, list[int]]]:
    """Return the rows of a field with their columns in the order in which they are visited."""
    found: dict[int, list[int]] = {}
    for row, column in field.pixels(order):
        found.setdefault(row, []).append(column)
    return list(found.items())


def _middle(stage: Positioner, axis: str, fine: bool) -> float:
    if not fine:
        return stage.read_position(axis)
    return (stage.facts(axis).fine_range_um or 0.0) / 2


class _Scan:
    """A map as it grows; pixels that were not reached are NaN."""

    def __init__(self, context: Context, field: Field, counter: Counter) -> None:
        self._context, self._field, self._counter = context, field, counter
        self._order: list[tuple[int, int]] = []
        self.rate_hz: NDArray[np.float64] = np.full(field.shape, np.nan)
        self.read_um: NDArray[np.float64] = np.full((2, *field.shape), np.nan)

    def line(self, row: int, columns: list[int]) -> None:
        """Scan a line; the light is on from its first to its last pixel."""
        self._context.move(self._field.settable(1), float(self._field.along(1)[row]))
        self._go(row, columns[0])
        with self._counter.light():
            for column in columns:
                if column != columns[0]:
                    self._go(row, column)
                self._count(row, column)

    def _go(self, row: int, column: int) -> None:
        x, y = self._field.settable(0), self._field.settable(1)
        self.read_um[0, row, column] = self._context.move(x, float(self._field.along(0)[column]))
        self.read_um[1, row, column] = y.read()

    def _count(self, row: int, column: int) -> None:
        rate_hz = self._counter.rate_hz()
        self.rate_hz[row, column] = rate_hz
        self._order.append((row, column))
        x_um, y_um = self.read_um[:, row, column]
        self._context.live({"x_um": float(x_um), "y_um": float(y_um), "count_rate_hz": rate_hz})
        done, size = len(self._order), self.rate_hz.size
        self._context.progress(f"pixel {done} of {size}", done / size)

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where columns and rows were on the average, um."""
        return self.read_um[0].mean(axis=0), self.read_um[1].mean(axis=1)

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
