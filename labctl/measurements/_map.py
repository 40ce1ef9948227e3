"""The measurement ``map``: count rates over a rectangle, and the dots in it."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Key
from pydantic import model_validator

from labctl.errors import AnalysisError
from labctl.measurements._context import Context
from labctl.measurements._counting import Counting
from labctl.measurements._dots import dots_on_map, report_dots, spot_sd_px
from labctl.measurements._field import Field, Order, shape_of
from labctl.measurements._fly import Flight, fly_estimate_s
from labctl.measurements._fly_photons import FlyPhotons
from labctl.measurements._measurement import Again, Measurement
from labctl.measurements._places import Places
from labctl.measurements._scan import Scan, lines
from labctl.measurements._sight import Sight, sight_of
from labctl.roles import Positioner
from labctl.units import Micrometers

__all__ = ["Map"]

Vector = NDArray[np.float64]

_SETUP_S = 5.0
_MOVE_S = 0.1
_RETURN_UM_S = 50.0
_SHORTEST_S, _LONGEST_S = 0.5e-3, 0.2
_PIECES, _SEEN_PIECES = 2.5, 1.5
"""Of the full width of a spot: pieces of torn ones lie about as near (steps of one slip)."""


class Map(Counting, Measurement):
    """Count rate, or a short spectrum, at each pixel of a rectangle.

    The excitation is let in while a line is scanned, and shut on the way to the next one. Where a
    stage without sensors really is, the picture of the sample tells before and after each line, if
    a camera of known scale looks at it; a line on which the stage has slipped is scanned again.

    On the fly (``fly``) every photon is kept, and those between the marker of a line and its end
    are sorted into pixels by time. Coarse steps bring one part of the field after the other into
    the range of the fine axes; each line is scanned the other way than the one before.

    Attributes:
        size_um: Sides of the rectangle along x and y, um.
        step_um: Distance of neighbouring pixels, um.
        center_um: Its middle, um; None: where the stage stands, or the middle of the fine range.
        fine: Whether the fine axes scan, and not the coarse ones.
        fly: Whether the fine axes scan without a stop at each pixel, and coarse steps lead on.
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
    fly: bool = False
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
            fly: bool = False,
            order: Order = "raster",
            find: bool = False,
            spot: str = "0.7 um",
            **counting: Any,
        ) -> None:
            """As in a recipe: ``Map(size=("10 um", "10 um"), step="0.5 um", dwell="0.1 s")``."""

    @property
    def live_s(self) -> float:
        """Time in which light is really counted, s."""
        return self.dwell_s if self.fly else super().live_s

    @model_validator(mode="after")
    def _can_fly(self) -> Self:
        if not self.fly:
            return self
        if self.fine or self.detector != "apd":
            message = "fly counts photons ('detector: apd') and moves the fine axes by itself"
            raise ValueError(message)
        if not _SHORTEST_S <= self.dwell_s <= _LONGEST_S:
            message = f"dwell: on the fly {_SHORTEST_S * 1e3:g} ms to {_LONGEST_S * 1e3:g} ms"
            raise ValueError(message)
        return self

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
        if self.fly:
            return _SETUP_S + fly_estimate_s(self.size_um, self.step_um, self.dwell_s)
        rows, columns = shape_of(self.size_um, self.step_um)
        back_s = rows * self.size_um[0] / _RETURN_UM_S
        return _SETUP_S + rows * columns * (self.pixel_s + _MOVE_S) + back_s

    def run(self, context: Context) -> None:
        """Scan, look for dots, store the point.

        Raises:
            RefusedError: The map leaves the limits, or the stage slips again and again; on the
                fly also: there is no fine motion, or no line marker. Nothing was moved then.
            AnalysisError: The picture of the sample does not tell where the stage is.
            DeviceError: On the fly: line markers stayed away.
        """
        stage = context.station.only(Positioner, prefer="stage")
        if self.fly:
            self._on_the_fly(context, stage)
            return
        sight = None if self.fine else sight_of(context, Places(context, stage))
        if sight is not None:
            sight.look()
        field = self._field(stage)
        field.check()
        with self.ready(context) as counter:
            scan = Scan(context, field, counter, sight)
            for row, columns in lines(field, self.order):
                scan.line(row, columns)
        if self.find:
            # Before the point: a map that is stored is not made again, so its dots are known.
            by_steps = not self.fine and not all(stage.has_readout(axis) for axis in ("x", "y"))
            self._find(context, scan, by_steps, sight)
        context.store(
            scan.arrays(),
            settings={**counter.standing, "map": self._settings(field)},
            live_time_s=scan.rate_hz.size * self.live_s,
            brief=f"{scan.rate_hz.size} pixels, {scan.rate_hz.max():.3g} Hz at most",
        )

    def _on_the_fly(self, context: Context, stage: Positioner) -> None:
        flight = Flight.over(context, self._field(stage), self.dwell_s)
        photons = FlyPhotons.of(self, self._settings(flight.area), flight)
        job, parts, standing = photons.take(context)
        flight.collect(parts[-1])
        if self.find:
            rate_hz, places = flight.rate_hz(), (flight.area.along(0), flight.area.along(1))
            by_steps = not all(stage.has_readout(axis) for axis in ("x", "y"))
            self._find_on(context, rate_hz, places, by_steps, flight.sight)
        photons.finish(context, job, parts, standing)

    def _find(self, context: Context, scan: Scan, by_steps: bool, sight: Sight | None) -> None:
        rate_hz = scan.rate_hz if sight is None else scan.evened_hz()
        self._find_on(context, rate_hz, scan.places(), by_steps, sight)

    def _find_on(
        self,
        context: Context,
        rate_hz: Vector,
        places_um: tuple[Vector, Vector],
        by_steps: bool,
        sight: Sight | None,
    ) -> None:
        """Find dots; a stage that slips between two lines tears spots into pieces.

        What it slips unseen is more than what is left where the picture tells.
        """
        pieces = (_PIECES if sight is None else _SEEN_PIECES) if by_steps else 0.0
        dots = dots_on_map(
            rate_hz,
            *places_um,
            live_s=self.live_s,
            fwhm_um=self.spot_um,
            apart_um=pieces * self.spot_um,
        )
        report_dots(context, dots, self, self.spot_um, self.kind)

    def _field(self, stage: Positioner) -> Field:
        center = self.center_um or (_middle(stage, "x", self.fine), _middle(stage, "y", self.fine))
        return Field(stage, center, self.size_um, self.step_um, self.fine)

    def _settings(self, field: Field) -> dict[str, Any]:
        return {
            "fine": self.fine,
            "fly": self.fly,
            "order": self.order,
            "dwell_s": self.live_s,
            "step_um": self.step_um,
            "center_x_um": field.center_um[0],
            "center_y_um": field.center_um[1],
        }


def _middle(stage: Positioner, axis: str, fine: bool) -> float:
    if not fine:
        return stage.read_position(axis)
    return (stage.facts(axis).fine_range_um or 0.0) / 2
