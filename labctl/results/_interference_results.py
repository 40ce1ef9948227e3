"""E19: visibility of two-photon interference, raw and corrected, from a scan of the delay."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labctl.analysis import (
    ArmRates,
    Dip,
    Measured,
    Splitters,
    fit_dip,
    indistinguishability,
    splitters,
)
from labctl.errors import AnalysisError
from labctl.results._pair_points import PairPoint
from labctl.results._result import ExperimentResult, ResultTable
from labctl.results._warnings import summarized

__all__ = ["interference_results"]

_DELAY = ".delay:read"
_TABLE = {
    "delay": "ps",
    "parallel": "",
    "parallel_error": "",
    "crossed": "",
    "crossed_error": "",
    "visibility": "",
    "visibility_error": "",
}


@dataclass(frozen=True)
class _Pair:
    """Both polarizations at one delay."""

    delay_ps: float
    parallel: Measured
    crossed: Measured


def interference_results(
    points: Sequence[PairPoint], tables: tuple[ResultTable, ...]
) -> list[ExperimentResult]:
    """Return what points of ``g2`` behind an interferometer determine.

    The positions of the light path say what a point is: ``co`` or ``cross`` polarizations of both
    arms, or ``short`` or ``long`` for a single arm, which give g2(0) of the source and the
    splitters. Coincidences of one slot count against those of peaks that are farther than one
    period, as one photon never comes by both arms.
    """
    pairs = _paired(points)
    warnings = list(summarized(text for one in points for text in one.warnings))
    if not pairs:
        return []
    table = ResultTable("interference", _TABLE, tuple(_row(one) for one in pairs))
    try:
        dip = _fitted(pairs)
    except AnalysisError as error:
        text = f"no dip fitted: {error}"
        nothing = Measured(float("nan"), float("nan"))
        return [_result("visibility_raw", nothing, "", (table, *tables), (*warnings, text))]
    found = [
        ("visibility_raw", dip.visibility, ""),
        ("decay_time", dip.decay_ps, "ps"),
        ("delay_zero", dip.zero_ps, "ps"),
        ("crossed_coincidences", dip.crossed, ""),
    ]
    try:
        device, g2_zero = _source(points)
        found += [
            ("visibility_corrected", indistinguishability(dip.visibility, g2_zero, device), ""),
            ("g2_zero", g2_zero, ""),
            ("splitter_transmission", device.transmitted, ""),
            ("arms_ratio", device.arms_ratio, ""),
        ]
    except AnalysisError as error:
        warnings.append(f"visibility not corrected: {error}")
    texts = tuple(warnings)
    return [_result(name, value, unit, (table, *tables), texts) for name, value, unit in found]


def _paired(points: Sequence[PairPoint]) -> list[_Pair]:
    """Join the polarizations of each delay, weighted means of those that were taken again."""
    by_delay: dict[float, dict[str, list[Measured]]] = {}
    for one in points:
        delays = [v for k, v in one.source.values.items() if k.endswith(_DELAY)]
        words = _positions(one)
        if one.g2 is None or not delays or not words & {"co", "cross"} or _single_arm(words):
            continue
        kind = "co" if "co" in words else "cross"
        kinds = by_delay.setdefault(round(float(delays[0]), 1), {})
        kinds.setdefault(kind, []).append(one.g2.g2_zero)
    return [
        _Pair(delay_ps, _mean(kinds["co"]), _mean(kinds["cross"]))
        for delay_ps, kinds in sorted(by_delay.items())
        if kinds.keys() == {"co", "cross"}
    ]


def _source(points: Sequence[PairPoint]) -> tuple[Splitters, Measured]:
    """Return the splitters, and g2(0) of the source, from the points with one arm.

    Raises:
        AnalysisError: There is not one point at least for each arm.
    """
    rates: dict[str, ArmRates] = {}
    zeros: list[Measured] = []
    for one in points:
        arm = _single_arm(_positions(one))
        if arm and one.g2 is not None:
            rates[arm] = _rates(one)
            zeros.append(one.g2.g2_zero)
    if rates.keys() != {"short", "long"}:
        raise AnalysisError("take a point of g2 with each arm blocked, for g2(0) and splitters")
    return splitters(rates["short"], rates["long"]), _mean(zeros)


def _rates(one: PairPoint) -> ArmRates:
    found: list[Measured] = []
    for name, dark in zip(one.source.detectors, one.dark_hz, strict=False):
        rate_hz = one.source.rate_hz(name)
        counted = float(np.sqrt(rate_hz / one.source.live_s))
        found.append(Measured(rate_hz - dark.value, float(np.hypot(counted, dark.error))))
    return ArmRates(found[0], found[1])


def _positions(one: PairPoint) -> set[str]:
    """Return where the parts of the light path stood."""
    return {str(value) for key, value in one.source.values.items() if key.startswith("path.")}


def _single_arm(words: set[str]) -> str:
    return next((arm for arm in ("short", "long") if arm in words), "")


def _fitted(pairs: Sequence[_Pair]) -> Dip:
    return fit_dip(
        np.array([one.delay_ps for one in pairs]),
        np.array([one.parallel.value for one in pairs]),
        np.array([one.parallel.error for one in pairs]),
        np.array([one.crossed.value for one in pairs]),
        np.array([one.crossed.error for one in pairs]),
    )


def _mean(values: Sequence[Measured]) -> Measured:
    weights = np.array([one.error**-2 for one in values])
    mean = float(np.average([one.value for one in values], weights=weights))
    return Measured(mean, float(weights.sum() ** -0.5))


def _row(one: _Pair) -> tuple[float, ...]:
    ratio = one.parallel.value / one.crossed.value
    relative = np.hypot(
        one.parallel.error / one.parallel.value, one.crossed.error / one.crossed.value
    )
    return (
        one.delay_ps,
        one.parallel.value,
        one.parallel.error,
        one.crossed.value,
        one.crossed.error,
        1.0 - ratio,
        float(ratio * relative),
    )


def _result(
    quantity: str,
    measured: Measured,
    unit: str,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> ExperimentResult:
    value, error = measured.value, measured.error
    return ExperimentResult("E19", quantity, value, error, unit, None, tables, warnings)
