"""E14: the ON fraction of each point of a run against the time that the dot was lit."""

from collections.abc import Mapping, Sequence

import numpy as np

from labctl.analysis import FadingOnFraction, Measured, fit_fading
from labctl.errors import AnalysisError
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._stored_photons import StoredPhotons

__all__ = ["fading_results"]

_SERIES = 3
_UNITS = {
    "point": "",
    "lit_begin": "s",
    "lit_end": "s",
    "on_fraction": "",
    "on_fraction_error": "",
    "law": "",
    "chance_error": "",
}
"""``on_fraction_error`` is about the stretch itself, ``chance_error`` about the dot: by so much one
stretch differs from the law. Lit time is that in which photons were taken."""


def fading_results(
    points: Sequence[StoredPhotons], fractions: Mapping[int, Measured]
) -> list[ExperimentResult]:
    """Return ON fraction at the first light and at the end, and its change per hour of light.

    Args:
        points: Points of one run, in order.
        fractions: ON fraction by index of the point; a point may have none.
    """
    if len(points) < _SERIES:
        return []
    live_s = np.array([one.live_s for one in points])
    begin_s = np.cumsum(live_s) - live_s
    known = np.array([one.point in fractions for one in points])
    values = [fractions[one.point] for one in points if one.point in fractions]
    try:
        fit = fit_fading(begin_s[known], live_s[known], np.array([one.value for one in values]))
    except AnalysisError as error:
        fit, warnings = None, (f"ON fraction against lit time not fitted: {error}",)
    else:
        warnings = ()
    rows = zip(
        [one.point for one in points if one.point in fractions],
        begin_s[known].tolist(),
        (begin_s + live_s)[known].tolist(),
        values,
        strict=True,
    )
    table = ResultTable(
        "on_fraction_against_lit_time",
        _UNITS,
        tuple(
            (point, begin, end, one.value, one.error, *_of_law(fit, place))
            for place, (point, begin, end, one) in enumerate(rows)
        ),
    )
    return [
        ExperimentResult("E14", name, one.value, one.error, unit, None, (table,), warnings)
        for name, one, unit in _quantities(fit)
    ]


def _of_law(fit: FadingOnFraction | None, place: int) -> tuple[Cell, Cell]:
    return (None, None) if fit is None else (float(fit.law[place]), float(fit.errors[place]))


def _quantities(fit: FadingOnFraction | None) -> list[tuple[str, Measured, str]]:
    nothing = Measured(float("nan"), float("nan"))
    if fit is None:
        return [("on_fraction_change", nothing, "1/h")]
    return [
        ("on_fraction_start", fit.start, ""),
        ("on_fraction_end", fit.end, ""),
        ("on_fraction_change", fit.change_per_hour, "1/h"),
    ]
