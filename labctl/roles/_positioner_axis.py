"""What is believed of the axes of a stage: the set-up's keys, and what follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from labctl.roles._base import Settings
from labctl.roles._limits import Limits
from labctl.units import Hertz, Micrometers, Seconds, Volts

__all__ = [
    "AXES",
    "AxisFacts",
    "AxisName",
    "AxisSettings",
    "LineMarker",
    "PositionerSettings",
    "StepSizes",
]

AxisName = Literal["x", "y", "z"]
AXES: tuple[AxisName, ...] = ("x", "y", "z")


@dataclass(frozen=True)
class AxisFacts:
    """What is believed of one axis now.

    Attributes:
        step_up_um: Size of a step upwards at the set step voltage, um; None: never given.
        step_down_um: Size of a step downwards, um, a positive number; None: never given.
        fine_range_um: Range of the fine (offset) motion, um; None: it has none.
        has_readout: Whether a sensor tells its position.
        travel: Where it may be, um: the set-up's limits.
    """

    step_up_um: float | None
    step_down_um: float | None
    fine_range_um: float | None
    has_readout: bool
    travel: Limits


@dataclass(frozen=True)
class StepSizes:
    """Believed size of steps, um, at one step voltage; in proportion to it at others."""

    up_um: float
    down_um: float
    at_v: float

    def at(self, voltage_v: float) -> "StepSizes":
        """Return the sizes at another step voltage."""
        ratio = voltage_v / self.at_v
        return replace(self, up_um=self.up_um * ratio, down_um=self.down_um * ratio, at_v=voltage_v)


class AxisSettings(BaseModel):
    """Keys of one axis of a stage in the set-up file.

    Attributes:
        number: Number of the axis at its controller.
        step_voltage: Set before the first steps, V; left as found if not given.
        step_frequency: Steps per second, set before the first steps, Hz; else left as found.
        step_up: Believed size of a step upwards at ``sizes_at``, um.
        step_down: Believed size of a step downwards at ``sizes_at``, um.
        sizes_at: Step voltage at which these sizes hold, V; ``step_voltage`` if not given.
        fine_range: Believed range of the fine motion, um, at the temperature of use (it shrinks
            to about 40 % when cold); without it the axis has no fine motion.
        fine_voltage: Offset voltage at the upper end of that range, V.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=0)
    step_voltage: Volts | None = Field(None, ge=0)
    step_frequency: Hertz | None = Field(None, gt=0)
    step_up: Micrometers | None = Field(None, gt=0)
    step_down: Micrometers | None = Field(None, gt=0)
    sizes_at: Volts | None = Field(None, gt=0)
    fine_range: Micrometers | None = Field(None, gt=0)
    fine_voltage: Volts = Field(60.0, gt=0)

    def step_sizes(self) -> StepSizes | None:
        """Return the believed step sizes; None if they, or the voltage, were not given."""
        at_v = self.sizes_at or self.step_voltage
        if self.step_up is None or self.step_down is None or at_v is None:
            return None
        return StepSizes(self.step_up, self.step_down, at_v)


class LineMarker(BaseModel):
    """A cable by which the stage's controller tells the time tagger that a line begins.

    Attributes:
        output: Number of the controller's trigger output.
        marker: Number of the time tagger's marker input, which must record rising edges.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: int = Field(ge=1)
    marker: int = Field(ge=1, le=4)


class PositionerSettings(Settings):
    """Keys of a stage in the set-up file, whatever its driver.

    Attributes:
        axes: The axes ``x``, ``y`` and ``z``, each with its keys.
        backlash: Length of the run-up from below to every target, um; at least what the
            mechanics lose on turning round.
        tolerance: Within it a sensor's readings count as on target, um.
        glitch: A reading that differs by more from what can be is a jump, um.
        stall_time: So long without coming nearer a closed-loop axis counts as stuck, s.
        fine_dwell: How long the fine motion is left to itself after a change, s.
        ground_after_move: Whether axes are grounded once they have arrived, against noise and
            drift; it takes the fine offset of the axis away.
        line_marker: Cable to a marker input of the time tagger; None: there is none, and lines
            cannot be scanned on the fly.
    """

    axes: Mapping[AxisName, AxisSettings] = Field(min_length=1)
    backlash: Micrometers = Field(1.0, ge=0)
    tolerance: Micrometers = Field(0.1, gt=0)
    glitch: Micrometers = Field(1.0, gt=0)
    stall_time: Seconds = Field(2.0, gt=0)
    fine_dwell: Seconds = Field(0.1, ge=0)
    ground_after_move: bool = False
    line_marker: LineMarker | None = None
