"""E10, E11, E12, E16, E19 and the bunching of E20: what pairs of photons tell."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from labctl.analysis import Measured
from labctl.results._bunching_results import bunching_results
from labctl.results._heralded_results import heralded_results
from labctl.results._interference_results import interference_results
from labctl.results._pair_points import PairPoint, pair_points
from labctl.results._photon_numbers import photon_number_results
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._rows import StoredRun, experiment_of, optional
from labctl.results._saturation_results import is_series, saturation_results
from labctl.results._steady_results import steady_results
from labctl.results._stored_photons import StoredPhotons, photon_points

__all__ = ["analyze_pairs", "pair_results"]

_NOTHING = Measured(math.nan, math.nan)
_OF_A_POINT = ("E13", "E18", "E20")
"""Experiments of which g2(0) of each point is a part."""

PAIR_UNITS = {
    "point": "",
    "label": "",
    "fluence": "uJ/cm^2",
    "wavelength": "nm",
    "g2_zero": "",
    "g2_zero_error": "",
    "upper_limit_95": "",
    "purity": "",
    "g2_raw": "",
    "g2_raw_error": "",
    "bunching": "",
    "bunching_error": "",
    "zero_pairs": "counts",
    "side_pairs": "counts",
    "background_pairs": "counts",
    "rate_a": "Hz",
    "rate_b": "Hz",
    "flags": "",
}
"""Columns of the table of pairs and their units."""


def analyze_pairs(run: StoredRun) -> list[ExperimentResult]:
    """Return what the pairs of photons of a run determine; nothing if it has none.

    Every point of ``g2`` gives g2(0). The recipe's ``experiment`` says as what: E20 for bunched
    light, then with the bunching time, E10 otherwise. At three fluences or more they are a series
    (E12), and points of ``photons`` on two detectors are evaluated for pairs after one pulse in an
    E16. Points of ``g2`` in mode T2 are steady light.

    Args:
        run: As returned by `labctl.storage.read_run`.
    """
    experiment = experiment_of(run)
    found = photon_number_results(run)
    points = pair_points(_stored(run, experiment))
    found += pair_results(points, experiment, _full_fluence_uj_cm2(run))
    if experiment == "E20":
        tables = (pair_table(points),)
        found += [result for one in points for result in bunching_results(one, tables)]
    return [*found, *steady_results(_two_sided(run, ("g2",), "t2"))]


def pair_results(
    points: Sequence[PairPoint], experiment: str, full_fluence_uj_cm2: float | None = None
) -> list[ExperimentResult]:
    """Return what evaluated points determine, see `analyze_pairs`.

    Args:
        points: Of one run.
        experiment: Id that the recipe gives; empty: none.
        full_fluence_uj_cm2: Peak fluence without attenuation; None: not known.
    """
    if not points:
        return []
    series = [one for one in points if one.source.measurement == "g2"]
    tables = (pair_table(points),)
    if experiment == "E16":
        return heralded_results(points, tables, full_fluence_uj_cm2)
    if experiment == "E19":
        return interference_results(series, tables)
    name = experiment if experiment in _OF_A_POINT else "E10"
    found = saturation_results(series, tables, full_fluence_uj_cm2) if is_series(series) else []
    return [*found, *_zeros(series, name, tables)]


def _full_fluence_uj_cm2(run: StoredRun) -> float | None:
    """Return the peak fluence with the attenuator open, as it said when the run began."""
    snapshots: Mapping[str, Mapping[str, Any]] = run.start.get("snapshot") or {}
    known = [optional(found.get("full_fluence_uj_cm2")) for found in snapshots.values()]
    return max((value for value in known if value is not None), default=None)


def _stored(run: StoredRun, experiment: str) -> list[StoredPhotons]:
    """Return the points with two detectors at least, of T3."""
    return _two_sided(run, ("g2", "photons") if experiment == "E16" else ("g2",), "t3")


def _two_sided(run: StoredRun, kinds: Sequence[str], mode: str) -> list[StoredPhotons]:
    return [
        stored
        for stored in photon_points(run, *kinds)
        if len(stored.detectors) >= 2 and stored.values.get("tagger.mode", "t3") == mode
    ]


def _zeros(
    points: Sequence[PairPoint], experiment: str, tables: tuple[ResultTable, ...]
) -> list[ExperimentResult]:
    found: list[ExperimentResult] = []
    for one in points:
        g2 = one.g2
        values = (_NOTHING, _NOTHING) if g2 is None else (g2.g2_zero, g2.purity)
        for quantity, value in zip(("g2_zero", "purity"), values, strict=True):
            found.append(
                ExperimentResult(
                    experiment,
                    quantity,
                    value.value,
                    value.error,
                    "",
                    one.source.point,
                    tables,
                    one.warnings,
                )
            )
    return found


def pair_table(points: Sequence[PairPoint]) -> ResultTable:
    """Return one row per point; None where there is no value."""
    return ResultTable("pairs", PAIR_UNITS, tuple(_row(one) for one in points))


def _row(one: PairPoint) -> tuple[Cell, ...]:
    source, g2 = one.source, one.g2
    head: tuple[Cell, ...] = (
        source.point,
        source.label,
        source.fluence_uj_cm2,
        source.wavelength_nm,
    )
    rates = tuple(source.rate_hz(name) for name in source.detectors[:2])
    if g2 is None:
        return (*head, *(None,) * 11, *rates, "; ".join(one.warnings))
    return (
        *head,
        g2.g2_zero.value,
        g2.g2_zero.error,
        g2.upper_limit,
        g2.purity.value,
        g2.g2_raw.value,
        g2.g2_raw.error,
        g2.bunching.value,
        g2.bunching.error,
        g2.zero_counts,
        g2.side_counts,
        g2.background_counts,
        *rates,
        "; ".join(g2.flags),
    )
