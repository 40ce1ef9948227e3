"""Compiling every numba kernel with an empty cache: ``python -m benchmarks.compiling``.

Prints the seconds as JSON; the caller points ``NUMBA_CACHE_DIR`` to an empty folder.
"""

import json
from time import perf_counter

from labctl.photons import warm_up

if __name__ == "__main__":
    began_s = perf_counter()
    warm_up()
    print(json.dumps(perf_counter() - began_s))
