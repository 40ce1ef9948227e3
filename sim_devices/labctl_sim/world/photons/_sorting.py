"""Sorting of times that are almost in order."""

import numpy as np
from numpy.typing import NDArray

from labctl_sim.world.photons._jit import inlined

Times = NDArray[np.int64]


@inlined
def sort_run(keys: Times, begin: int, end: int) -> None:
    """Sort ``keys[begin:end]`` in place, fast when each stands near its place."""
    for index in range(begin + 1, end):
        key = keys[index]
        place = index
        while place > begin and keys[place - 1] > key:
            keys[place] = keys[place - 1]
            place -= 1
        keys[place] = key


@inlined
def copy_run(source: Times, begin: int, end: int, target: Times, place: int) -> None:
    """Copy ``source[begin:end]`` to ``target`` from ``place`` on; also forwards in one array.

    A loop: for the few photons of a cell, taking slices costs more than copying.
    """
    for index in range(end - begin):
        target[place + index] = source[begin + index]


@inlined
def merge(first: Times, n_first: int, second: Times, n_second: int, out: Times) -> None:
    """Merge two sorted runs into ``out``."""
    i, j = 0, 0
    for index in range(n_first + n_second):
        if j >= n_second or (i < n_first and first[i] <= second[j]):
            out[index] = first[i]
            i += 1
        else:
            out[index] = second[j]
            j += 1
