"""Measures in rounds, each case once per round, by CPU time; medians count.

The machine may be busy: every figure is a ratio to something measured in the same round, or a
rate per second of CPU time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.photons.live import Live, live
from benchmarks.photons.streams import Case, t2, t3
from benchmarks.report import Figure, text_table
from labctl.photons import Decays, Decoder, PulsedG2, Stream, WindowedG2, read_ptu, warm_up

ROOT = Path(__file__).parents[2]
_WORDS = 1 << 25
"""Of memcpy: 128 MiB."""

Work = Callable[[Stream, Iterable[NDArray[np.uint32]]], None]

_TARGETS = {
    "decode A / memcpy": ("A decode", "memcpy", "x", ">= 0.10"),
    "decode C / memcpy": ("C decode", "memcpy", "x", ">= 0.06"),
    "decode A / ptufile, from a file": ("A file decode", "ptufile_decode", "x", ">= 1.3"),
    "decode T2 / memcpy": ("T2 decode", "memcpy", "x", ""),
    "decay histogram A / memcpy": ("A decay", "memcpy", "x", ">= 0.25"),
    "decay histogram C / memcpy": ("C decay", "memcpy", "x", ""),
    "decay histogram A / tttrlib, from a file": (
        "A file decay",
        "tttrlib_decay",
        "x",
        ">= 60",
    ),
    "pulsed g2 A, ±10 periods": ("A g2", "", "Mphotons/s", ">= 100"),
    "pulsed g2 A / pycorrelate's algorithm, 1000 bins": ("A g2", "laurence", "x", ">= 200"),
    "pulsed g2 B, ±10 periods": ("B g2", "", "Mphotons/s", ""),
    "pulsed g2 D, ±10 periods": ("D g2", "", "Mphotons/s", ""),
    "windowed g2, ±1 µs at 16 ps, 0.2 Mcps": ("T2 g2", "", "Mphotons/s", ">= 150"),
    "windowed g2, ±1 µs at 16 ps, 5 Mcps": ("T2 dense g2", "", "Mphotons/s", ">= 30"),
    "live A: decode, decay, trace, g2, raw write": ("A live", "", "Mrecords/s", ">= 80"),
    "live B: the same": ("B live", "", "Mrecords/s", ""),
}


class Peer:
    """The other programs in a process of their own."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [str(python), str(Path(__file__).with_name("peer.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def seconds(self, case: str, path: Path) -> float:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps({"case": case, "path": str(path)}) + "\n")
            self._process.stdin.flush()
        return float(self._answer()["s"])

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("the other programs have failed, see above")
        return json.loads(line)


def _seconds(work: Callable[[], object]) -> float:
    began_s = process_time()
    work()
    return process_time() - began_s


def _decode(stream: Stream, blocks: Iterable[NDArray[np.uint32]]) -> None:
    decoder = Decoder(stream)
    for block in blocks:
        decoder.feed(block)


def _decay(stream: Stream, blocks: Iterable[NDArray[np.uint32]]) -> None:
    decays = Decays(stream)
    for block in blocks:
        decays.feed_records(block)
    decays.result()


def _g2(case: Case) -> Callable[[], None]:
    decoded = case.decoded()

    def work() -> None:
        one = PulsedG2() if case.stream.mode == 3 else WindowedG2(bin_ticks=16, half_bins=62_500)
        for block in decoded:
            one.feed(block)

    return work


class Rates:
    """Millions per second of each piece of work, one number for each round."""

    def __init__(self, cases: dict[str, Case], folder: Path, peer: Peer | None) -> None:
        self.found: dict[str, list[float]] = defaultdict(list)
        self._cases, self._folder, self._peer = cases, folder, peer
        self._file = cases["A"].write(folder)
        self._pairs = {name: _g2(case) for name, case in cases.items() if name != "C"}
        self._from = np.ones(_WORDS, np.uint32)
        self._to = self._from.copy()

    def round(self) -> None:
        """Measure everything once."""
        self._note("memcpy", _WORDS, lambda: np.copyto(self._to, self._from))
        for name in ("A", "C", "T2"):
            case = self._cases[name]
            self._blocks(f"{name} decode", case, _decode)
        for name in ("A", "C"):
            case = self._cases[name]
            self._blocks(f"{name} decay", case, _decay)
        for name, work in self._pairs.items():
            self._note(f"{name} g2", self._cases[name].photons, work)
        for name in ("A", "B"):
            case = self._cases[name]
            rate = len(case.records) / live(case, self._folder).cpu_s / 1e6
            self.found[f"{name} live"].append(rate)
        records = len(self._cases["A"].records)
        self._note("A file decode", records, lambda: self._from_file(_decode))
        self._note("A file decay", records, lambda: self._from_file(_decay))
        if self._peer:
            for name in ("ptufile_decode", "tttrlib_decay"):
                self._add(name, records, self._peer.seconds(name, self._file))
            self._add("laurence", 100_000, self._peer.seconds("laurence", self._file))

    def _blocks(self, name: str, case: Case, work: Work) -> None:
        blocks = case.blocks()
        self._note(name, len(case.records), lambda: work(case.stream, blocks))

    def _from_file(self, work: Work) -> None:
        file = read_ptu(self._file)
        work(file.stream, file.blocks())

    def _note(self, name: str, count: int, work: Callable[[], object]) -> None:
        self._add(name, count, _seconds(work))

    def _add(self, name: str, count: int, seconds: float) -> None:
        self.found[name].append(count / seconds / 1e6)

    def figures(self) -> list[Figure]:
        """Return medians over the rounds beside their targets."""
        return [self._figure(name, *rest) for name, rest in _TARGETS.items()]

    def _figure(self, name: str, own: str, other: str, unit: str, target: str) -> Figure:
        if other and other not in self.found:
            return Figure(name, None, unit, target)
        rates = self.found[own]
        others = self.found[other] if other else [1.0] * len(rates)
        ratios = [a / b for a, b in zip(rates, others, strict=True)]
        return Figure(name, median(ratios), unit, target)


def _live_figures(case: Case, folder: Path) -> list[Figure]:
    found: Live = live(case, folder, rate_hz=40e6)
    lost = len(case.records) - found.written
    return [
        Figure("live D at 40 Mcps: raw records lost", lost, "", "<= 0"),
        Figure("live D at 40 Mcps: fullest FIFO", found.fullest, "of 2 M records", "<= 1"),
        Figure("live D at 40 Mcps: share of the photons in g2", found.share, ""),
    ]


def figures(python: Path | None, rounds: int, scale: float = 1.0) -> list[Figure]:
    """Return every figure; ``scale`` shortens the streams."""
    warm_up()
    many, few = round(1e7 * scale), round(5e6 * scale)
    cases = {
        "A": t3("A", 2e5, 1e7, many, blinks=True),
        "B": t3("B", 5e6, 8e7, few),
        "C": t3("C", 1e5, 8e7, few),
        "D": t3("D", 4e7, 8e7, many),
        "T2": t2("T2", 2e5, few),
        "T2 dense": t2("T2 dense", 5e6, few),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if python is None:
            return _measured(cases, folder, None, rounds)
        with Peer(python) as peer:
            print("beside", ", ".join(f"{k} {v}" for k, v in peer.versions.items()))
            return _measured(cases, folder, peer, rounds)


def _measured(cases: dict[str, Case], folder: Path, peer: Peer | None, rounds: int) -> list[Figure]:
    rates = Rates(cases, folder, peer)
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        rates.round()
    for name, values in sorted(rates.found.items()):
        print(f"  {name:16} {median(values):8.1f} M/s, best {max(values):8.1f}")
    return rates.figures() + _live_figures(cases["D"], folder)


def _peers_python() -> Path | None:
    inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    found = Path(os.environ.get("LABCTL_CLIENTS_PYTHON", ROOT / ".venv-clients" / inside))
    return found if found.exists() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description="Measure how fast photons are processed.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of which the medians count")
    parser.add_argument("--scale", type=float, default=1.0, help="length of the streams")
    parser.add_argument("--peers", type=Path, default=_peers_python(), help="their Python")
    options = parser.parse_args(arguments)
    found = figures(options.peers, options.rounds, options.scale)
    print(text_table(found))
    return int(any(not figure.met for figure in found))
