"""The flat stream that a recipe expands into: frozen, numbered steps."""

from dataclasses import dataclass
from typing import NamedTuple

from labctl.measurements import Measurement
from labctl.recipes._nodes import OnError, OnTimeout
from labctl.roles import SettleRule

__all__ = ["Calibrate", "Loop", "Measure", "Move", "Note", "Step", "Wait"]


class Loop(NamedTuple):
    """Where a step stands in one of the loops around it.

    Attributes:
        name: The settable, or ``repeat``.
        value: Its value; the number of the repetition, from 0.
        unit: Unit of the value; empty for ``repeat``.
    """

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the sequencer does.

    Attributes:
        index: Number of the step in the recipe, from 0.
        id: Stable name: hash of the recipe, then the path as ``0.2/1``.
        path: Place in the file: number of the step in its list and, inside a loop, number of
            the value, alternating. The move of a loop is step 0 of each value; the steps that
            the file lists there count from 1.
        loops: The loops around it, outermost first; a move counts as inside its own.
        on_error: What an error in this step does to the run.
    """

    index: int
    id: str
    path: tuple[int, ...]
    loops: tuple[Loop, ...]
    on_error: OnError


@dataclass(frozen=True, slots=True)
class Move(Step):
    """Give a settable a value.

    Attributes:
        settable: ``instrument.quantity``.
        value: The value, in ``unit``.
        unit: Unit of the value.
        rule: When it counts as arrived; None: as the instrument's role says.
        on_timeout: What to do if it does not arrive. To skip means to leave out every step whose
            path begins with ``path[:-1]``.
    """

    settable: str
    value: float
    unit: str
    rule: SettleRule | None = None
    on_timeout: OnTimeout = "abort"


@dataclass(frozen=True, slots=True)
class Measure(Step):
    """Take one point."""

    measurement: Measurement
    label: str = ""


@dataclass(frozen=True, slots=True)
class Calibrate(Measure):
    """Take a calibration, which is a measurement with a file of its own."""


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Let lab time pass, s."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Note(Step):
    """Write a note into the file."""

    text: str
