"""The books of a run: what is stored in the journal and told to listeners, in this order."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Literal, Protocol

from labctl.clock import Clock
from labctl.events import (
    ArrayDescriptor,
    InterlockChanged,
    Level,
    LiveResult,
    Message,
    PointStored,
    Reading,
    RunStarted,
    RunStopped,
    StateChanged,
    unchecked,
)
from labctl.measurements import Array
from labctl.sequencer._announce import Announcer
from labctl.sequencer._readings import Readings
from labctl.sequencer._states import StateMachine
from labctl.sequencer._watches import Standing
from labctl.storage import NamedArray, RecordAddress, RecordKind, file_digest

__all__ = ["Book", "Journal", "Status"]

Status = Literal["complete", "aborted", "failed"]

_FLUSH_S = 0.5


class Journal(Protocol):
    """What the books are written into; ``JournalWriter`` is one."""

    path: Path

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
        """Write one record; raises StorageError."""
        ...

    def flush_due(self) -> None:
        """Bring to the disk what has waited for long enough."""
        ...

    def sync(self) -> None:
        """Bring everything to the disk."""
        ...

    def make_room(self) -> None:
        """Give back the room on the disk that was kept for the end."""
        ...

    def close(self) -> None:
        """Write nothing more; a second call does nothing."""
        ...


class Book:
    """Writes the journal first, then tells the listeners."""

    def __init__(self, journal: Journal, announcer: Announcer, clock: Clock) -> None:
        """Keep the books of one run in ``journal``."""
        self.journal, self.announcer, self.clock = journal, announcer, clock
        self.readings = Readings()
        self.points = 0
        self._flushed_s = monotonic()
        self.cancel_flush = clock.call_every(_FLUSH_S, self._flush_due)

    def start(self, data: Mapping[str, Any]) -> None:
        """Store the start record; only then may anything move or any light be let in."""
        self.journal.append(RecordKind.START, data)
        self._tell_started(data)

    def go_on(self, data: Mapping[str, Any], start: Mapping[str, Any], points: int) -> None:
        """Store the first record of a later segment instead.

        Args:
            data: Content of the record.
            start: Start record of the run.
            points: Points that the run has already.
        """
        self.points = points
        self.journal.append(RecordKind.SEGMENT, data)
        self._tell_started(start)

    def _tell_started(self, start: Mapping[str, Any]) -> None:
        plan = start["plan"]
        self.announcer.tell(
            RunStarted,
            name=start["name"],
            journal=str(self.journal.path),
            points=plan["points"],
            expected_s=plan["expected_s"],
            simulated=start["simulated"],
        )

    @contextmanager
    def at(self, index: int) -> Generator[None]:
        """Give the point that is stored in the block the index of an earlier one."""
        points, self.points = self.points, index
        try:
            yield
        finally:
            self.points = points

    def state(self, machine: StateMachine, reason: str = "") -> None:
        """Store and tell a change of state."""
        self._event(
            "info", "run", reason or machine.state, "state_changed", {"state": machine.state}
        )
        self.announcer.tell(StateChanged, state=machine.state, reason=reason)

    def message(self, level: Level, device: str, text: str, **data: Any) -> None:
        """Store and tell something in words."""
        self._event(level, device, text, "message", data)
        self.announcer.tell(Message, level=level, device=device, text=text)

    def interlock(self, standing: Standing, *, stored: bool = True) -> None:
        """Store and tell how an interlock stands."""
        level: Level = "info" if standing.state == "armed" else "warning"
        fields: dict[str, Any] = {
            "name": standing.name,
            "state": standing.state,
            "action": standing.action,
            "text": standing.text,
            "latched": standing.latched,
        }
        text = f"interlock {standing.name} {standing.state}"
        text = f"{text}: {standing.text}" if standing.text else text
        if stored:
            self._event(level, standing.device, text, "interlock", fields)
        self.announcer.tell(InterlockChanged, **fields)

    def reading(self, quantity: str, value: float, units: str) -> None:
        """Store and tell what a monitor has read."""
        self.readings.add(quantity, self.clock.now(), value, units)
        self.journal.append(
            RecordKind.MONITOR, {"quantity": quantity, "value": value, "units": units}
        )
        self.announcer.tell(Reading, quantity=quantity, value=value, units=units)

    def part(self, arrays: Sequence[Array], data: Mapping[str, Any], step_id: str) -> None:
        """Bank a part of a point."""
        self.journal.append(RecordKind.POINT_PART, data, arrays, step_id=step_id, durable=True)

    def sidecar(self, path: Path, data: Mapping[str, Any], step_id: str) -> None:
        """Store which file belongs to the run; it is complete and on the disk."""
        record = {"name": path.name, **file_digest(path), **data}
        self.journal.append(RecordKind.SIDECAR, record, step_id=step_id, durable=True)

    def live(self, measurement: str, values: Mapping[str, float]) -> None:
        """Tell what has come out so far."""
        self.announcer.tell(LiveResult, measurement=measurement, values=dict(values))

    def found(
        self, what: str, data: Mapping[str, Any], step_id: str, arrays: Sequence[Array] = ()
    ) -> None:
        """Store something that was found and that later steps depend on."""
        self.journal.append(RecordKind.FOUND, {"what": what, **data}, arrays, step_id=step_id)

    def calibration(self, name: str, key: str, result: Mapping[str, Any], step_id: str) -> None:
        """Store a calibration that this run has made."""
        data = {"what": "calibration", "name": name, "key": key, "result": result}
        self.journal.append(RecordKind.ANALYSIS, data, step_id=step_id, durable=True)

    def point(
        self,
        data: Mapping[str, Any],
        arrays: Sequence[Array],
        *,
        step_id: str,
        attempt: int,
        brief: str,
        stored: Callable[[], None],
    ) -> None:
        """Store a point, whose ``index`` is the number of points.

        ``stored`` is called as soon as it counts, before anybody is told.
        """
        address = self.journal.append(
            RecordKind.POINT, data, arrays, step_id=step_id, attempt=attempt
        )
        stored()
        told = {
            "index": data["index"],
            "step_id": step_id,
            "measurement": data["measurement"],
            "label": data["label"],
            "arrays": _descriptors(address),
            "set": _values(data["set"]),
            "read": _values(data["read"]),
            "quality": int(data["quality"]),
            "live_time_s": float(data["live_time_s"]),
            "brief": brief,
        }
        self.announcer.tell_often(PointStored, told)
        self.points += 1

    def stop(self, status: Status, reason: str, snapshot: Mapping[str, Any]) -> None:
        """Store the stop record."""
        data = {"status": status, "reason": reason, "points": self.points, "snapshot": snapshot}
        self.journal.append(RecordKind.STOP, data)

    def close(self) -> None:
        """Close the journal; a second call does nothing."""
        self.cancel_flush()
        self.journal.close()

    def _flush_due(self) -> None:
        # Records wait for the disk in wall time: virtual seconds are no reason to sync.
        if self.clock.virtual and monotonic() - self._flushed_s < _FLUSH_S:
            return
        self._flushed_s = monotonic()
        self.journal.flush_due()

    def tell_dropped(self) -> None:
        """Store which listeners failed during the run."""
        for text in self.announcer.dropped:
            self.message("warning", "display", f"dropped because it failed: {text}")

    def stopped(self, status: Status, reason: str, product: str, unsafe: Sequence[str]) -> None:
        """Tell that the run has ended; ``unsafe`` says what could not be made safe, and why."""
        self.announcer.tell(
            RunStopped,
            status=status,
            reason=reason,
            points=self.points,
            journal=str(self.journal.path),
            product=product,
            unsafe=tuple(unsafe),
        )

    def _event(
        self, level: str, device: str, text: str, name: str, data: Mapping[str, Any]
    ) -> None:
        record = {"level": level, "device": device, "message": text, "name": name, "data": data}
        self.journal.append(RecordKind.EVENT, record)


def _values(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    return {name: float(entry["value"]) for name, entry in entries.items()}


def _descriptors(address: RecordAddress) -> tuple[ArrayDescriptor, ...]:
    offset = address.body_offset
    descriptors: list[ArrayDescriptor] = []
    for item in address.layout:
        # A descriptor has the fields of the layout, and the place.
        descriptors.append(unchecked(ArrayDescriptor, {**vars(item), "offset": offset}))
        offset += item.size_bytes
    return tuple(descriptors)
