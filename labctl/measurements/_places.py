"""Places on a stage whose coarse and fine motion add up."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from labctl.measurements._context import Context
from labctl.roles import Positioner

__all__ = ["Places"]

_NEAR_EDGE = 0.15
_SPAN_UM = 1.5
"""Of a scan by coarse steps, where an axis has no fine motion."""


class Places:
    """Brings axes to places, um: where the slider of the stage stands plus its bent piezo.

    Where fine motion leads there, it is taken. Else coarse steps come first, because they begin
    without an offset, and are chosen so that the place lies in the middle of the fine range. A
    sensor sees the bent piezo, too; an estimate from steps does not hold it.
    """

    def __init__(
        self, context: Context, stage: Positioner, axes: Sequence[str] | None = None
    ) -> None:
        """Know the stage; ``axes``: only these of it."""
        self._context, self.stage = context, stage
        self.axes = stage.axes() if axes is None else tuple(axes)

    def read(self) -> dict[str, float]:
        """Return where each axis is, um."""
        return {axis: self.read_axis(axis) for axis in self.axes}

    def read_axis(self, axis: str) -> float:
        """Return where an axis is, um."""
        um = self.stage.read_position(axis)
        return um if self.stage.has_readout(axis) else um + self._fine_um(axis)

    def slider_um(self, axis: str) -> float:
        """Return where an axis would be without fine motion, um."""
        um = self.stage.read_position(axis)
        return um - self._fine_um(axis) if self.stage.has_readout(axis) else um

    def believe(self, places_um: Mapping[str, float]) -> None:
        """Let axes without sensors believe where they are, um; a sensor knows better."""
        for axis, um in places_um.items():
            if not self.stage.has_readout(axis):
                self.stage.define_position(axis, um - self._fine_um(axis))

    def range_um(self, axis: str) -> float:
        """Return the range of fine motion, um; 0 if there is none."""
        return self.stage.facts(axis).fine_range_um or 0.0

    def go(self, places_um: Mapping[str, float]) -> None:
        """Bring axes to places, one after the other."""
        for axis, um in places_um.items():
            self.go_axis(axis, um)

    def go_axis(self, axis: str, um: float) -> None:
        """Bring an axis to a place, by fine motion if it leads there."""
        fine_um = um - self.slider_um(axis)
        if self.range_um(axis) and 0.0 <= fine_um <= self.range_um(axis):
            self._fine(axis, fine_um)
        else:
            self.step_to(axis, um)

    def step_to(self, axis: str, um: float) -> None:
        """Bring an axis to a place by coarse steps, with fine motion in the middle of its range."""
        self.slide_to(axis, um)
        range_um = self.range_um(axis)
        if range_um:
            rest_um = um - self.slider_um(axis)
            self._fine(axis, min(max(rest_um, 0.0), range_um))

    def slide_to(self, axis: str, um: float) -> None:
        """Make the coarse steps after which a place lies in the middle of the fine range."""
        middle_um = 0.5 * self.range_um(axis)
        if middle_um and self.stage.has_readout(axis):
            # The loop would take the bent piezo for part of the way.
            self._fine(axis, 0.0)
        self._context.move(self.stage.settable(axis), um - middle_um)

    def scan_places(self, axis: str, number: int) -> NDArray[np.float64]:
        """Return places for a scan of an axis, um: over its fine range, if it has one."""
        range_um, first_um = self.range_um(axis), self.slider_um(axis)
        if not range_um:
            first_um, range_um = first_um - 0.5 * _SPAN_UM, _SPAN_UM
        return np.linspace(first_um, first_um + range_um, number)

    def has_room(self, axis: str, um: float) -> bool:
        """Tell whether a place is well inside the fine range, so that it can be followed there."""
        range_um = self.range_um(axis)
        share = (um - self.slider_um(axis)) / range_um if range_um else 0.0
        return _NEAR_EDGE <= share <= 1.0 - _NEAR_EDGE

    def _fine_um(self, axis: str) -> float:
        return self.stage.read_fine_position(axis) if self.range_um(axis) else 0.0

    def _fine(self, axis: str, um: float) -> None:
        self._context.move(self.stage.settable(f"fine_{axis}"), um)
