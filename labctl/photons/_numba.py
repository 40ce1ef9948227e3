"""The kernels of this package, and the machine numbers in them."""

from typing import Any

import numpy as np

from labctl.kernels import Array, Kernels, fixed

__all__ = ["Array", "fixed", "int64", "kernel", "uint8", "uint16", "uint32", "uint64"]
__all__ += ["uintp", "warm_up"]

# Inside a kernel numbers are machine numbers, for which numpy's annotations do not hold.
int64: Any = np.int64
uint8: Any = np.uint8
uint16: Any = np.uint16
uint32: Any = np.uint32
uint64: Any = np.uint64
uintp: Any = np.uintp

_kernels = Kernels(
    {
        # Read-only, so that records of a mapped file or of a received message need no copy.
        "RECORDS": "Array(uint32, 1, 'C', readonly=True)",
        "TIMES": "Array(int64, 1, 'C', readonly=True)",
        "CHANNELS": "Array(uint8, 1, 'C', readonly=True)",
        "DELAYS": "Array(uint16, 1, 'C', readonly=True)",
        "SIDES": "Array(int8, 1, 'C', readonly=True)",
    }
)
kernel = _kernels.kernel


def warm_up() -> None:
    """Compile every kernel of ``labctl.photons``, or load it from the cache.

    To be called when an acquisition is armed: some ten seconds on a new machine, one second once
    the cache exists.
    """
    _kernels.warm_up()
