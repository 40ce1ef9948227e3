"""The engine over a stream of steps as a recipe gives it, with a journal or without."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.fakes import PAYLOADS, station
from labctl.clock import RealClock
from labctl.measurements import Measurement
from labctl.recipes import Recipe, Step, expand, parse_recipe
from labctl.sequencer import Announcer, Book, Control, Session
from labctl.storage import JournalWriter, RecordAddress


class NoJournal:
    """Takes records and keeps none."""

    path = Path()

    def append(self, *_: Any, **__: Any) -> RecordAddress:
        return RecordAddress(0, 0, 0, 0)

    def flush_due(self) -> None: ...

    def sync(self) -> None: ...

    def make_room(self) -> None: ...

    def close(self) -> None: ...


def steps(points: int, payload: str, *, rows: int = 1) -> Iterator[Step]:
    """Return a scan of one axis, or of two if there are several rows, expanded lazily."""
    inner = _scan("stage.x", points // rows, {"spectrum": {"exposure": "1 s"}})
    read = parse_recipe(
        {"name": "benchmark", "steps": [inner if rows == 1 else _scan("stage.y", rows, inner)]}
    )
    nodes = tuple(_measuring(node, PAYLOADS[payload]) for node in read.file.steps)
    return expand(Recipe(read.file.model_copy(update={"steps": nodes})))


def _scan(axis: str, count: int, inner: dict[str, Any]) -> dict[str, Any]:
    values = {"start": "0 um", "stop": "100 um", "num": count}
    return {"scan": axis, "values": values, "steps": [inner]}


def _measuring(node: Any, measurement: Measurement) -> Any:
    # The fakes are not installed as measurements, so no recipe file can name them.
    if hasattr(node, "measurement"):
        return node.model_copy(update={"measurement": measurement})
    inner = tuple(_measuring(one, measurement) for one in node.steps)
    return node.model_copy(update={"steps": inner})


def session(journal: Path | None) -> Session:
    """Return a running session; no journal means no storage at all."""
    clock = RealClock()
    book = Book(
        JournalWriter(journal, now=clock.now, utc=clock.utc) if journal else NoJournal(),
        Announcer("benchmark", clock),
        clock,
    )
    # A listener as every run has one: events are really made and handed over.
    book.announcer.add(lambda _: None)
    found = Session(station(), book, Control(), calibrations={})
    plan = {"points": None, "expected_s": None}
    found.start({"name": "benchmark", "plan": plan, "simulated": True}, {})
    return found
