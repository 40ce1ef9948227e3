"""g2(0) of stored points: background from their books, corrections from their records."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    Measured,
    PairBackground,
    PulsedG2Zero,
    background_from_rates,
    pulsed_g2,
)
from labctl.errors import AnalysisError
from labctl.photons import PairBooks, PulsedDelaysResult, PulsedG2Result
from labctl.results._crosstalk import crosstalk_columns, spike_gaps, without_columns
from labctl.results._pair_records import PairRecords, read_pairs
from labctl.results._stored_photons import StoredPhotons

__all__ = ["PairPoint", "evaluate_points", "pair_points"]

_METER_S = 0.1
"""Time over which counters and modules average a rate (their manuals)."""
_SIDES_FROM = 2
"""The nearest peaks hold fewer pairs: an afterpulse in the next period misses its own pulse."""


@dataclass(frozen=True, eq=False)
class PairPoint:
    """One point of two detectors.

    Attributes:
        source: As stored.
        g2: g2(0) with its error; None if the point allowed none.
        records: Pairs from the raw records; None if these are missing.
        background: Clicks of each side that are no photons of the dot.
        dark_hz: Rates of both sides without light.
        crosstalk_bins: First bin and end of the gaps that hold cross-talk, in the bins of
            ``records.pulses``; None: none was seen.
        warnings: What was missing or in doubt.
    """

    source: StoredPhotons
    g2: PulsedG2Zero | None
    records: PairRecords | None
    background: PairBackground
    dark_hz: tuple[Measured, Measured]
    crosstalk_bins: tuple[int, int] | None
    warnings: tuple[str, ...]


def pair_points(stored: Sequence[StoredPhotons]) -> list[PairPoint]:
    """Evaluate points of one run; each has two detectors or more and T3 records."""
    records: list[PairRecords | None] = []
    texts: list[str] = []
    for one in stored:
        text = ""
        try:
            records.append(read_pairs(one))
        except AnalysisError as error:
            records.append(None)
            text = f"{error}; without records afterpulses and cross-talk stay in"
        texts.append(text)
    return evaluate_points(stored, records, texts)


def evaluate_points(
    stored: Sequence[StoredPhotons],
    records: Sequence[PairRecords | None],
    warnings: Sequence[str] = (),
) -> list[PairPoint]:
    """Evaluate points of one run whose pairs have been counted.

    Rates without light are those before each point, averaged over the run; cross-talk is looked
    for in all points together, as it is a property of the set-up.

    Args:
        stored: The points.
        records: Pairs of each; None where there are no raw records.
        warnings: One for each point, may be empty; none for any.
    """
    columns = _columns([one for one in records if one is not None])
    darks = _dark_rates(stored)
    texts = warnings or [""] * len(stored)
    return [
        _point(one, pairs, columns, darks, (*one.warnings, *filter(None, [text])))
        for one, pairs, text in zip(stored, records, texts, strict=True)
    ]


def _dark_rates(stored: Sequence[StoredPhotons]) -> dict[str, Measured]:
    """Return the rate without light by detector, Hz: the mean of what was read before each point.

    Readings are of counts in 0.1 s; the error is that of counting, at least of one count.
    """
    readings: dict[str, list[float]] = {}
    for one in stored:
        for name in one.detectors:
            readings.setdefault(name, []).append(one.dark_hz(name))
    return {
        name: Measured(
            float(np.mean(rates)),
            float(np.sqrt(np.sum(rates) * _METER_S + 1)) / (_METER_S * len(rates)),
        )
        for name, rates in readings.items()
    }


def _evaluated(
    records: PairRecords,
    background: PairBackground,
    columns: NDArray[np.bool_],
) -> PulsedG2Zero:
    clean = without_columns(records.delays, columns)
    sides = (_SIDES_FROM, int(clean.pulses.max()))
    g2 = pulsed_g2(clean, background=background, side_pulses=sides)
    # Without some columns the side peaks are lower than the rates say.
    whole = pulsed_g2(records.delays, background=background, side_pulses=sides)
    return replace(g2, bunching=whole.bunching)


def _columns(records: Sequence[PairRecords]) -> dict[int, NDArray[np.bool_]]:
    """Return the columns with cross-talk by the number of columns."""
    groups: dict[int, list[PulsedDelaysResult]] = {}
    for one in records:
        groups.setdefault(one.delays.delay_bins.size, []).append(one.delays)
    return {size: crosstalk_columns(group) for size, group in groups.items()}


def _point(
    stored: StoredPhotons,
    records: PairRecords | None,
    columns: dict[int, NDArray[np.bool_]],
    darks: dict[str, Measured],
    warnings: tuple[str, ...],
) -> PairPoint:
    a, b = stored.detectors[:2]
    dark_hz = (darks[a], darks[b])
    background, gaps = background_from_rates(dark_hz, stored.live_s), None
    g2: PulsedG2Zero | None = None
    try:
        if records is None:
            g2 = _from_areas(stored, background)
        else:
            chosen = columns[records.delays.delay_bins.size]
            gaps = spike_gaps(records.delays, chosen)
            if gaps is not None:
                gaps = gaps[0] // records.group, -(-gaps[1] // records.group)
            background = background_from_rates(
                dark_hz, stored.live_s, late_afterpulses=records.late
            )
            g2 = _evaluated(records, background, chosen)
    except AnalysisError as error:
        warnings = (*warnings, f"no g2(0): {error}")
    said = () if g2 is None else g2.flags
    texts = tuple(f"point {stored.point}: {text}" for text in (*warnings, *said))
    return PairPoint(stored, g2, records, background, dark_hz, gaps, texts)


def _from_areas(stored: StoredPhotons, background: PairBackground) -> PulsedG2Zero:
    """Evaluate what the measurement itself has stored.

    Raises:
        AnalysisError: It stored no areas, or there are no pairs to compare with.
    """
    if not {"areas", "peak", "used"} <= stored.arrays.keys():
        raise AnalysisError("neither raw records nor areas of peaks of different pulses")
    a, b, covered = (int(value) for value in stored.arrays["used"])
    peaks = PulsedG2Result(
        stored.arrays["peak"].astype(np.int64),
        stored.arrays["areas"].astype(np.int64),
        PairBooks(a, b, covered, a + b, 0),
    )
    farthest = int(peaks.pulses.max())
    nearest = min(_SIDES_FROM, farthest)
    return pulsed_g2(peaks, background=background, side_pulses=(nearest, farthest))
