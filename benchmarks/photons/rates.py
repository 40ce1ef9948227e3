"""Millions of records or photons per second of CPU time, and their ratios, beside the targets."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks.photons.live import live
from benchmarks.photons.peers import Peer
from benchmarks.photons.streams import Case
from benchmarks.report import Figure
from labctl.photons import Decays, Decoder, PulsedG2, Stream, WindowedG2, read_ptu

__all__ = ["Rates"]

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

    def __init__(
        self, cases: dict[str, Case], folder: Path, peer: Peer | None, copied_words: int
    ) -> None:
        self.found: dict[str, list[float]] = defaultdict(list)
        self._cases, self._folder, self._peer = cases, folder, peer
        self._file = cases["A"].write(folder)
        self._pairs = {name: _g2(case) for name, case in cases.items() if name != "C"}
        self._from = np.ones(copied_words, np.uint32)
        self._to = self._from.copy()

    def round(self) -> None:
        """Measure everything once."""
        self._note("memcpy", len(self._from), lambda: np.copyto(self._to, self._from))
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
