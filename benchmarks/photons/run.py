"""Measures in rounds, each case once per round, by CPU time; medians count.

The machine may be busy: every figure is a ratio to something measured in the same round, or a
rate per second of CPU time.
"""

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks import simulated_photons
from benchmarks.photons import change_points, decay_fit
from benchmarks.photons.live import Live, live
from benchmarks.photons.page import PAGE
from benchmarks.photons.peers import ROOT, Peer, peers_python
from benchmarks.photons.rates import Rates
from benchmarks.photons.streams import Case, t2, t3
from benchmarks.report import Figure, as_json, document, machine, own_versions, text_table
from labctl.photons import warm_up

BUILD = ROOT / "build" / "bench"
_WORDS = 1 << 25
"""Of memcpy: 128 MiB."""


def figures(peer: Peer | None, rounds: int, scale: float = 1.0) -> list[Figure]:
    """Return every figure; ``scale`` shortens the streams."""
    warm_up()
    with tempfile.TemporaryDirectory() as name:
        found = _streams(peer, Path(name), rounds, scale)
    print("fits, change points, simulated modules", flush=True)
    found += decay_fit.figures(rounds)
    found += change_points.figures(rounds, scale)
    return found + simulated_photons.figures(scale)


def _streams(peer: Peer | None, folder: Path, rounds: int, scale: float) -> list[Figure]:
    cases = _cases(scale)
    rates = Rates(cases, folder, peer, round(_WORDS * scale))
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        rates.round()
    for name, values in sorted(rates.found.items()):
        print(f"  {name:16} {median(values):8.1f} M/s, best {max(values):8.1f}")
    return rates.figures() + _live_figures(cases["D"], folder)


def _cases(scale: float) -> dict[str, Case]:
    many, few = round(1e7 * scale), round(5e6 * scale)
    return {
        "A": t3("A", 2e5, 1e7, many, blinks=True),
        "B": t3("B", 5e6, 8e7, few),
        "C": t3("C", 1e5, 8e7, few),
        "D": t3("D", 4e7, 8e7, many),
        "T2": t2("T2", 2e5, few),
        "T2 dense": t2("T2 dense", 5e6, few),
    }


def _live_figures(case: Case, folder: Path) -> list[Figure]:
    found: Live = live(case, folder, rate_hz=40e6)
    lost = len(case.records) - found.written
    return [
        Figure("live D at 40 Mcps: raw records lost", lost, "", "<= 0"),
        Figure("live D at 40 Mcps: fullest FIFO", found.fullest, "of 2 M records", "<= 1"),
        Figure("live D at 40 Mcps: share of the photons in g2", found.share, ""),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; return 1 if a target is missed."""
    options = _options(arguments)
    about, versions = machine(), own_versions()
    with ExitStack() as stack:
        peer = stack.enter_context(Peer(options.peers)) if options.peers else None
        if peer:
            versions |= peer.versions
        found = figures(peer, options.rounds, options.scale)
    print(text_table(found))
    if options.document is not None:
        options.document.write_text(document(found, about, versions, PAGE), "utf-8")
        BUILD.mkdir(parents=True, exist_ok=True)
        (BUILD / "photons.json").write_text(as_json(found, about, versions), "utf-8")
    words = [figure.verdict for figure in found if figure.target]
    print(", ".join(f"{words.count(word)} {word}" for word in ("met", "MISSED", "not measured")))
    return 1 if "MISSED" in words else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how fast photons are processed.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of which the medians count")
    parser.add_argument("--scale", type=float, default=1.0, help="length of the streams")
    parser.add_argument("--peers", type=Path, default=peers_python(), help="their Python")
    parser.add_argument("--document", type=Path, help="page to write, with a JSON file in build")
    return parser.parse_args(arguments)
