"""Compiling every numba kernel with an empty cache: ``python -m benchmarks.compiling``.

Prints the seconds as JSON; the caller points ``NUMBA_CACHE_DIR`` to an empty folder.
"""

import json
from time import perf_counter

from labctl import analysis, photons


def cold_s() -> float:
    """Return how long it takes to make every kernel of labctl ready, s."""
    began_s = perf_counter()
    photons.warm_up()
    analysis.warm_up()
    return perf_counter() - began_s


if __name__ == "__main__":
    print(json.dumps(cold_s()))
