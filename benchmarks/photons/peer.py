"""The same work by other programs, in their environment: JSON lines in, JSON lines out.

Asked {"case", "path"}, it answers {"s": CPU time}. Nothing of labctl is imported.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from time import process_time
from typing import Any

import numpy as np

Work = Callable[[], object]


def ptufile_decode(path: str) -> Work:
    module = import_module("ptufile")

    def work() -> object:
        with module.PtuFile(path) as file:
            return file.decode_records()

    return work


def tttrlib_decay(path: str) -> Work:
    module = import_module("tttrlib")

    def work() -> object:
        data = module.TTTR(path, "PTU")
        return [data.get_tttr_by_channel([c]).get_microtime_histogram(1) for c in (0, 1)]

    return work


def laurence(path: str) -> Work:
    """The algorithm of pycorrelate 0.3 (Laurence 2006) with 1000 bins of whole periods.

    For each photon every bin moves two pointers along the photons of the other side.
    """
    with import_module("ptufile").PtuFile(path) as file:
        records = file.decode_records()
    records = records[records["channel"] >= 0][: PHOTONS["laurence"]]
    times = [records["time"][records["channel"] == c].astype(np.int64) for c in (0, 1)]
    edges = np.linspace(-10.5, 10.5, 1001)
    _correlate(times[0][:9], times[1][:9], edges)
    return lambda: _correlate(*times, edges)


def _correlation(first: Any, second: Any, edges: Any) -> Any:
    bins = len(edges) - 1
    counts = np.zeros(bins, np.int64)
    low, high = np.zeros(bins, np.int64), np.zeros(bins, np.int64)
    for time in first:
        for k in range(bins):
            while low[k] < len(second) and second[low[k]] - time < edges[k]:
                low[k] += 1
            high[k] = max(high[k], low[k])
            while high[k] < len(second) and second[high[k]] - time < edges[k + 1]:
                high[k] += 1
            counts[k] += high[k] - low[k]
    return counts


_correlate: Any = import_module("numba").njit(_correlation)
PHOTONS = {"laurence": 100_000}
CASES = {"ptufile_decode": ptufile_decode, "tttrlib_decay": tttrlib_decay, "laurence": laurence}


def main() -> None:
    versions = {name: version(name) for name in ("ptufile", "tttrlib", "numba")}
    print(json.dumps(versions), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        work = CASES[asked["case"]](asked["path"])
        began_s = process_time()
        work()
        print(json.dumps({"s": process_time() - began_s}), flush=True)


if __name__ == "__main__":
    main()
