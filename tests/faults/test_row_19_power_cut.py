"""Rows 18 and 19: power cuts and kills at every system call of the journal and the finaliser."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disk_model import Call, State, lay_out, recording
from labctl.errors import StorageError
from labctl.storage import (
    ArrayItem,
    JournalWriter,
    Record,
    RecordKind,
    RunFolder,
    finalise,
    lint_product,
    read_journal,
    read_run,
)

BEGAN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
POINTS = 7


def spectrum(index: int) -> ArrayItem:
    """Return an array that fills more than one page, whose numbers tell the point."""
    return ArrayItem("counts", np.arange(1600, dtype=np.uint32) + 10_000 * index, "counts", ("x",))


class Scribe:
    """Writes a run of several segments and its product, and acknowledges each point."""

    def __init__(self, folder: Path, acknowledge: Any) -> None:
        self._folder, self._acknowledge = RunFolder(folder), acknowledge
        self._now_s, self._points = 0.0, 0

    def segment(self, number: int, *, stops: bool) -> None:
        with JournalWriter(
            self._folder.segment_journal(number),
            now=lambda: self._now_s,
            utc=lambda: BEGAN + timedelta(seconds=self._now_s),
            segment=number,
        ) as writer:
            if number == 0:
                writer.append(RecordKind.START, {"uid": "u", "name": "cut"})
            else:
                data = {"number": number, "continues": "u", "reason": "crashed"}
                writer.append(RecordKind.SEGMENT, data)
            for _ in range(POINTS):
                self._point(writer)
            if stops:
                writer.append(RecordKind.STOP, {"status": "complete", "reason": ""})

    def product(self) -> None:
        finalise(self._folder.journal)

    def _point(self, writer: JournalWriter) -> None:
        for _ in range(3):
            self._now_s += 0.3
            reading = {"quantity": "cryostat.temperature", "value": 4.0, "units": "K"}
            writer.append(RecordKind.MONITOR, reading)
            writer.flush_due()
        event: dict[str, Any] = {
            "level": "info",
            "device": "",
            "name": "message",
            "message": "x",
            "data": {},
        }
        writer.append(RecordKind.EVENT, event)
        data: dict[str, Any] = {
            "index": self._points,
            "measurement": "spectrum",
            "label": "",
            "set": {},
            "read": {},
            "settings": {},
            "quality": 0,
        }
        part = ArrayItem("frames", np.ones(900, np.uint16), "counts", ("x",))
        banked = {"index": self._points, "live_time_s": 1.0}
        writer.append(RecordKind.POINT_PART, banked, [part], durable=True)
        writer.append(RecordKind.POINT, data, [spectrum(self._points)])
        self._points += 1
        self._acknowledge(self._points)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """Return every system call of a run that crashes, is recovered, taken up, and finished."""
    folder = tmp_path_factory.mktemp("recorded") / "run"
    folder.mkdir()
    with recording() as recorder:
        scribe = Scribe(folder, recorder.acknowledge)
        scribe.segment(0, stops=False)
        scribe.product()
        scribe.segment(1, stops=True)
        scribe.product()
    kinds = {call.kind for call in recorder.calls}
    assert kinds == {"create", "write", "sync", "sync_names", "rename", "acknowledge"}
    return recorder.calls


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Return the kinds of states that have been recovered once: a product costs a second."""
    return set()


class Judge:
    """Looks at what is left; keeps count."""

    def __init__(self, folder: Path, known: set[str]) -> None:
        self._folder, self._known = folder, known
        self.states = self.lost = self.recovered = 0

    def look(self, content: dict[str, bytes], acknowledged: int) -> None:
        """Every acknowledged point is there, as it was; the product can be made, and made once."""
        self.states += 1
        folder = self._folder / str(self.states)
        lay_out(content, folder)
        found, tails = self._read(folder)
        self.lost += max(0, acknowledged - found)
        # One of each: points, kind of torn end, files that lie there.
        kind = repr((found, tails, sorted(path.name for path in folder.iterdir())))
        if found and kind not in self._known:
            self._known.add(kind)
            self._recover(folder, found)

    def _read(self, folder: Path) -> tuple[int, list[str]]:
        found, tails = 0, list[str]()
        try:
            for journal in RunFolder(folder).journals():
                with read_journal(journal) as records:
                    for record in records:
                        found += self._is_point(record, found)
                tails.append(records.tail.state)
        except StorageError as error:
            tails.append(type(error).__name__)
        return found, tails

    def _is_point(self, record: Record, index: int) -> bool:
        if record.kind != RecordKind.POINT:
            return False
        assert record.data["index"] == index
        assert np.array_equal(record.arrays["counts"].values, spectrum(index).values)
        return True

    def _recover(self, folder: Path, points: int) -> None:
        journal = folder / "run.lcj"
        assert read_run(folder).points.sizes["point"] == points
        report = finalise(journal)
        assert lint_product(report.product) == []
        counts = read_run(report.product).data["spectrum"]["counts"].values
        assert len(counts) == points
        for index, line in enumerate(counts):
            assert np.array_equal(line, spectrum(index).values)
        assert finalise(journal).made is False
        self.recovered += 1


def test_a_power_cut_at_any_call_loses_nothing_that_counts(
    calls: list[Call], tmp_path: Path, known: set[str], torture: bool
) -> None:
    judge, state = Judge(tmp_path, known), State()
    for place, call in enumerate(calls):
        state.carry_out(call)
        for seed in range(20 if torture else 2):
            rng = np.random.default_rng([place, seed])
            judge.look(state.after_power_cut(rng), state.acknowledged)
    assert judge.states >= 300
    assert judge.lost == 0
    print(f"{judge.states} power cuts, {judge.recovered} recovered, {judge.lost} points lost")


def test_a_kill_inside_any_call_loses_nothing_that_counts(
    calls: list[Call], tmp_path: Path, known: set[str], torture: bool
) -> None:
    judge, state = Judge(tmp_path, known), State()
    for place, call in enumerate(calls):
        for seed in range(10 if torture else 1):
            rng = np.random.default_rng([place, seed])
            judge.look(state.after_kill(call, rng), state.acknowledged)
        state.carry_out(call)
    assert judge.states >= 150
    assert judge.lost == 0


def test_the_model_finds_points_that_are_acknowledged_too_early(
    calls: list[Call], tmp_path: Path, known: set[str]
) -> None:
    """Without the syncs of the journal, power cuts lose points: the model can fail."""
    judge, state = Judge(tmp_path, known), State()
    careless = [call for call in calls if not (call.kind == "sync" and call.path.endswith(".lcj"))]
    for place, call in enumerate(careless):
        state.carry_out(call)
        try:
            judge.look(state.after_power_cut(np.random.default_rng(place)), state.acknowledged)
        except (AssertionError, StorageError):
            judge.lost += 1
    assert judge.lost > 50
