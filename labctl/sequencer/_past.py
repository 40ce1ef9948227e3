"""What an interrupted run has come to, as another process needs it to go on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from labctl.errors import StorageError
from labctl.measurements import DOTS
from labctl.sequencer._point import KEPT
from labctl.storage import Quality, Record, RecordKind, RunFolder, is_held, read_journal

__all__ = ["Done", "Past"]


@dataclass(frozen=True)
class Done:
    """The last stored point of a step.

    Attributes:
        index: Its index in the run.
        attempt: Which attempt it was.
        kind: Measurement and label.
        set: What had been set: settable → value.
    """

    index: int
    attempt: int
    kind: str
    set: Mapping[str, float]


@dataclass
class Past:
    """Everything that the journals of a run say of it.

    Attributes:
        folder: Where it lies.
        start: Content of its start record.
        segment: Number of the process that would go on.
        points: Number of points; the next one has this index.
        status: How the last process ended: ``complete``, ``aborted``, ``failed`` or ``crashed``.
        reason: The same in words.
        last: Id of the last step that is done with; empty: none is.
        done: Step id → its point.
        skipped: Ids of steps that were left out.
        memory: Numbers that measurements have kept for later ones.
        arrays: The same for arrays.
        dots: The last record of dots on a map; empty: none was found.
        calibrations: Name, key → all that were in force in turn, the newest last; None first if
            there was none when the run began.
        version: Of labctl, as the newest segment says.
        setup: The set-up as it was used; likewise.
        identities: Instrument → which unit it was; likewise.
        banked_s: Live time that was banked for the point that was not finished, s.
    """

    folder: RunFolder
    start: Mapping[str, Any] = field(default_factory=dict[str, Any])
    segment: int = 0
    points: int = 0
    status: str = "crashed"
    reason: str = ""
    last: str = ""
    done: dict[str, Done] = field(default_factory=dict[str, Done])
    skipped: set[str] = field(default_factory=set[str])
    memory: dict[str, float] = field(default_factory=dict[str, float])
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict[str, NDArray[Any]])
    dots: Mapping[str, Any] = field(default_factory=dict[str, Any])
    calibrations: dict[tuple[str, str], list[Any]] = field(
        default_factory=dict[tuple[str, str], list[Any]]
    )
    version: str = ""
    setup: Mapping[str, Any] = field(default_factory=dict[str, Any])
    identities: Mapping[str, Any] = field(default_factory=dict[str, Any])
    banked_s: float = 0.0

    @property
    def uid(self) -> str:
        """Unique name of the run."""
        return str(self.start["uid"])

    @classmethod
    def read(cls, run: Path) -> "Past":
        """Read a run folder, or the run to which a journal or a product belongs.

        Raises:
            StorageError: There is no run, it is going on, or it has not begun.
        """
        run = run.expanduser()
        past = cls(RunFolder(run if run.is_dir() else run.parent))
        journals = past.folder.journals()
        if not journals:
            message = f"{run} holds no journal of a run; only a journal can be taken up again"
            raise StorageError(message)
        if is_held(journals[-1]):
            message = f"{journals[-1]} is still being written; the run is going on"
            raise StorageError(message)
        for journal in journals:
            past._begin_segment()
            with read_journal(journal) as records:
                for record in records:
                    past._take(record)
        if not past.start:
            message = f"{journals[0]} has no start record: nothing was begun; run the recipe again"
            raise StorageError(message)
        return past

    def _begin_segment(self) -> None:
        self.segment += 1
        self.status, self.reason = "crashed", "the process ended without a word"

    def _take(self, record: Record) -> None:
        data = record.data
        match record.kind:
            case RecordKind.START:
                self.start = data
                for name, results in data.get("calibrations", {}).items():
                    self.calibrations.update({(name, key): [one] for key, one in results.items()})
                self._take_circumstances(data)
            case RecordKind.SEGMENT:
                self._take_circumstances(data)
            case RecordKind.POINT:
                self._take_point(record)
            case RecordKind.POINT_PART:
                self.banked_s += float(data.get("live_time_s") or 0.0)
            case RecordKind.EVENT if "skipped_step" in data["data"]:
                self.last = str(data["data"]["skipped_step"])
                self.skipped.add(self.last)
            case RecordKind.FOUND if data["what"] == DOTS:
                self.dots = {name: value for name, value in data.items() if name != "what"}
            case RecordKind.FOUND if data["what"] == KEPT:
                self.arrays[data["name"]] = record.arrays["values"].values
            case RecordKind.ANALYSIS if data["what"] == "calibration":
                self._in_force(data["name"], data["key"], data["result"])
            case RecordKind.STOP:
                self.status, self.reason = str(data["status"]), str(data["reason"])
            case _:
                pass

    def _take_circumstances(self, data: Mapping[str, Any]) -> None:
        self.version = str(data.get("labctl_version", self.version))
        self.setup = data.get("setup", self.setup)
        self.identities = data.get("identities", self.identities)
        for name, results in data.get("calibrations", {}).items():
            for key, result in results.items():
                self._in_force(name, key, result)

    def _in_force(self, name: str, key: str, result: Any) -> None:
        history = self.calibrations.setdefault((name, key), [None])
        if history[-1] != result:
            history.append(result)

    def _take_point(self, record: Record) -> None:
        index = int(record.data["index"])
        self.points = max(self.points, index + 1)
        kind = f"{record.data['measurement']} {record.data['label']}".rstrip()
        values = {name: float(entry["value"]) for name, entry in record.data["set"].items()}
        self.done[record.step_id] = Done(index, record.attempt, kind, values)
        self.memory.update(record.data.get("remembered", {}))
        self.banked_s = 0.0
        if not record.data["quality"] & Quality.OVERLAP:
            # What is repeated when a run is taken up again lies before what was done last.
            self.last = record.step_id
