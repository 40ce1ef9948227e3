"""Carries out the steps of a recipe in a session, and ends the run in order, whatever happens."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass

from labctl.errors import DeviceError, LabctlError
from labctl.recipes import Measure, Move, Note, Step, Wait
from labctl.sequencer._book import Status
from labctl.sequencer._control import Interruption, Skipped
from labctl.sequencer._session import Session

__all__ = ["Outcome", "ending", "execute"]


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        status: ``complete``, ``aborted`` or ``failed``.
        reason: In words; empty for a complete run.
        error: What made it fail, if something did.
        unsafe: Entries of the safe state that could not be verified.
    """

    status: Status = "complete"
    reason: str = ""
    error: BaseException | None = None
    unsafe: tuple[str, ...] = ()


@contextmanager
def ending(session: Session) -> Generator[Outcome]:
    """End the run when the block is left: light off, safe state, stop record; in this order.

    Commands and errors of labctl end the run and go no further; the outcome tells. Anything else
    (an error in a script's own code) ends the run as failed and is raised again.
    """
    outcome = Outcome()
    try:
        yield outcome
    except Interruption as wish:
        outcome.status, outcome.reason = "aborted", str(wish)
    except KeyboardInterrupt:
        outcome.status, outcome.reason = "aborted", "interrupted at once"
    except LabctlError as error:
        outcome.status, outcome.reason, outcome.error = "failed", str(error), error
    except BaseException as error:
        outcome.status, outcome.reason, outcome.error = "failed", repr(error), error
        raise
    finally:
        safe = session.finish(outcome.status, outcome.reason)
        outcome.unsafe = tuple(report.action for report in safe if report.error)


def execute(session: Session, steps: Iterable[Step]) -> None:
    """Carry out the steps; a step that is skipped takes the steps inside it along.

    Raises:
        Interruption: A command ends the run.
        LabctlError: A step failed.
    """
    skipped: tuple[int, ...] | None = None
    for step in steps:
        if skipped is not None and step.path[: len(skipped)] == skipped:
            continue
        session.checkpoint()
        try:
            _carry_out(session, step)
        except (Skipped, DeviceError) as reason:
            if isinstance(reason, DeviceError) and step.on_error == "abort":
                raise
            skipped = step.path[:-1] if isinstance(step, Move) else step.path
            session.book.message("warning", "run", f"step {step.id} skipped: {reason}")
    session.checkpoint()


def _carry_out(session: Session, step: Step) -> None:
    match step:
        case Move():
            session.move(step.settable, step.value, step.rule, step.on_timeout)
        case Measure():
            session.measure(step.measurement, step_id=step.id, label=step.label)
        case Wait():
            session.wait(step.seconds)
        case Note():
            session.book.message("info", "note", step.text)
        case _:
            message = f"the engine does not know how to do {type(step).__name__}"
            raise TypeError(message)
