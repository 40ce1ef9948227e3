"""The rounds: each measures every case once, so that all see the same mood of the machine."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.contest import Peer
from benchmarks.overhead import Turns, engine_alone, overhead

PAYLOADS = ("float", "spectrum")
CASES: dict[str, tuple[str, ...]] = {
    "bluesky": (
        "scan, no writer",
        "least messages, no writer",
        "scan, HDF5 flushed",
        "scan, HDF5 synced",
        "scan, lean writer synced",
        "least messages, lean writer synced",
    ),
    "qcodes": ("add_result", "add_result synced"),
    "pymeasure": ("rows", "rows synced"),
}
_POINTS = {"bluesky": 500, "qcodes": 1000, "pymeasure": 1000}
_OWN_POINTS, _ROWS = 1000, 25

Series = dict[tuple[str, str, str], list[float]]
"""Time per point, ms, of each round, by program, case and payload."""


@dataclass
class Rounds:
    """What the rounds have found.

    Attributes:
        flat: Turns of engine and bare loop by payload; ``nested`` likewise.
        alone: The engine without storage.
        times: One number per round for everything that is compared with other programs.
    """

    flat: dict[str, Turns] = field(default_factory=lambda: {p: Turns() for p in PAYLOADS})
    nested: dict[str, Turns] = field(default_factory=lambda: {p: Turns() for p in PAYLOADS})
    alone: dict[str, Turns] = field(default_factory=lambda: {p: Turns() for p in PAYLOADS})
    times: Series = field(default_factory=lambda: defaultdict(list[float]))


def rounds(peers: Sequence[Peer], folder: Path, count: int) -> Rounds:
    """Measure every case ``count`` times."""
    found = Rounds()
    for number in range(count):
        print(f"round {number + 1} of {count}", flush=True)
        for payload in PAYLOADS:
            _own(found, payload, folder, _OWN_POINTS, _ROWS)
            for peer in peers:
                for case in CASES[peer.name]:
                    answer = peer.measure(case, payload, _POINTS[peer.name])
                    found.times[peer.name, case, payload].append(answer["ms"])
    return found


def _own(found: Rounds, payload: str, folder: Path, points: int, rows: int) -> None:
    flat = overhead(payload, points, folder)
    nested = overhead(payload, points, folder, rows=rows)
    alone = engine_alone(payload, points)
    found.flat[payload].extend(flat)
    found.nested[payload].extend(nested)
    found.alone[payload].extend(alone)
    found.times["labctl", "alone", payload].append(alone.engine())
    found.times["labctl", "synced", payload].append(flat.engine())
    found.times["labctl", "nested", payload].append(nested.engine())
