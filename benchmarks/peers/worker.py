"""Measures one other program, in the environment of the peers: JSON lines in, JSON lines out.

Called as ``worker.py PROGRAM``. Asked {"case", "payload", "points", "folder"}, it answers
{"ms": wall time per point, "cpu_ms": CPU time per point}. Nothing of labctl is imported.
"""

import contextlib
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

Case = Callable[[str, int, Path], Callable[[], None]]
"""Prepares for payload, points and folder; what it returns is timed."""


def main() -> None:
    # The programs print what they like; answers go to the stream that was there before.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path.insert(0, str(Path(__file__).parent))
    program = importlib.import_module(f"{sys.argv[1]}_cases")
    cases: dict[str, Case] = program.CASES
    print(json.dumps({"versions": program.versions()}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(_measured(cases, json.loads(line))), file=answers, flush=True)


def _measured(cases: dict[str, Case], asked: dict[str, Any]) -> dict[str, float]:
    points = asked["points"]
    with tempfile.TemporaryDirectory(dir=asked["folder"]) as folder, contextlib.ExitStack():
        run = cases[asked["case"]](asked["payload"], points, Path(folder))
        began_s, cpu_s = perf_counter(), process_time()
        run()
        wall_s, cpu_s = perf_counter() - began_s, process_time() - cpu_s
    return {"ms": wall_s / points * 1e3, "cpu_ms": cpu_s / points * 1e3}


if __name__ == "__main__":
    main()
