"""E15: lifetimes of the ON and OFF light, the type of blinking, and the FLID."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    BlinkingKind,
    BlinkingType,
    CalmPhotons,
    DecayColumns,
    Intensity,
    Measured,
    StateLifetime,
    flid,
    judge_type,
    state_lifetime,
)
from labctl.errors import AnalysisError
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._stream_photons import StreamPhotons

__all__ = ["lifetime_results"]

Vector = NDArray[np.float64]
Counts = NDArray[np.int64]

_COLUMNS = 1000
_LATER = 0.2
"""The gate begins by this share of the lifetime after the peak: a biexciton of a twentieth of it
is over, and little of the light is lost (a choice)."""
_WIDTHS = 2.0
_FLID_COLUMNS, _FLID_BINS = 50, 100_000
_FEWEST_SHARE = 1e-7

_WORDS = {
    BlinkingKind.A: "type A: the lifetime follows the intensity",
    BlinkingKind.B: "type B: the lifetime does not follow the intensity",
    BlinkingKind.UNDECIDED: "the errors leave open whether it is type A or B",
}
TYPE_UNITS = {
    "state": "",
    "lifetime": "ns",
    "lifetime_error": "ns",
    "rate": "Hz",
    "rate_error": "Hz",
    "counts": "counts",
    "deviance_per_bin": "",
    "type": "",
}
FLID_UNITS = {"rate": "Hz", "lifetime": "ns", "share": ""}


@dataclass(frozen=True, eq=False)
class _Axis:
    """How delays are put into columns.

    Attributes:
        per_column: Delay bins in a column.
        columns: Of one period of the laser.
        peak: Column of the pulse.
        width_s: Of the response at half height; 0 if it is not known.
    """

    per_column: int
    columns: DecayColumns
    variance: Vector | None
    peak: int
    width_s: float

    def after(self, delay_s: float) -> DecayColumns:
        """Return the columns that begin so long after the pulse."""
        known = self.columns
        first = self.peak + max(1, math.ceil(delay_s / known.column_s))
        if first > known.columns - 10:
            raise AnalysisError("the pulse comes so late in the histogram that no decay is left")
        return DecayColumns(known.column_s, known.columns, known.response, known.period_s, first)


def lifetime_results(light: StreamPhotons, calm: CalmPhotons) -> list[ExperimentResult]:
    """Return lifetimes of both states, their ratio and what it says.

    Raises:
        AnalysisError: No delays, no laser, or too little light in a state.
    """
    if light.delay_bins is None or light.period_s is None:
        raise AnalysisError("lifetimes need records of mode t3 and the laser's repetition rate")
    decays = _decays(light.delay_bins, calm)
    axis = _axis(light, decays[1], light.period_s)
    on, columns = _first_state(axis, _columns(decays[1], axis))
    off = _fit(_columns(decays[0], axis), columns, axis.variance)
    states = {"ON": on, "OFF": off}
    rates = {
        name: _rate(one, axis.columns.columns, calm, state)
        for state, (name, one) in ((True, ("ON", on)), (False, ("OFF", off)))
    }
    kind = judge_type((on.tau_s, off.tau_s), (rates["ON"], rates["OFF"]))
    tables = (_type_table(states, rates, kind), _flid_table(light, columns, axis, on, calm))
    return _results(light, kind, tables)


def _decays(delay_bins: NDArray[np.uint16], calm: CalmPhotons) -> Counts:
    """Return the decay of the calm photons of OFF and ON, (2, bin)."""
    size = int(delay_bins.max(initial=0)) + 1
    rows = [np.bincount(delay_bins[calm.state == state], minlength=size) for state in (0, 1)]
    return np.array(rows, np.int64)


def _axis(light: StreamPhotons, decay: Counts, period_s: float) -> _Axis:
    bins = period_s / light.delay_bin_s
    per_column = max(1, round(bins / _COLUMNS))
    count = int(bins / per_column + 1e-6)
    response, variance, width_s = None, None, 0.0
    column_s = per_column * light.delay_bin_s
    if light.response is not None:
        response = _joined(light.response.share, per_column, count)
        variance = _joined(light.response.variance, per_column, count)
        width_s = float(np.count_nonzero(response > response.max() / 2)) * column_s
    shape = _joined(decay.astype(np.float64), per_column, count) if response is None else response
    columns = DecayColumns(column_s, count, response, period_s)
    return _Axis(per_column, columns, variance, int(np.argmax(shape)), width_s)


def _joined(counts: Vector, per_column: int, columns: int) -> Vector:
    padded = np.zeros(per_column * columns)
    size = min(counts.size, padded.size)
    padded[:size] = counts[:size]
    return padded.reshape(columns, per_column).sum(axis=1)


def _columns(decay: Counts, axis: _Axis) -> Counts:
    joined = _joined(decay.astype(np.float64), axis.per_column, axis.columns.columns)
    return joined.astype(np.int64)


def _fit(decay: Counts, columns: DecayColumns, variance: Vector | None) -> StateLifetime:
    return state_lifetime(decay[columns.first :], columns, variance)


def _first_state(axis: _Axis, decay: Counts) -> tuple[StateLifetime, DecayColumns]:
    """Return the lifetime of the brighter state, and the gate that goes with it."""
    early = axis.after(_WIDTHS * axis.width_s)
    rough_s = _fit(decay, early, None).tau_s.value
    columns = axis.after(max(_LATER * rough_s, _WIDTHS * axis.width_s))
    return _fit(decay, columns, axis.variance), columns


def _rate(one: StateLifetime, columns: int, calm: CalmPhotons, on: bool) -> Measured:
    """Return the intensity of a state above what comes evenly at any delay."""
    time_s = float(calm.lasting_s[int(on)])
    signal = float(calm.counts[int(on)]) - one.background.value * columns
    error = math.hypot(math.sqrt(float(calm.counts[int(on)])), one.background.error * columns)
    if signal <= 3 * error:
        raise AnalysisError("no light above the background in the ON or in the OFF state")
    return Measured(signal / time_s, error / time_s)


def _type_table(
    states: dict[str, StateLifetime], rates: dict[str, Measured], kind: BlinkingType
) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    for name, one in states.items():
        tau_ns, rate = one.tau_s.scaled(1e9), rates[name]
        fitted = (one.counts, one.deviance_per_bin, str(kind.kind))
        rows.append((name, tau_ns.value, tau_ns.error, rate.value, rate.error, *fitted))
    return ResultTable("blinking_type", TYPE_UNITS, tuple(rows))


def _flid_table(
    light: StreamPhotons, columns: DecayColumns, axis: _Axis, on: StateLifetime, calm: CalmPhotons
) -> ResultTable:
    """Return the cells of the distribution that hold anything, from bins of time."""
    if light.delay_bins is None:
        return ResultTable("flid", FLID_UNITS, ())
    joined = -(-(columns.columns - columns.first) // _FLID_COLUMNS)
    count = (columns.columns - columns.first) // joined
    first, per_column = columns.first * axis.per_column, joined * axis.per_column
    least_s = light.length_s / _FLID_BINS
    ticks = max(1, round(max(light.time_bin_s, least_s) / light.tick_s))
    rows = max(1, round(light.length_s / light.tick_s) // ticks)
    row = light.time_ticks // ticks
    column = (light.delay_bins.astype(np.int64) - first) // per_column
    gated = (column >= 0) & (column < count) & (row < rows)
    cells = np.bincount(row[gated] * count + column[gated], minlength=rows * count)
    flat_hz = on.background.value / float(calm.lasting_s[1])
    every = np.bincount(row[row < rows], minlength=rows).astype(np.int64)
    found = flid(
        cells.reshape(rows, count).astype(np.int64),
        ticks * light.tick_s,
        DecayColumns(joined * columns.column_s, count),
        background_hz=flat_hz * joined * count,
        intensity=Intensity(every, flat_hz * columns.columns),
    )
    rates_hz = (found.rate_edges_hz[1:] + found.rate_edges_hz[:-1]) / 2
    taus_ns = (found.lifetime_edges_s[1:] + found.lifetime_edges_s[:-1]) * 0.5e9
    where = np.argwhere(found.density > _FEWEST_SHARE)
    filled = tuple(
        (float(rates_hz[i]), float(taus_ns[j]), float(found.density[i, j])) for i, j in where
    )
    return ResultTable("flid", FLID_UNITS, filled)


def _results(
    light: StreamPhotons, kind: BlinkingType, tables: tuple[ResultTable, ...]
) -> list[ExperimentResult]:
    found = {
        "on_lifetime": (kind.on_lifetime_s.scaled(1e9), "ns"),
        "off_lifetime": (kind.off_lifetime_s.scaled(1e9), "ns"),
        "lifetime_ratio": (kind.lifetime_ratio, ""),
        "intensity_ratio": (kind.intensity_ratio, ""),
        "type_slope": (kind.slope, ""),
    }
    words = {"type_slope": (f"point {light.point}: {_WORDS[kind.kind]}",)}
    return [
        ExperimentResult(
            "E15", name, value.value, value.error, unit, light.point, tables,
            (*words.get(name, ()), *light.warnings, *light.timing_warnings),
        )
        for name, (value, unit) in found.items()
    ]  # fmt: skip
