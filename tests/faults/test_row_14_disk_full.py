"""Row 14: the disk is full, at the start, at each record, and while the product is built."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from fake_lab import Bench as FakeBench
from fake_lab import Look
from interrupted import SHORT, points_of, request_of, run_without_product
from invariants import check_invariants
from labctl.errors import StorageError
from labctl.recipes import Measure, Step
from labctl.sequencer import Outcome, ending, execute
from labctl.storage import (
    JournalWriter,
    RecordKind,
    TailState,
    finalise_in_child,
    read_journal,
    read_run,
    recover,
)
from live_bench import run_live
from small_setup import Bench

BALLAST = 20_000
POINTS = 4


class SmallDisk:
    """Stands in the place of ``os`` where the journal is written: so many bytes and no more."""

    def __init__(self, room: int, diary: list[str]) -> None:
        self.room, self._diary = room, diary
        self._kept: dict[str, int] = {}
        self._paths: dict[int, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Any, flags: int, mode: int = 0o777) -> int:
        descriptor = os.open(path, flags, mode)
        self._paths[descriptor] = str(path)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        count = min(len(data), self.room)
        if not count:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= count
        # The first call on a full disk takes a part, without an error.
        return os.write(descriptor, data[:count])

    def ftruncate(self, descriptor: int, size: int) -> None:
        self.room += os.fstat(descriptor).st_size - size
        os.ftruncate(descriptor, size)

    def posix_fallocate(self, descriptor: int, offset: int, size: int) -> None:
        if size > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= size
        self._kept[self._paths[descriptor]] = size

    def unlink(self, path: Any) -> None:
        os.unlink(path)
        self.room += self._kept.pop(str(path), 0)
        self._diary.append("ballast")


@contextmanager
def small_disk(room: int, diary: list[str]) -> Generator[SmallDisk]:
    disk = SmallDisk(room, diary)
    with ExitStack() as stack:
        for module in ("_writer", "_durable", "_ballast"):
            stack.enter_context(patch(f"labctl.storage.{module}.os", disk))
        yield disk


def looks() -> list[Step]:
    return [Measure(n, f"s/{n}", (n,), (), "abort", Look()) for n in range(POINTS)]


def run_on(folder: Path, room: int) -> tuple[FakeBench, Outcome]:
    """Run a few points on fake instruments and a disk with so much room."""
    diary: list[str] = []
    with small_disk(room, diary):
        bench = FakeBench(folder, ballast_bytes=BALLAST, diary=diary)
        bench.shutter.position = True
        with ending(bench.start({"cryostat.temperature": 0.4})) as outcome:
            execute(bench.session, looks())
    return bench, outcome


def test_at_each_record_the_light_goes_off_first_and_nothing_that_counts_is_lost(
    tmp_path: Path,
) -> None:
    (tmp_path / "whole").mkdir()
    whole, outcome = run_on(tmp_path / "whole", 10**9)
    assert outcome.status == "complete"
    ends = [r.address.offset + r.address.length for r in read_journal(whole.journal)]
    failed = 0
    # Who cannot store that it begins lets no light in, and has nothing to end.
    for place, end in enumerate(ends[2:-3]):
        # Full in the middle of a record, and exactly between two.
        for less in (17, 0):
            folder = tmp_path / f"{place}_{less}"
            folder.mkdir()
            bench, outcome = run_on(folder, BALLAST + end - less)
            failed += outcome.status == "failed"
            _check(bench, outcome)
    assert failed > len(ends)


def _check(bench: FakeBench, outcome: Outcome) -> None:
    if outcome.status != "complete":
        assert isinstance(outcome.error, StorageError)
        assert "full" in outcome.reason or "No space left" in outcome.reason
    assert outcome.unsafe == ()
    # I1: the shutter was closed before the room for the end was given back.
    assert not bench.shutter.position
    assert bench.diary.index("shutter.close") < bench.diary.index("ballast")
    with read_journal(bench.journal) as records:
        found = list(records)
    assert records.tail.state is TailState.END
    assert found[-1].kind == RecordKind.STOP
    assert found[-1].data["status"] == outcome.status
    stored = [record.data["index"] for record in found if record.kind == RecordKind.POINT]
    assert stored == [event.index for event in bench.of("point_stored")]


def test_a_disk_without_room_for_the_end_is_refused_at_the_start(tmp_path: Path) -> None:
    with small_disk(BALLAST - 1, []), pytest.raises(StorageError, match="free disk: No space left"):
        FakeBench(tmp_path, ballast_bytes=BALLAST)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_on_the_simulated_set_up_every_invariant_holds(bench: Bench, share: float) -> None:
    request = request_of(bench, SHORT)
    whole = run_without_product(request)
    size = int(whole.journal.stat().st_size * share)
    # One page is left for the end, as the ballast leaves it.
    with small_disk(size + 64 * 2**20, []):
        live = run_live(request, lambda event, run: None)
    assert live.ended.outcome.status == "failed"
    check_invariants(live, device="journal")
    assert list(live.ended.journal.parent.glob("*.ballast")) == []


def limited(size: int) -> Any:
    """Return ``subprocess.run`` for children whose files cannot grow beyond ``size`` bytes."""
    run = subprocess.run

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    def started(*arguments: Any, **options: Any) -> Any:
        return run(*arguments, **options, preexec_fn=limit)

    return started


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are a matter of POSIX")
def test_a_product_that_does_not_fit_leaves_the_journal_and_this_process(bench: Bench) -> None:
    report = run_without_product(request_of(bench, SHORT))
    run = report.journal.parent
    before = report.journal.read_bytes()
    for size in (0, 3_000, 40_000):
        with (
            patch("labctl.storage._products.subprocess.run", limited(size)),
            pytest.raises(StorageError, match=r"the journal .* stands; try: labctl recover"),
        ):
            finalise_in_child(report.journal)
        assert list(run.glob("*.nxs")) == []
        assert report.journal.read_bytes() == before
    # With room, or on another disk.
    other = shutil.copytree(run, bench.folder / "other" / run.name)
    for folder in (run, other):
        made = recover(folder)
        assert (made.status, made.points, made.made) == ("complete", 4, True)
        assert recover(folder).made is False
        assert read_run(made.product).points.sizes["point"] == len(points_of(run))
    assert list(run.glob("*.part")) == []


def test_the_writer_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    with small_disk(10**9, []) as disk:
        with FakeBench(tmp_path).writer as writer:
            assert isinstance(writer, JournalWriter)
            writer.append(RecordKind.EVENT, {"message": "before"})
            disk.room = 5
            for _ in range(3):
                with pytest.raises(StorageError):
                    writer.append(RecordKind.EVENT, {"message": "lost"})
            disk.room = 10**6
            writer.append(RecordKind.EVENT, {"message": "after"})
    told = [record.data["message"] for record in read_journal(tmp_path / "run.lcj")]
    assert told == ["before", "after"]
