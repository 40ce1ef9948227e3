"""The flat stream that a recipe expands into: frozen, numbered steps.

Named tuples, because every point makes two of them: a frozen dataclass takes five times as long.
All begin with the same fields:

- ``number``: how many steps of the recipe come before it.
- ``id``: stable name: hash of the recipe, then the path as ``0.2/1``.
- ``path``: place in the file: number of the step in its list and, inside a loop, number of the
  value, alternating. The move of a loop is step 0 of each value; the steps that the file lists
  there count from 1.
- ``loops``: the loops around it, outermost first; a move counts as inside its own.
- ``on_error``: what an error in this step does to the run.
"""

from typing import NamedTuple

from labctl.measurements import Measurement
from labctl.recipes._nodes import DotChoice, OnError, OnTimeout
from labctl.roles import SettleRule

__all__ = ["Calibrate", "Loop", "Measure", "Move", "Note", "Step", "Visit", "Wait"]


class Loop(NamedTuple):
    """Where a step stands in one of the loops around it.

    Attributes:
        name: The settable, ``repeat`` or ``dot``.
        value: Its value; the number of the repetition or of the dot, from 0.
        unit: Unit of the value; empty for ``repeat`` and ``dot``.
    """

    name: str
    value: float
    unit: str


class Move(NamedTuple):
    """Give a settable a value.

    Attributes:
        settable: ``instrument.quantity``.
        value: The value, in ``unit``.
        unit: Unit of the value.
        rule: When it counts as arrived; None: as the instrument's role says.
        on_timeout: What to do if it does not arrive. To skip means to leave out every step whose
            path begins with ``path[:-1]``.
    """

    number: int
    id: str
    path: tuple[int, ...]
    loops: tuple[Loop, ...]
    on_error: OnError
    settable: str
    value: float
    unit: str
    rule: SettleRule | None = None
    on_timeout: OnTimeout = "abort"


class Visit(NamedTuple):
    """Go to a dot that was found earlier in the run.

    A loop over dots has as many as the recipe allows; those that were not found are left out when
    the run comes to them, so that ids never depend on what was found.

    Attributes:
        dot: Number of the dot in the loop, from 0.
        choice: Which dots are gone to, in which order.
    """

    number: int
    id: str
    path: tuple[int, ...]
    loops: tuple[Loop, ...]
    on_error: OnError
    dot: int
    choice: DotChoice


class Measure(NamedTuple):
    """Take one point."""

    number: int
    id: str
    path: tuple[int, ...]
    loops: tuple[Loop, ...]
    on_error: OnError
    measurement: Measurement
    label: str = ""


class Calibrate(Measure):
    """Take a calibration, which is a measurement with a file of its own."""

    __slots__ = ()


class Wait(NamedTuple):
    """Let lab time pass, s."""

    number: int
    id: str
    path: tuple[int, ...]
    loops: tuple[Loop, ...]
    on_error: OnError
    seconds: float


class Note(NamedTuple):
    """Write a note into the file."""

    number: int
    id: str
    path: tuple[int, ...]
    loops: tuple[Loop, ...]
    on_error: OnError
    text: str


Step = Move | Visit | Measure | Wait | Note
"""One thing that the sequencer does."""
