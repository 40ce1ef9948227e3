"""Run cases over seeds in several processes."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from benchmarks.coverage._case import Case, find_cases
from benchmarks.coverage._document import Section
from benchmarks.coverage._rows import rows

__all__ = ["run"]

Pulls = dict[str, dict[str, float]]


def run(chosen: Sequence[Case], seeds: range, workers: int) -> list[Section]:
    """Return the tables of these cases, one section each.

    Raises:
        Exception: Whatever a case raised, of the first seed that failed.
    """
    # One thread each: the matrices are small, and workers would fight for the cores.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    names = tuple(case.name for case in chosen)
    found: dict[int, Pulls] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_observe, seed, names): seed for seed in seeds}
        for done in as_completed(waiting):
            found[waiting[done]] = done.result()
            sys.stderr.write(f"\r{len(found)} of {len(seeds)} seeds")
            sys.stderr.flush()
    sys.stderr.write("\n")
    return [
        Section(case, seeds, rows([found[seed][case.name] for seed in seeds])) for case in chosen
    ]


def _observe(seed: int, names: tuple[str, ...]) -> Pulls:
    cases = find_cases()
    return {name: cases[name].pulls(seed) for name in names}
