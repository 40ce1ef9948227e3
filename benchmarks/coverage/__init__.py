"""Are the errors honest? Pulls and coverage of every fitted quantity over many seeds.

``python -m benchmarks.coverage`` runs every case for seeds 0 to 99, prints one table per case,
renews the sections of these cases in ``docs/coverage.md``, and ends with status 1 if a row is
outside its bounds. ``--only NAME`` chooses cases (name or experiment id), ``--seeds N`` and
``--first SEED`` other seeds, ``--workers N`` processes; ``--list`` shows the cases. Only runs of
100 seeds are written to the document.

How to add a case
-----------------
Put a module into ``benchmarks/coverage/cases/``, one per family of experiments; nothing else has
to be edited, every module there is found. It defines ``CASES: tuple[Case, ...]``::

    from benchmarks.coverage import Case, Observation

    def _lifetimes(seed: int) -> dict[str, Observation]:
        counts, truth_ns = ...          # from the world's renderer, every random number by seed
        fit = fit_decay(counts)         # gets what a set-up would know, never the truth
        return {"tau": Observation(fit.tau_ns.value, fit.tau_ns.error, truth_ns)}

    CASES = (
        Case(
            name="trpl",                # unique, for --only and for the heading
            experiment="E02",
            quantities=("tau",),        # every key that the function returns, no more, no less
            observe=_lifetimes,
            about="What counts as true ...",    # Markdown for the document
        ),
    )

``Observation(value, error, truth)`` are three floats in one unit; `observed` makes one of a
`labctl.analysis.Measured`. A quantity that a seed could not determine gets ``error = nan``: it
counts as not covered and puts the row outside. ``about`` says what counts as true, what the
analysis was given, and what limits the result. A seed should take a few seconds at most; cases
that share an expensive rendering put it behind ``functools.lru_cache(maxsize=16)`` (all cases of
one seed run in a row, in one process). The tests run seeds 0 to 9 of each case, with the bounds
that ten seeds allow (``tests/end_to_end/test_honest_errors.py``), so that ten seeds should take
less than a minute.
"""

from benchmarks.coverage._case import Case, Observation, find_cases, observed
from benchmarks.coverage._rows import Row, rows

__all__ = ["Case", "Observation", "Row", "find_cases", "observed", "rows"]
