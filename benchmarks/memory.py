"""Growth of a process that runs the engine: ``python -m benchmarks.memory PAYLOAD POINTS FOLDER``.

Prints MB per 10 000 points as JSON; null where the system does not tell its resident memory.
"""

import json
import sys
from pathlib import Path

from benchmarks.engine import session, steps
from labctl.recipes import Measure
from labctl.sequencer import execute

_STATM = Path("/proc/self/statm")
_PAGE_BYTES = 4096


def growth_mb(payload: str, points: int, folder: Path) -> float | None:
    """Return the growth per 10 000 points after as many points to warm up."""
    if not _STATM.exists():
        return None
    journal = folder / "memory.lcj"
    running = session(journal)
    # Syncs cost time and no memory.
    running.book.journal.sync = lambda: None
    seen: list[int] = []
    count = 0
    for step in steps(2 * points, payload):
        execute(running, [step])
        count += isinstance(step, Measure)
        if count in (points, 2 * points) and isinstance(step, Measure):
            seen.append(_resident_bytes())
    running.finish("complete", "", ())
    journal.unlink()
    return (seen[1] - seen[0]) / 1e6 / points * 1e4


def _resident_bytes() -> int:
    return int(_STATM.read_text("ascii").split()[1]) * _PAGE_BYTES


if __name__ == "__main__":
    print(json.dumps(growth_mb(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
