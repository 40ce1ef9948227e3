"""All benchmarks: ``python benchmarks/run.py``; exit status 1 if a target is missed."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contest import ROOT, Peer, install
from benchmarks.figures import contest_figures, lone_figures, overhead_figures
from benchmarks.measure import Rounds, rounds
from benchmarks.report import as_json, document, machine, own_versions, text_table

BUILD = ROOT / "build" / "bench"


@dataclass(frozen=True)
class Options:
    """How much is measured."""

    rounds: int
    points: int
    document: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; return the exit status."""
    options = _options(arguments)
    about = machine()
    install()
    # On the disk on which the project lies: in memory a sync costs nothing.
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as name, ExitStack() as stack:
        folder = Path(name)
        peers = [
            stack.enter_context(Peer(peer, folder)) for peer in ("bluesky", "qcodes", "pymeasure")
        ]
        versions = own_versions()
        for peer in peers:
            versions |= peer.versions
        found: Rounds = rounds(peers, folder, options.rounds)
        figures = overhead_figures(found, folder, options.points)
        figures += contest_figures(found)
        figures += lone_figures(folder, options.rounds)
    print(text_table(figures))
    (BUILD / "results.json").write_text(as_json(figures, about, versions), "utf-8")
    options.document.write_text(document(figures, about, versions), "utf-8")
    missed = [figure.name for figure in figures if not figure.met]
    print(f"{len(missed)} targets missed" if missed else "all targets met")
    return 1 if missed else 0


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(description="Measure what the engine costs.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of which the medians count")
    parser.add_argument("--points", type=int, default=100_000, help="points of the long runs")
    parser.add_argument(
        "--document", type=Path, default=ROOT / "docs" / "benchmarks.md", help="page to write"
    )
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
