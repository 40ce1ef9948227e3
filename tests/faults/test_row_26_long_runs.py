"""Row 26: a day of lab time and very many points cost neither memory nor handles."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_lab import Bench, Look
from labctl.recipes import Measure, Step, Wait
from labctl.sequencer import Announcer, ending, execute
from labctl.storage import RecordKind, TailState, read_journal

DAY_S = 24 * 3600.0
MB = 2**20


def resident_bytes() -> int:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.timeout(7200)
def test_memory_and_handles_do_not_grow(tmp_path: Path, torture: bool) -> None:
    total = 100_000 if torture else 10_000
    lasting_s = max(DAY_S, 1.5 * total)  # a point takes a second
    pause_s = lasting_s / total
    bench = Bench(tmp_path)
    seen: list[tuple[int, int, int]] = []

    def look(number: int) -> None:
        gc.collect()
        seen.append((number, resident_bytes(), handles()))

    def stream() -> Iterator[Step]:
        for number in range(total):
            if number % (total // 10) == 0:
                look(number)
            yield Wait(2 * number, f"w/{number}", (0, number, 0), (), "abort", pause_s - 1.0)
            yield Measure(2 * number + 1, f"m/{number}", (0, number, 1), (), "abort", Look())

    # The bench keeps every event, which a run does not.
    bench.book.announcer = Announcer("r1", bench.clock)
    with ending(bench.start({"cryostat.temperature": 5.0})) as outcome:
        execute(bench.session, stream())
        look(total)
    assert outcome.status == "complete"
    assert bench.clock.now() == pytest.approx(lasting_s)
    stored = 0
    with read_journal(bench.journal) as records:
        for record in records:
            stored += record.kind == RecordKind.POINT
    assert (stored, records.tail.state) == (total, TailState.END)
    # After the first tenth, in which caches fill.
    _, first_bytes, first_handles = seen[1]
    number, last_bytes, last_handles = seen[-1]
    per_ten_thousand = (last_bytes - first_bytes) / (number - seen[1][0]) * 10_000
    print(f"{per_ten_thousand / MB:.3f} MB per 10 000 points")
    assert per_ten_thousand < MB
    assert last_handles == first_handles
