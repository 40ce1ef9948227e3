"""Compiling every numba kernel with an empty cache: ``python -m benchmarks.compiling``.

Prints the seconds as JSON, null if there is nothing to compile; the caller points
``NUMBA_CACHE_DIR`` to an empty folder.
"""

import json
from collections.abc import Callable
from time import perf_counter

import labctl.photons


def cold_s() -> float | None:
    """Return how long it takes to make every kernel ready, s."""
    warm_up: Callable[[], None] | None = getattr(labctl.photons, "warm_up", None)
    if warm_up is None:
        return None
    began_s = perf_counter()
    warm_up()
    return perf_counter() - began_s


if __name__ == "__main__":
    print(json.dumps(cold_s()))
