"""A session outside of any run: it moves instruments as a run does, and stores nothing."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labctl.clock import Clock
from labctl.measurements import OpticalTable
from labctl.sequencer import Announcer, Book, Control, Guard, Listener, Session
from labctl.stations import Station
from labctl.storage import NamedArray, RecordAddress, RecordKind

__all__ = ["unstored_session"]


class _NoJournal:
    """Takes everything and keeps nothing."""

    path = Path()

    def append(
        self,
        kind: RecordKind,
        data: Mapping[str, Any],
        arrays: Sequence[NamedArray] = (),
        *,
        step_id: str = "",
        attempt: int = 0,
        durable: bool | None = None,
    ) -> RecordAddress:
        """Forget the record."""
        return RecordAddress(0, 0, 0, 0)

    def flush_due(self) -> None:
        """Do nothing."""

    def sync(self) -> None:
        """Do nothing."""

    def make_room(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


@contextmanager
def unstored_session(
    station: Station,
    clock: Clock,
    *,
    control: Control | None = None,
    calibrations: dict[str, dict[str, Any]] | None = None,
    table: OpticalTable | None = None,
    begin_point: Callable[[str], None] = lambda _: None,
    guard: Guard | None = None,
    listeners: Iterable[Listener] = (),
) -> Generator[Session]:
    """Give a session whose books are not kept; otherwise as that of a run."""
    book = Book(_NoJournal(), Announcer("", clock, listeners), clock)
    control = control or Control()
    control.machine.apply("start")
    try:
        yield Session(
            station,
            book,
            control,
            calibrations=calibrations or {},
            begin_point=begin_point,
            table=table,
            guard=guard,
        )
    finally:
        book.close()
