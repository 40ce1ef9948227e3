"""E20: bunched light of one pulse, and the time that the bunching lasts.

Pairs are counted a second time, by differences of delays that are fine and short: light that
bunches decays fast, and cross-talk comes later than what is looked at.
"""

import math
from dataclasses import dataclass
from functools import reduce
from typing import cast

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    Bunching,
    Irf,
    Measured,
    TimingConfiguration,
    measure_bunching,
    pair_response,
)
from labctl.errors import AnalysisError
from labctl.photons import PulsedDelays, PulsedDelaysResult, Stream
from labctl.results._pair_points import PairPoint
from labctl.results._pair_records import joined_delays
from labctl.results._replay import channels, replayed
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._stored_photons import StoredPhotons

__all__ = ["BunchedLight", "bunched_light", "bunching_results", "near_delays", "near_pairs"]

Vector = NDArray[np.float64]

_PERIODS = 20
_COLUMN_S = 64e-12
_REACH_S = 5e-9
_SIDES = (2, _PERIODS)
"""The nearest peaks hold fewer pairs: an afterpulse in the next period misses its own pulse."""
_QUANTITIES = ("bunching_time", "pair_decay")
_UNITS = {
    "point": "",
    "excess_pairs": "counts",
    "excess_pairs_error": "counts",
    "bunching_time": "ps",
    "bunching_time_error": "ps",
    "pair_decay": "ps",
    "pair_decay_error": "ps",
    "probability": "",
    "flags": "",
}


@dataclass(frozen=True, eq=False)
class BunchedLight:
    """What the pairs of one point say of bunching.

    Attributes:
        bunching: Of differences of delays up to 5 ns; None if that was not possible.
        warnings: What was missing or in doubt.
    """

    bunching: Bunching | None
    warnings: tuple[str, ...]


def near_delays(stream: Stream, sides: tuple[int, int]) -> PulsedDelays:
    """Return the analysis that counts pairs in columns of about 64 ps; of T3 records."""
    bins = min(stream.format.delay_bins, math.ceil(stream.tick_s / stream.delay_bin_s))
    column = max(1, round(_COLUMN_S / stream.delay_bin_s))
    return PulsedDelays(sides, max_pulses=_PERIODS, delay_bins=bins, bins_per_column=column)


def near_pairs(stored: StoredPhotons) -> tuple[PulsedDelaysResult, float]:
    """Count the pairs of the first two detectors; returns them and the delay bin in s.

    Raises:
        AnalysisError: The records are missing or cannot be read, or are not those of T3.
    """
    a, b = channels(stored)[:2]
    streams: list[Stream] = []

    def make(stream: Stream) -> list[PulsedDelays]:
        streams.append(stream)
        return [near_delays(stream, (a, b))]

    parts = [cast("PulsedDelays", one).result() for (one,), _ in replayed(stored, make)]
    return reduce(joined_delays, parts), streams[0].delay_bin_s


def bunched_light(
    stored: StoredPhotons, pairs: PulsedDelaysResult, delay_bin_s: float
) -> BunchedLight:
    """Fit the excess of pairs of one pulse with the responses of both detectors.

    Args:
        stored: The point.
        pairs: As `near_delays` counts them.
        delay_bin_s: Width of a delay bin, s.
    """
    column_bins = int(pairs.delay_bins[1] - pairs.delay_bins[0])
    reach = round(_REACH_S / delay_bin_s)
    near = (pairs.delay_bins >= -reach) & (pairs.delay_bins + column_bins <= reach)
    part = PulsedDelaysResult(
        pairs.pulses, pairs.delay_bins[near], pairs.counts[:, near], pairs.books
    )
    words: tuple[str, ...] = ()
    try:
        response, words = _response(stored, column_bins, delay_bin_s)
        found = measure_bunching(part, delay_bin_s, response=response, side_pulses=_SIDES)
    except AnalysisError as error:
        return BunchedLight(None, (*words, f"no bunching time: {error}"))
    return BunchedLight(found, (*words, *found.flags))


def bunching_results(
    point: PairPoint, tables: tuple[ResultTable, ...], light: BunchedLight | None = None
) -> list[ExperimentResult]:
    """Return the bunching time of a point, beside the decay time of its pairs.

    A quantity that the pairs do not determine has no number but a warning that says why.

    Args:
        point: With its g2(0).
        tables: Tables of the pairs, for the results.
        light: What its pairs say; None: they are read from the raw records.
    """
    source = point.source
    if light is None:
        try:
            light = bunched_light(source, *near_pairs(source))
        except AnalysisError as error:
            light = BunchedLight(None, (f"no bunching time: {error}",))
    found = light.bunching
    said = tuple(f"point {source.point}: {text}" for text in light.warnings)
    if found is not None:
        tables = (*tables, ResultTable("bunching", _UNITS, (_row(source.point, found, said),)))
    values = (None, None) if found is None else (found.bunching_ns, found.decay_ns)
    warnings = (*said, *point.warnings)
    return [
        _result(name, value, source.point, tables, warnings)
        for name, value in zip(_QUANTITIES, values, strict=True)
    ]


def _result(
    quantity: str,
    value_ns: Measured | None,
    point: int,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> ExperimentResult:
    value = Measured(math.nan, math.nan) if value_ns is None else value_ns.scaled(1e3)
    return ExperimentResult(
        "E20", quantity, value.value, value.error, "ps", point, tables, warnings
    )


def _row(point: int, found: Bunching, words: tuple[str, ...]) -> tuple[Cell, ...]:
    time = found.bunching_ns
    return (
        point,
        found.excess_pairs.value,
        found.excess_pairs.error,
        None if time is None else 1e3 * time.value,
        None if time is None else 1e3 * time.error,
        1e3 * found.decay_ns.value,
        1e3 * found.decay_ns.error,
        found.probability,
        "; ".join(words),
    )


def _response(
    stored: StoredPhotons, column_bins: int, delay_bin_s: float
) -> tuple[Vector | None, tuple[str, ...]]:
    """Return the response of pairs by column, as for the colour of the point."""
    irfs: list[Irf] = []
    for detector in stored.detectors[:2]:
        irf = stored.irfs.get(detector)
        if irf is None:
            text = f"no response of {detector} (recipe step irf)"
        elif abs(irf.bin_ps - 1e12 * delay_bin_s) > 1e-3 * irf.bin_ps:
            text = f"the response of {detector} has bins of {irf.bin_ps:g} ps, the pairs others"
        else:
            irfs.append(irf.at(_configuration(stored, irf)))
            continue
        return None, (f"{text}: the bunching time is that of light and detectors together",)
    a, b = (_light(irf) for irf in irfs)
    return _by_column(pair_response(a, b), column_bins), ()


def _configuration(stored: StoredPhotons, irf: Irf) -> TimingConfiguration:
    return TimingConfiguration(
        bin_ps=irf.bin_ps,
        grating_per_mm=stored.setting("spectrograph.lines_per_mm"),
        detector=irf.detector,
        wavelength_nm=stored.wavelength_nm,
    )


def _light(irf: Irf) -> Vector:
    """Return the response without background, in its place on the axis of delays."""
    light = irf.response
    counts = np.zeros(irf.counts.size)
    counts[light.first_bin : light.first_bin + light.counts.size] = light.counts
    return counts


def _by_column(fine: Vector, column_bins: int) -> Vector:
    """Share each difference out to the two columns that are nearest, which keeps the mean."""
    centre = fine.size // 2
    place = np.arange(-centre, centre + 1) / column_bins
    lit = np.flatnonzero(fine)
    half = math.ceil(float(np.abs(place[lit]).max())) + 1
    below = np.floor(place[lit])
    upper = place[lit] - below
    begin = below.astype(np.int64) + half
    shares = np.zeros(2 * half + 1)
    np.add.at(shares, begin, fine[lit] * (1 - upper))
    np.add.at(shares, begin + 1, fine[lit] * upper)
    return shares
