"""Engine and journal against a bare loop, in turns of a few hundred points.

The bare loop moves the same fake stage, reads the same fake detector, and writes the very bytes
that the engine has just written to a file of its own, with one sync per point as the engine does.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from struct import Struct
from time import perf_counter, thread_time

from benchmarks.engine import session, steps
from benchmarks.fakes import Detector, Stage
from labctl.recipes import Measure, Step
from labctl.sequencer import execute

_LENGTHS = Struct("<II")
_PREFIX_BYTES = 16
_BINARY = getattr(os, "O_BINARY", 0)


@dataclass
class Turns:
    """Times of each turn, ms per point."""

    engine_ms: list[float] = field(default_factory=list[float])
    bare_ms: list[float] = field(default_factory=list[float])
    engine_cpu_ms: list[float] = field(default_factory=list[float])
    bare_cpu_ms: list[float] = field(default_factory=list[float])

    def overhead_ms(self) -> list[float]:
        """Return what the engine needed more than the bare loop beside it."""
        return [a - b for a, b in zip(self.engine_ms, self.bare_ms, strict=True)]

    def extend(self, other: "Turns") -> None:
        """Take the turns of another round along."""
        for name, values in vars(self).items():
            values.extend(getattr(other, name))

    def engine(self) -> float:
        """Return the median of the engine, ms per point."""
        return median(self.engine_ms)

    def bare(self) -> float:
        """Return the median of the bare loop, ms per point."""
        return median(self.bare_ms)

    def overhead(self) -> float:
        """Return the median of the differences, ms per point."""
        return median(self.overhead_ms())

    def cpu_overhead(self) -> float:
        """Return the median of the differences in CPU time of the thread, ms per point."""
        pairs = zip(self.engine_cpu_ms, self.bare_cpu_ms, strict=True)
        return median(a - b for a, b in pairs)

    def drift(self) -> float:
        """Return the overhead in the last tenth of the turns over that in the first."""
        found = self.overhead_ms()
        tenth = max(len(found) // 10, 1)
        return median(found[-tenth:]) / median(found[:tenth])


def overhead(
    payload: str,
    points: int,
    folder: Path,
    *,
    rows: int = 1,
    turn: int = 200,
    synced: bool = True,
) -> Turns:
    """Return the times of one run of the engine, with the bare loop taking turns.

    Without ``synced`` neither waits for the disk, which shows the engine alone.
    """
    journal = folder / "engine.lcj"
    running = session(journal)
    bare = _Bare(folder / "bare", payload, synced=synced)
    if not synced:
        running.book.journal.sync = lambda: None
    turns = Turns()
    try:
        stream = steps(points, payload, rows=rows)
        execute(running, _in_turns(stream, turn, journal, bare, turns))
    finally:
        running.finish("complete", "", ())
        bare.close()
        journal.unlink()
        bare.path.unlink()
    return turns


def engine_alone(payload: str, points: int, *, rows: int = 1, turn: int = 200) -> Turns:
    """Return the times of the engine without any storage; the bare loop writes nothing."""
    running = session(None)
    turns = Turns()
    execute(running, _in_turns(steps(points, payload, rows=rows), turn, None, None, turns))
    running.finish("complete", "", ())
    return turns


class _Bare:
    def __init__(self, path: Path, payload: str, *, synced: bool) -> None:
        self.path, self._synced = path, synced
        self._stage, self._detector = Stage(), Detector()
        name = "read_float" if payload == "float" else "read_spectrum"
        self._read = getattr(self._detector, name)
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL | _BINARY)

    def write(self, records: list[bytes]) -> None:
        for index, record in enumerate(records):
            self._stage.start_x(float(index))
            self._stage.read_x()
            self._detector.trigger()
            self._read()
            os.write(self._file, record)
            if self._synced:
                os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def _in_turns(
    stream: Iterator[Step], turn: int, journal: Path | None, bare: _Bare | None, turns: Turns
) -> Iterator[Step]:
    # The engine pulls its steps from here: what is done between two pulls is not the engine's.
    measured, offset = 0, journal.stat().st_size if journal else 0
    began_s, began_cpu_s = perf_counter(), thread_time()
    for step in stream:
        if measured == turn:
            wall_s, cpu_s = perf_counter() - began_s, thread_time() - began_cpu_s
            turns.engine_ms.append(wall_s / turn * 1e3)
            turns.engine_cpu_ms.append(cpu_s / turn * 1e3)
            if journal is not None and bare is not None:
                records, offset = _records(journal, offset)
                _time_bare(bare, records, turns)
            measured = 0
            began_s, began_cpu_s = perf_counter(), thread_time()
        measured += isinstance(step, Measure)
        yield step


def _time_bare(bare: _Bare, records: list[bytes], turns: Turns) -> None:
    began_s, began_cpu_s = perf_counter(), thread_time()
    bare.write(records)
    turns.bare_ms.append((perf_counter() - began_s) / len(records) * 1e3)
    turns.bare_cpu_ms.append((thread_time() - began_cpu_s) / len(records) * 1e3)


def _records(journal: Path, offset: int) -> tuple[list[bytes], int]:
    """Return the records that were written since ``offset``, and the new end."""
    with journal.open("rb") as file:
        file.seek(offset)
        content = file.read()
    found: list[bytes] = []
    at = 0
    while at < len(content):
        header, body = _LENGTHS.unpack_from(content, at)
        end = at + _PREFIX_BYTES + header + body
        found.append(content[at:end])
        at = end
    return found, offset + len(content)
