"""Carries out the steps of a recipe in a session, and ends the run in order, whatever happens."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from labctl.errors import AnalysisError, DeviceError, LabctlError, RefusedError, StorageError
from labctl.recipes import Measure, Move, Note, Step, Visit, Wait
from labctl.sequencer._book import Status
from labctl.sequencer._control import Interruption, Skipped
from labctl.sequencer._dots import NoMoreDots
from labctl.sequencer._past import Done, Past
from labctl.sequencer._resume import overlapping, way_back
from labctl.sequencer._session import Session
from labctl.sequencer._shield import undisturbed
from labctl.stations import SafeReport

__all__ = ["Outcome", "ending", "execute"]

_OF_A_STEP = (DeviceError, RefusedError, AnalysisError)
"""What ``on_error: skip`` forgives; a tripped guard or a full disk concerns the whole run."""


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        status: ``complete``, ``aborted`` or ``failed``.
        reason: In words; empty for a complete run.
        error: What made it fail, if something did.
        unsafe: Entries of the safe state that could not be verified, and why.
        safe: What became of every entry of the safe state at the end.
        skipped: Number of steps that were left out; such a run is not all that was asked for.
    """

    status: Status = "complete"
    reason: str = ""
    error: BaseException | None = None
    unsafe: tuple[str, ...] = ()
    skipped: int = 0
    safe: tuple[SafeReport, ...] = ()


@contextmanager
def ending(session: Session) -> Generator[Outcome]:
    """End the run when the block is left: light off, safe state, stop record; in this order.

    Commands, Ctrl-C and errors of labctl end the run and go no further; the outcome tells.
    Anything else (an error in a script's own code) ends the run as failed and is raised again.
    """
    outcome = Outcome()
    try:
        yield outcome
    except Interruption as wish:
        outcome.status, outcome.reason = "aborted", str(wish)
    except KeyboardInterrupt as error:
        outcome.status, outcome.reason, outcome.error = "aborted", "interrupted at once", error
    except LabctlError as error:
        outcome.status, outcome.reason, outcome.error = "failed", str(error), error
    except BaseException as error:
        outcome.status, outcome.reason, outcome.error = "failed", repr(error), error
        raise
    finally:
        with undisturbed():
            _finish(session, outcome)


def _finish(session: Session, outcome: Outcome) -> None:
    # The instruments come before any file: a full disk must not keep the light on.
    safe = session.station.make_safe()
    outcome.safe = tuple(safe)
    outcome.unsafe = tuple(f"{report.action}: {report.error}" for report in safe if report.error)
    try:
        session.book.journal.make_room()
        session.finish(outcome.status, outcome.reason, safe)
    except StorageError as error:
        outcome.status = "failed"
        outcome.reason = f"{outcome.reason} {error}".strip()
        outcome.error = outcome.error or error


def execute(session: Session, steps: Iterable[Step], past: Past | None = None) -> int:
    """Carry out the steps; a step that is skipped takes the steps inside it along.

    Args:
        session: The session.
        steps: All steps of the recipe.
        past: What was done by processes before this one; those steps are not done again, except
            for the few that lead back to where the run was.

    Returns:
        The number of skipped steps, not counting those inside them.

    Raises:
        Interruption: A command ends the run.
        LabctlError: A step failed.
    """
    carrier, left = _Carrier(session), iter(steps)
    if past is not None:
        carrier.skipped = len(past.skipped)
        last, again = way_back(session, left, past)
        for step in again:
            carrier.carry_out(step, again=True, done=past.done.get(step.id))
        if last is not None and last.id in past.skipped:
            carrier.leave_out(last)
    for step in left:
        carrier.carry_out(step)
    with suppress(Skipped):
        session.checkpoint()
    return carrier.skipped


class _Carrier:
    """Carries out one step after the other; knows which ones go with one that was skipped."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._left_out: tuple[int, ...] | None = None
        self.skipped = 0

    def leave_out(self, step: Step) -> None:
        """Leave out what goes with a step that was skipped: inside a loop, all at this value."""
        self._left_out = step.path[:-1] if isinstance(step, Move | Visit) else step.path

    def carry_out(self, step: Step, *, again: bool = False, done: Done | None = None) -> None:
        """Carry out a step, or leave it out.

        Args:
            step: The step.
            again: Whether it only leads back to where the run was.
            done: What the run has of it already, if it is a point that leads back.
        """
        path = self._left_out
        if path is not None and step.path[: len(path)] == path:
            return
        try:
            self._session.checkpoint()
            _carry_out(self._session, step, done)
        except (Skipped, *_OF_A_STEP) as reason:
            if step.on_error == "abort" and not isinstance(reason, Skipped):
                raise
            self.leave_out(step)
            if not isinstance(reason, NoMoreDots):
                self._tell(step, reason, again)

    def _tell(self, step: Step, reason: Exception, again: bool) -> None:
        message = self._session.book.message
        if again:
            message("warning", "run", f"step {step.id} could not be done again: {reason}")
        else:
            text = f"step {step.id} skipped: {reason}"
            message("warning", "run", text, skipped_step=step.id)
            self.skipped += 1


def _carry_out(session: Session, step: Step, done: Done | None = None) -> None:
    if session.dots.here is not None:
        session.dots.heed(step.loops)
    match step:
        case Move():
            session.move(step.settable, step.value, step.rule, step.on_timeout)
        case Measure() if done is not None:
            with overlapping(session, done):
                session.measure(
                    step.measurement, step_id=step.id, label=step.label, attempt=done.attempt + 1
                )
        case Measure():
            session.measure(step.measurement, step_id=step.id, label=step.label)
        case Visit():
            session.dots.visit(step.dot, step.choice, step.id)
        case Wait():
            session.wait(step.seconds)
        case Note():
            session.book.message("info", "note", step.text)
        case _:
            message = f"the engine does not know how to do {type(step).__name__}"
            raise TypeError(message)
