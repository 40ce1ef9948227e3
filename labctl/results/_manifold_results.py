"""E21, E22: trion, biexciton and phonon replicas of one dot, from spectra at several fluences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labctl.analysis import Kind, ManifoldFit, ManifoldLine, Measured, fit_manifold
from labctl.optics import ev_to_air_nm
from labctl.results._points import combined_frames, distance_error_mev
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._source import StoredSpectrum
from labctl.results._warnings import summarized

__all__ = ["FittedManifold", "ManifoldAnalysis", "fit_manifolds", "manifold_results"]

_GROWTH_SIGMAS = 4.0
_GROWTH = 1.3
_RESPONSE_PER_NM = 0.002
"""How much the efficiency of grating and camera may change per nm, relative (assumed): nobody has
calibrated it. It is an error of ratios, not of energies."""
_UNITS = {
    "point": "",
    "fluence": "uJ/cm^2",
    "kind": "",
    "below": "meV",
    "below_error": "meV",
    "ratio": "",
    "ratio_error": "",
}


@dataclass(frozen=True, eq=False)
class FittedManifold:
    """One spectrum and its lines."""

    spectrum: StoredSpectrum
    fit: ManifoldFit


@dataclass(frozen=True, eq=False)
class ManifoldAnalysis:
    """All spectra of a dot, fitted with the same lines.

    Attributes:
        points: By rising fluence.
        warnings: What the reader must know.
    """

    points: tuple[FittedManifold, ...]
    warnings: tuple[str, ...]


def fit_manifolds(spectra: Sequence[StoredSpectrum]) -> ManifoldAnalysis:
    """Find the lines in the spectrum of highest fluence, and fit the others with the same.

    A line that grows with the fluence against the exciton by more than a factor 1.3 and four
    standard errors belongs to the biexciton.

    Raises:
        AnalysisError: The brightest spectrum has no line.
    """
    ordered = sorted(spectra, key=lambda one: one.peak_fluence_uj_cm2 or 0.0)
    brightest = _fit(ordered[-1], None)
    points = [*(_fit(one, brightest) for one in ordered[:-1]), brightest]
    warnings = [text for one in spectra for text in one.warnings]
    warnings += [f"point {p.spectrum.point}: {flag}" for p in points for flag in p.fit.flags]
    grown = _growing(points[0].fit, brightest.fit) if len(points) > 1 else {}
    misnamed = [line for line in grown.values() if line.kind != "biexciton"]
    if misnamed:
        names: dict[float, Kind] = {line.below_mev.value: "biexciton" for line in misnamed}
        points = [_fit(one.spectrum, brightest, names) for one in points]
    if brightest.fit.offsets_mev.size == 1:
        warnings.append(
            "the exciton shows no fine structure: a trion would count as a replica, and the "
            "biexciton is told by its growth with the fluence alone"
        )
    named = points[-1].fit.of("biexciton")
    if len(points) == 1:
        warnings.append("one fluence only: kinds of lines are told by their shapes alone")
    elif named and not grown:
        warnings.append("what has the shape of a biexciton does not grow with the fluence")
    return ManifoldAnalysis(tuple(points), summarized(warnings))


def _fit(
    spectrum: StoredSpectrum,
    like: FittedManifold | None,
    names: Mapping[float, Kind] | None = None,
) -> FittedManifold:
    combined = combined_frames(spectrum)
    fit = fit_manifold(
        combined.counts,
        spectrum.wavelength_nm,
        spectrum.noise,
        response=spectrum.response,
        usable=combined.usable,
        variance_scale=combined.variance_scale,
        like=None if like is None else like.fit.renamed(names or {}),
    )
    return FittedManifold(spectrum, fit)


def _growing(dim: ManifoldFit, bright: ManifoldFit) -> dict[int, ManifoldLine]:
    """Return the lines whose share of the light grows, by their index in the bright fit."""
    found: dict[int, ManifoldLine] = {}
    for place, (low, high) in enumerate(zip(dim.lines, bright.lines, strict=True)):
        error = math.hypot(low.ratio.error, high.ratio.error)
        grown = high.ratio.value - low.ratio.value > _GROWTH_SIGMAS * error
        if grown and high.ratio.value > _GROWTH * low.ratio.value:
            found[place] = high
    return found


def manifold_results(analysis: ManifoldAnalysis) -> list[ExperimentResult]:
    """Return binding and phonon energies (E21) and Huang-Rhys factors (E22)."""
    tables, points = (_table(analysis.points),), analysis.points
    found: list[ExperimentResult] = []

    def tell(experiment: str, quantity: str, measured: Measured, unit: str, *more: str) -> None:
        found.append(
            ExperimentResult(
                experiment, quantity, measured.value, measured.error, unit, None, tables,
                (*analysis.warnings, *more),
            )
        )  # fmt: skip

    brightest = points[-1].fit
    for kind in ("trion", "biexciton"):
        if brightest.of(kind):
            vague, words = _centre_error(brightest, 2.0 if kind == "biexciton" else 1.0)
            binding = _mean([p.fit.of(kind)[0].below_mev for p in points])
            vague = math.hypot(vague, _axis_mev(points[-1], binding.value))
            tell("E21", f"{kind}_binding", binding.plus_systematic(vague), "meV", *words)
        else:
            seen = f"no {kind} down to {brightest.reach_mev:.0f} meV: chi-square would have fallen "
            text = f"{seen}by 30 with one of {brightest.limit:.2g} of the exciton's light"
            tell("E21", f"{kind}_detection_limit", Measured(brightest.limit, math.nan), "", text)
    for place, line in enumerate(brightest.of("replica")):
        copies = [p.fit.of("replica")[place] for p in points]
        energy = _mean([copy.below_mev for copy in copies])
        energy = energy.plus_systematic(_axis_mev(points[-1], energy.value))
        tell("E21", f"lo_{place + 1}", energy, "meV")
        seen = _mean([copy.ratio for copy in copies])
        gain, change = _efficiency(points[-1], line.below_mev.value)
        factor = Measured(seen.value / gain, seen.error / gain)
        tell("E22", f"huang_rhys_{place + 1}", factor.plus_systematic(change * factor.value), "")
    return found


def _efficiency(point: FittedManifold, below_mev: float) -> tuple[float, float]:
    """Return the efficiency at a replica over that at the exciton, and its relative error."""
    known, apart_nm = point.spectrum.efficiency, _apart_nm(point.fit, below_mev)
    if known is None:
        return 1.0, _RESPONSE_PER_NM * apart_nm
    at_nm = ev_to_air_nm(point.fit.centre_ev.value)
    exciton, replica = known.relative(np.array([at_nm, at_nm + apart_nm])).tolist()
    return replica / exciton, known.error_per_nm * apart_nm


def _apart_nm(fit: ManifoldFit, below_mev: float) -> float:
    energy_ev = fit.centre_ev.value
    return ev_to_air_nm(energy_ev - 1e-3 * below_mev) - ev_to_air_nm(energy_ev)


def _axis_mev(point: FittedManifold, below_mev: float) -> float:
    """Return the error of an energy difference by that of the axis, in meV."""
    return distance_error_mev(point.spectrum, point.fit.centre_ev.value, below_mev)


def _centre_error(fit: ManifoldFit, weight: float) -> tuple[float, tuple[str, ...]]:
    """Return what a line of the triplet that is not seen may change, in meV, and words on it."""
    offsets = fit.offsets_mev
    if offsets.size != 2:
        return 0.0, ()
    apart = float(np.ptp(offsets))
    text = "two of three lines of the exciton are seen: its centre is uncertain by the third"
    # The third may lie one splitting beyond either: the mean of three moves by half of one.
    return weight * apart / 2, (text,)


def _mean(values: Sequence[Measured]) -> Measured:
    """Return the weighted mean; its error grows where the values differ too much."""
    weights = np.array([1 / max(one.error, 1e-12) ** 2 for one in values])
    every = np.array([one.value for one in values])
    mean, variance = float(weights @ every / weights.sum()), 1 / float(weights.sum())
    chi2 = float(weights @ (every - mean) ** 2) / max(len(values) - 1, 1)
    return Measured(mean, math.sqrt(variance * max(chi2, 1.0)))


def _table(points: Sequence[FittedManifold]) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    for one in points:
        head = (one.spectrum.point, one.spectrum.peak_fluence_uj_cm2)
        for line in one.fit.lines:
            below, ratio = line.below_mev, line.ratio
            rows.append((*head, line.kind, below.value, below.error, ratio.value, ratio.error))
    return ResultTable("lines", _UNITS, tuple(rows))
