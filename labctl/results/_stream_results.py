"""E14 and E15: how the dot of a photon stream blinks."""

import math
from collections.abc import Iterable
from dataclasses import replace

from labctl.analysis import (
    DwellFit,
    DwellLaw,
    DwellSequence,
    IntensityLevels,
    LawFit,
    Measured,
    Switches,
    find_change_points,
    fit_dwells,
    group_levels,
    locate_switches,
    threshold_trace,
)
from labctl.errors import AnalysisError
from labctl.results._fading_results import fading_results
from labctl.results._missed_dwells import missed_error_s
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._rows import StoredRun
from labctl.results._stored_photons import StoredPhotons, photon_points
from labctl.results._stream_lifetimes import lifetime_results
from labctl.results._stream_photons import StreamPhotons, stream_photons

__all__ = ["analyze_stream", "analyze_streams"]

BLINKING, LIFETIMES = "E14", "E15"

_DECISIVE = 4.0
"""Difference of Akaike's criterion that decides between laws, as in the fit itself."""

LEVEL_UNITS = {"level": "", "rate": "Hz", "rate_error": "Hz", "share": "", "state": ""}
DWELL_UNITS = {"begin": "s", "duration": "s", "state": ""}
LAW_UNITS = {
    "state": "",
    "law": "",
    "chosen": "",
    "exponent": "",
    "exponent_error": "",
    "time": "s",
    "time_error": "s",
    "aic": "",
    "dwells": "",
    "shortest": "s",
}
TRACE_UNITS = {
    "bin": "s",
    "threshold": "counts",
    "on_counts": "counts",
    "off_counts": "counts",
    "on_fraction": "",
    "on_fraction_by_mean": "",
    "overlap": "",
    "flags": "",
}


def analyze_streams(run: StoredRun) -> list[ExperimentResult]:
    """Return how the dot blinked in each point of ``trace`` and ``photons``.

    The recipe's ``experiment`` says what is wanted: E15 adds lifetimes to what E14 gives. Points
    of ``photons`` in a recipe for another experiment belong to that one. Three points or more also
    tell how the ON fraction goes with the time that the dot was lit.

    Args:
        run: As returned by `labctl.storage.read_run`.
    """
    experiment = str(run.start.get("recipe", {}).get("experiment") or BLINKING)
    kinds = ("trace", "photons") if experiment in (BLINKING, LIFETIMES) else ("trace",)
    points = photon_points(run, *kinds)
    found: list[ExperimentResult] = []
    for stored in points:
        results = _of_point(stored, lifetimes=experiment == LIFETIMES)
        found += results if len(points) == 1 else [_named(result) for result in results]
    return [*found, *fading_results(points, _fractions(found))]


def _fractions(found: Iterable[ExperimentResult]) -> dict[int, Measured]:
    """Return the ON fraction by index of the point, where there is one."""
    return {
        one.point: one.measured
        for one in found
        if one.quantity == "on_fraction" and one.point is not None and math.isfinite(one.value)
    }


def _named(result: ExperimentResult) -> ExperimentResult:
    """Return a result whose tables bear the number of the point, because there are several."""
    tables = tuple(
        replace(table, name=f"{table.name}_point_{result.point}") for table in result.tables
    )
    return replace(result, tables=tables)


def _of_point(stored: StoredPhotons, *, lifetimes: bool) -> list[ExperimentResult]:
    try:
        return analyze_stream(stream_photons(stored), lifetimes=lifetimes)
    except AnalysisError as error:
        return [_missing(BLINKING, "on_fraction", stored.point, (), error)]


def analyze_stream(light: StreamPhotons, *, lifetimes: bool = False) -> list[ExperimentResult]:
    """Return how the dot blinked while these photons came.

    Args:
        light: Photons of one point.
        lifetimes: Whether the lifetimes of both states (E15) are wanted as well.

    Raises:
        AnalysisError: There are too few photons to say anything.
    """
    points = find_change_points(light.time_ticks, light.tick_s)
    levels = group_levels(points)
    switches = locate_switches(light.time_ticks, light.tick_s, levels, light.length_s)
    found = _blinking(light, levels, switches)
    if not lifetimes:
        return found
    try:
        calm = switches.calm(light.time_ticks, light.tick_s)
        return [*found, *lifetime_results(light, calm)]
    except AnalysisError as error:
        warnings = (*light.warnings, *light.timing_warnings)
        return [*found, _missing(LIFETIMES, "lifetime_ratio", light.point, warnings, error)]


def _missing(
    experiment: str, quantity: str, point: int, warnings: tuple[str, ...], error: AnalysisError
) -> ExperimentResult:
    """Return a quantity that could not be determined, with the reason."""
    text = str(error)
    where = "" if text.startswith("point ") else f"point {point}: "
    nothing = float("nan")
    words = (*warnings, f"{where}{text}")
    return ExperimentResult(experiment, quantity, nothing, nothing, "", point, (), words)


def _blinking(
    light: StreamPhotons, levels: IntensityLevels, switches: Switches
) -> list[ExperimentResult]:
    dwells = switches.dwells()
    calm = switches.calm(light.time_ticks, light.tick_s)
    laws, words = _laws(dwells)
    trace, flags = _trace_table(light)
    warnings = (*light.warnings, *_located(light, (*words, *flags)))
    tables = (
        _level_table(levels),
        trace,
        _law_table(laws),
        _dwell_table(switches, dwells),
    )
    quantities: list[tuple[str, Measured, str]] = [
        ("on_fraction", _on_fraction(switches, dwells, laws), ""),
        ("change_points", _count(levels, switches), ""),
        ("on_rate", calm.rate_hz(on=True), "Hz"),
        ("off_rate", calm.rate_hz(on=False), "Hz"),
        *(one for state, fit in laws.items() for one in _law_quantities(state.lower(), fit)),
    ]
    return [
        ExperimentResult(
            BLINKING, name, value.value, value.error, unit, light.point, tables, warnings
        )
        for name, value, unit in quantities
        if math.isfinite(value.value)
    ]


def _on_fraction(switches: Switches, dwells: DwellSequence, laws: dict[str, DwellFit]) -> Measured:
    """Return the ON fraction with the errors of the switches that were seen, and that were not."""
    exponential_s = {
        state == "ON": fit.best.time_s.value
        for state, fit in laws.items()
        if fit.best.law is DwellLaw.EXPONENTIAL and not _undecided(fit)
    }
    missed_s = missed_error_s(dwells, exponential_s, switches.resolution_s)
    return switches.on_fraction().plus_systematic(missed_s / switches.length_s)


def _located(light: StreamPhotons, words: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"point {light.point}: {text}" for text in words)


def _count(levels: IntensityLevels, switches: Switches) -> Measured:
    """Return the switches between ON and OFF.

    As many dwells are missed as there could be below the shortest that is always seen: taken to be
    as many as within a factor of two above it. A missed dwell are two switches.
    """
    durations_s = switches.dwells().duration_s
    near = int((durations_s < 2 * switches.resolution_s).sum())
    error = math.hypot(2 * math.sqrt(near), math.sqrt(levels.points.significance))
    return Measured(float(switches.time_s.size), error)


def _laws(dwells: DwellSequence) -> tuple[dict[str, DwellFit], tuple[str, ...]]:
    laws: dict[str, DwellFit] = {}
    words: list[str] = []
    for state, on in (("ON", True), ("OFF", False)):
        try:
            laws[state] = fit_dwells(dwells, on)
        except AnalysisError as error:
            words.append(str(error))
        else:
            words += [f"{state} dwells: {flag}" for flag in laws[state].flags]
            if _undecided(laws[state]):
                words.append(f"{state} dwells: too few to tell a power law from an exponential one")
    return laws, tuple(words)


def _endless(fit: DwellFit) -> LawFit:
    return next(one for one in fit.fits if one.law is DwellLaw.POWER)


def _undecided(fit: DwellFit) -> bool:
    """Return whether the exponential law was chosen, and a power law would do nearly as well."""
    exponential = fit.best.law is DwellLaw.EXPONENTIAL
    return exponential and _endless(fit).aic - fit.best.aic < _DECISIVE


def _law_quantities(state: str, fit: DwellFit) -> list[tuple[str, Measured, str]]:
    """Return the exponent of a power law, the mean of an exponential law, both if undecided."""
    found: list[tuple[str, Measured, str]] = []
    if fit.best.law is DwellLaw.EXPONENTIAL:
        found.append((f"{state}_dwell", fit.best.time_s, "s"))
    exponent = _endless(fit).exponent if _undecided(fit) else fit.best.exponent
    if exponent is not None:
        found.append((f"{state}_exponent", exponent, ""))
    return found


def _level_table(levels: IntensityLevels) -> ResultTable:
    middle_hz = sum(levels.span_hz) / 2 if len(levels.rate_hz) > 1 else 0.0
    rows = tuple(
        (number, rate.value, rate.error, share, "ON" if rate.value > middle_hz else "OFF")
        for number, (rate, share) in enumerate(zip(levels.rate_hz, levels.share, strict=True))
    )
    return ResultTable("levels", LEVEL_UNITS, rows)


def _trace_table(light: StreamPhotons) -> tuple[ResultTable, tuple[str, ...]]:
    """Return what a threshold on the trace gives, for comparison with the changes."""
    try:
        found = threshold_trace(light.trace(), light.time_bin_s)
    except AnalysisError as error:
        return ResultTable("trace", TRACE_UNITS, ()), (str(error),)
    row: tuple[Cell, ...] = (
        light.time_bin_s,
        found.threshold_counts,
        found.on_counts.value,
        found.off_counts.value,
        found.on_fraction.value,
        found.on_fraction_by_mean.value,
        found.overlap,
        "; ".join(found.flags),
    )
    return ResultTable("trace", TRACE_UNITS, (row,)), ()


def _law_table(laws: dict[str, DwellFit]) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    for state, found in laws.items():
        for fit in found.fits:
            exponent: tuple[Cell, Cell] = (
                (None, None) if fit.exponent is None else (fit.exponent.value, fit.exponent.error)
            )
            head = (state, str(fit.law), "yes" if fit is found.best else "", *exponent)
            times = (fit.time_s.value, fit.time_s.error, fit.aic)
            rows.append((*head, *times, found.dwells, found.shortest_s))
    return ResultTable("dwell_laws", LAW_UNITS, tuple(rows))


def _dwell_table(switches: Switches, dwells: DwellSequence) -> ResultTable:
    triples = zip(switches.edges_s[:-1], dwells.duration_s, dwells.on, strict=True)
    rows = tuple((float(b), float(d), "ON" if on else "OFF") for b, d, on in triples)
    return ResultTable("dwells", DWELL_UNITS, rows)
