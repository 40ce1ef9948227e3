"""The way back: what has to be done again before an interrupted run can go on.

Steps of a recipe say where something shall be, never how far it shall move, so the last value of
everything that was set brings the set-up back; what settles goes first, by its full rule.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from labctl.errors import RefusedError
from labctl.recipes import Calibrate, Measure, Move, Step, Visit
from labctl.sequencer._past import Done, Past
from labctl.sequencer._session import Session
from labctl.storage import Quality

__all__ = ["overlapping", "way_back"]


def way_back(session: Session, steps: Iterator[Step], past: Past) -> tuple[Step | None, list[Step]]:
    """Pass over the steps that are done.

    Those that are to be done again are the last move of each settable, the visit to the dot, the
    last of each measurement that prepares the place, and the last point at this place: it shows
    what has drifted.

    Args:
        session: The session that goes on.
        steps: All steps of the recipe; afterwards those that are left.
        past: The run so far.

    Returns:
        The step that was done last, None without one; and those that are to be done again.

    Raises:
        RefusedError: The recipe has no such step as was done last.
    """
    if not past.last:
        return None, []
    behind = _Behind(past)
    for step in steps:
        behind.add(step)
        if step.id == past.last:
            return step, sorted(
                behind.again(), key=lambda one: (not _settles(session, one), one.number)
            )
    raise RefusedError("run", f"the recipe has no step {past.last}, which was done last")


@contextmanager
def overlapping(session: Session, done: Done) -> Generator[None]:
    """Let the point that is stored in the block take the place of ``done``, and be marked so."""
    session.flags |= Quality.OVERLAP
    try:
        with session.book.at(done.index):
            yield
    finally:
        session.flags &= ~Quality.OVERLAP


class _Behind:
    """Where the steps so far have led."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._moves: dict[str, Move] = {}
        self._visit: Visit | None = None
        self._prepared: dict[str, Measure] = {}
        self._point: Measure | None = None

    def add(self, step: Step) -> None:
        if self._visit is not None and not any(loop.name == "dot" for loop in step.loops):
            self._visit = None
        match step:
            case Move():
                # A point from before the move says nothing of the place after it.
                self._point = None
                self._moves.pop(step.settable, None)
                if step.id not in self._past.skipped:
                    self._moves[step.settable] = step
            case Visit():
                self._point = None
                self._prepared.clear()
                self._visit = step if step.id not in self._past.skipped else None
            case Measure() if step.id in self._past.done and not isinstance(step, Calibrate):
                self._measured(step)
            case _:
                pass

    def again(self) -> list[Step]:
        visit = [] if self._visit is None else [self._visit]
        point = [] if self._point is None else [self._point]
        return [*self._moves.values(), *visit, *self._prepared.values(), *point]

    def _measured(self, step: Measure) -> None:
        match step.measurement.once_more():
            case "compare":
                self._point = step
            case "prepare":
                self._prepared[step.measurement.kind] = step
            case "never":
                pass


def _settles(session: Session, step: Step) -> bool:
    return isinstance(step, Move) and session.station.settable(step.settable).spec.settles
