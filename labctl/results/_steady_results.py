"""E10 under continuous light: points of ``g2`` in mode T2, by the dip of the histogram of lags.

The model is ``g2(tau) = s (1 - A exp(-|tau| / tau_a))`` behind a Gaussian response as wide as the
jitter of both detectors; s takes up what is slow against the window, such as blinking. Darks make
the dip shallower by the share of the photons among the clicks of each side. Pulsed light is a comb
of peaks, to which this form does not apply.
"""

import math
from collections.abc import Sequence
from functools import reduce
from typing import cast

import numpy as np

from labctl.analysis import CwG2, Measured, fit_cw_g2, gaussian_pair_response
from labctl.errors import AnalysisError
from labctl.photons import PairBooks, Stream, WindowedG2, WindowedG2Result
from labctl.results._pair_records import joined_books
from labctl.results._replay import channels, replayed
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._stored_photons import StoredPhotons

__all__ = ["comb_power", "steady_results", "windowed_pairs"]

_MODEL = "s (1 - A exp(-|tau| / tau_a)), Gaussian response of both detectors' jitter"
_METER_S = 0.1
"""Time over which counters and modules average a rate (their manuals)."""
_COMB_POWER = 12.0
"""Uncorrelated pairs exceed it once in 160 000."""
_PERIODS_SEEN = 1.5
_POOR = 1e-6
_SIGNIFICANT = 3.0
_UNITS = {
    "point": "",
    "model": "",
    "g2_zero": "",
    "g2_zero_error": "",
    "antibunching_time": "ns",
    "antibunching_time_error": "ns",
    "scale": "",
    "scale_error": "",
    "signal_share": "",
    "probability": "",
    "flags": "",
}


def steady_results(stored: Sequence[StoredPhotons]) -> list[ExperimentResult]:
    """Return g2(0) and the antibunching time of each point of T2.

    A point that allows no fit has no number but a warning that says why.
    """
    return [result for one in stored for result in _of_point(one)]


def windowed_pairs(stored: StoredPhotons) -> tuple[WindowedG2Result, float]:
    """Count pairs by lag as the measurement did; returns them and the tick in s.

    Raises:
        AnalysisError: The records are missing or cannot be read, or the point has no lags.
    """
    lags_ns = stored.arrays.get("tau")
    if lags_ns is None or lags_ns.size < 4:
        raise AnalysisError("no histogram of lags was stored")
    width_s = 1e-9 * float(lags_ns[1] - lags_ns[0])
    a, b = channels(stored)[:2]
    streams: list[Stream] = []

    def make(stream: Stream) -> list[WindowedG2]:
        streams.append(stream)
        bin_ticks = max(1, round(width_s / stream.tick_s))
        return [WindowedG2((a, b), bin_ticks=bin_ticks, half_bins=lags_ns.size // 2)]

    parts = [cast("WindowedG2", one).result() for (one,), _ in replayed(stored, make)]
    return reduce(_joined, parts), streams[0].tick_s


def comb_power(pairs: WindowedG2Result, tick_s: float, period_s: float) -> float:
    """Return how far pairs beyond half a period from zero repeat with the period.

    ``|sum n exp(2 pi i lag / period)|^2 / sum n``, with what is flat taken off: exponentially
    distributed with mean 1 for uncorrelated light, as large as the number of pairs for a comb.
    """
    lag_s = (pairs.lag_ticks + 0.5 * (pairs.bin_ticks - 1)) * tick_s
    far = np.abs(lag_s) > 0.5 * period_s
    counts = pairs.counts[far].astype(np.float64)
    if not counts.sum() > 0:
        return 0.0
    level = pairs.expected[far] * float(counts.sum() / pairs.expected[far].sum())
    wave = np.exp(2j * np.pi * lag_s[far] / period_s)
    return float(np.abs((counts - level) @ wave) ** 2 / counts.sum())


def _joined(one: WindowedG2Result, other: WindowedG2Result) -> WindowedG2Result:
    return WindowedG2Result(
        one.lag_ticks,
        one.counts + other.counts,
        one.bin_ticks,
        joined_books(one.books, other.books),
    )


def _of_point(stored: StoredPhotons) -> list[ExperimentResult]:
    where = f"point {stored.point}"
    try:
        pairs, tick_s = windowed_pairs(stored)
        _refuse_pulses(stored, pairs, tick_s)
        share = _signal_share(stored, pairs.books)
        response, words = _response(stored, pairs.bin_ticks * tick_s)
        found = fit_cw_g2(pairs, tick_s, response=response, signal_share=share)
        _refuse_nonsense(found, pairs)
    except AnalysisError as error:
        text = f"{where}: no g2(0) of steady light: {error}".replace(f"{where}: {where}", where)
        return _missing(stored, (*stored.warnings, text))
    said = tuple(f"{where}: {text}" for text in (*words, *found.flags))
    table = ResultTable("steady_pairs", _UNITS, (_row(stored.point, found, share, said),))
    return _results(stored, found.g2_zero, found.antibunching_ns, (table,), said)


def _refuse_pulses(stored: StoredPhotons, pairs: WindowedG2Result, tick_s: float) -> None:
    """Raise if the light is pulsed, or if the lags are too short to tell."""
    if stored.period_ps is None:
        return
    period_s = 1e-12 * stored.period_ps
    reach_s = -float(pairs.lag_ticks[0]) * tick_s
    if reach_s < _PERIODS_SEEN * period_s:
        raise AnalysisError(
            f"the set-up's laser has a pulse every {1e9 * period_s:g} ns, and lags up to "
            f"{1e9 * reach_s:g} ns do not show whether the light was steady (a longer 'window')"
        )
    if comb_power(pairs, tick_s, period_s) > _COMB_POWER:
        raise AnalysisError(
            f"the pairs are a comb of peaks {1e9 * period_s:g} ns apart: pulsed light, to which "
            "the form for continuous light does not apply (mode: t3)"
        )


def _refuse_nonsense(found: CwG2, pairs: WindowedG2Result) -> None:
    """Raise if the fit does not describe the pairs, or if there is no dip to be described."""
    if found.probability < _POOR:
        raise AnalysisError(
            f"the pairs are not of the form {_MODEL} (probability {found.probability:.1g})"
        )
    depth = found.depth
    if not (np.isfinite(depth.error) and depth.value > _SIGNIFICANT * depth.error):
        middle = pairs.counts.size // 2
        raise AnalysisError(
            f"no antibunching is seen; from lag 0 on the first bin of "
            f"{pairs.counts.size} has g2 = {pairs.g2[middle]:.3g} +- {pairs.g2_error[middle]:.2g}"
        )


def _signal_share(stored: StoredPhotons, books: PairBooks) -> Measured:
    """Return the product over both sides of photons over clicks, from the rates without light."""
    share, relative = 1.0, 0.0
    for detector, clicks in zip(stored.detectors, (books.photons_a, books.photons_b), strict=False):
        dark_hz = stored.dark_hz(detector)
        rate_hz = clicks / stored.live_s if stored.live_s > 0 else stored.rate_hz(detector)
        if not rate_hz > dark_hz:
            raise AnalysisError(f"{detector} counted no more than without light")
        light = 1 - dark_hz / rate_hz
        share *= light
        # A reading of counts in 0.1 s, with the error of one count at least.
        error_hz = math.sqrt(dark_hz * _METER_S + 1) / _METER_S
        relative = math.hypot(relative, error_hz / rate_hz / light)
    return Measured(share, share * relative)


def _response(
    stored: StoredPhotons, bin_s: float
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]] | None, tuple[str, ...]]:
    names = stored.detectors[:2]
    widths = [stored.setting(f"detectors.{name}.jitter_fwhm_ps") for name in names]
    known = [width for width in widths if width is not None]
    if len(known) < len(widths):
        return None, ("the jitter of the detectors is not known and stays in g2(0)",)
    return gaussian_pair_response(1e-12 * math.hypot(*known), bin_s), ()


def _missing(stored: StoredPhotons, warnings: tuple[str, ...]) -> list[ExperimentResult]:
    nothing = Measured(math.nan, math.nan)
    return _results(stored, nothing, nothing, (), warnings)


def _results(
    stored: StoredPhotons,
    g2_zero: Measured,
    time_ns: Measured,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> list[ExperimentResult]:
    def result(name: str, found: Measured, unit: str) -> ExperimentResult:
        point = stored.point
        return ExperimentResult(
            "E10", name, found.value, found.error, unit, point, tables, warnings
        )

    return [result("g2_zero", g2_zero, ""), result("antibunching_time", time_ns, "ns")]


def _row(point: int, found: CwG2, share: Measured, words: tuple[str, ...]) -> tuple[Cell, ...]:
    return (
        point,
        _MODEL,
        found.g2_zero.value,
        found.g2_zero.error,
        found.antibunching_ns.value,
        found.antibunching_ns.error,
        found.scale.value,
        found.scale.error,
        share.value,
        found.probability,
        "; ".join(words),
    )
