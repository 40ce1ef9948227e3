"""E03, E05, E25: many dots of one or several runs, as batches of samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from labctl.analysis import Measured
from labctl.errors import AnalysisError
from labctl.results._given import Given
from labctl.results._result import Cell, ExperimentResult, ResultTable

if TYPE_CHECKING:
    from labctl.results._analyze import RunAnalysis

__all__ = ["SIZING", "DotRecord", "batch_results", "dot_records", "size_nm"]

SIZING = ("bulk_energy", "confinement", "reference_length")
"""Names of the parameters of the sizing law that the analysis is given, in eV, eV and nm."""
_REFERENCE_NM = 7.0
_DOT = "dot.name"
_FAST_PS = 100.0
_UNITS = {
    "sample": "",
    "dot": "",
    "energy": "eV",
    "energy_error": "eV",
    "lifetime": "ps",
    "lifetime_error": "ps",
    "size": "nm",
    "size_error": "nm",
}


@dataclass(frozen=True)
class DotRecord:
    """What is known of one dot; None where it was not measured.

    Attributes:
        sample: Name of its sample.
        dot: Its name.
        energy_ev: Peak energy.
        lifetime_ps: Lifetime of its exciton.
    """

    sample: str
    dot: str
    energy_ev: Measured | None
    lifetime_ps: Measured | None


def dot_records(analyses: "Sequence[RunAnalysis]") -> list[DotRecord]:
    """Return one record per dot of all runs, the weighted means of its points.

    A point names its dot in the setting ``dot.name``; a run without that is one dot, the one that
    its recipe names.
    """
    energies: dict[tuple[str, str], list[Measured]] = {}
    lifetimes: dict[tuple[str, str], list[Measured]] = {}
    for one in analyses:
        for point in one.points:
            if point.fit is not None:
                key = (one.sample, point.spectrum.dot or one.dot)
                energies.setdefault(key, []).append(point.energy_ev or point.fit.energy_ev)
        for decay in one.decays.decays if one.decays is not None else ():
            if decay.fit is not None:
                key = (one.sample, str(decay.decay.source.values.get(_DOT) or one.dot))
                lifetimes.setdefault(key, []).append(decay.fit.lifetime_ps)
    keys = sorted({*energies, *lifetimes})
    return [DotRecord(*k, _mean(energies.get(k)), _mean(lifetimes.get(k))) for k in keys]


def size_nm(energy_ev: Measured, given: Given) -> Measured:
    """Return the edge length of a dot from its peak energy at 4 K.

    Inverse of ``E(L) = E_bulk + C (L_ref / L)^2``; the calibration is the user's, and its errors
    count.

    Raises:
        AnalysisError: The law was not given, or the energy is not above that of the bulk.
    """
    missing = [name for name in SIZING[:2] if name not in given]
    if missing:
        msg = f"a size needs the sizing law of the composition: --given '{missing[0]}=…' in eV"
        raise AnalysisError(msg)
    bulk, confinement = given["bulk_energy"], given["confinement"]
    reference = given.get("reference_length", Measured(_REFERENCE_NM, 0.0))
    above = energy_ev.value - bulk.value
    if not above > 0:
        msg = f"{energy_ev.value:.4f} eV is not above the bulk's {bulk.value:.4f} eV"
        raise AnalysisError(msg)
    size = reference.value * math.sqrt(confinement.value / above)
    relative = math.hypot(
        reference.error / reference.value,
        confinement.error / confinement.value / 2,
        math.hypot(energy_ev.error, bulk.error) / above / 2,
    )
    return Measured(size, size * relative)


def batch_results(records: Sequence[DotRecord], given: Given) -> list[ExperimentResult]:
    """Return mean and scatter of each batch with errors, and sizes where the law was given.

    The scatter is that of the dots: the errors of the measurement are taken out of it. The
    share of fast dots has the error of a binomial share (Wilson's).
    """
    sizes, warnings = _sizes(records, given)
    tables = (_table(records, sizes),)
    found: list[ExperimentResult] = []
    samples = list(dict.fromkeys(one.sample for one in records))
    experiment = "E05" if len(samples) > 1 else "E03"

    def tell(name: str, sample: str, measured: Measured, unit: str, experiment: str) -> None:
        quantity = f"{name} of {sample}" if len(samples) > 1 else name
        value, error = measured.value, measured.error
        found.append(
            ExperimentResult(experiment, quantity, value, error, unit, None, tables, warnings)
        )

    for sample in samples:
        batch = [one for one in records if one.sample == sample]
        of_dots = (
            ("energy", "eV", [one.energy_ev for one in batch], experiment),
            ("lifetime", "ps", [one.lifetime_ps for one in batch], experiment),
            ("size", "nm", [sizes.get((one.sample, one.dot)) for one in batch], "E25"),
        )
        tell("dots", sample, Measured(len(batch), 0.0), "", experiment)
        for name, unit, values, row in of_dots:
            known = [value for value in values if value is not None]
            if len(known) >= 2:
                mean, scatter = _scatter(known)
                tell(f"{name}_mean", sample, mean, unit, row)
                tell(f"{name}_sd", sample, scatter, unit, row)
        times = [one.lifetime_ps.value for one in batch if one.lifetime_ps is not None]
        if times:
            tell(
                "fast_share",
                sample,
                _share(sum(t < _FAST_PS for t in times), len(times)),
                "",
                experiment,
            )
            fastest = min(
                (one.lifetime_ps for one in batch if one.lifetime_ps), key=lambda m: m.value
            )
            tell("lifetime_fastest", sample, fastest, "ps", experiment)
    return found


def _sizes(
    records: Sequence[DotRecord], given: Given
) -> tuple[dict[tuple[str, str], Measured], tuple[str, ...]]:
    if not any(name in given for name in SIZING):
        return {}, ()
    found: dict[tuple[str, str], Measured] = {}
    warnings: list[str] = []
    for one in records:
        if one.energy_ev is not None:
            try:
                found[one.sample, one.dot] = size_nm(one.energy_ev, given)
            except AnalysisError as error:
                warnings.append(f"dot {one.dot}: {error}")
    return found, tuple(warnings)


def _mean(values: Sequence[Measured] | None) -> Measured | None:
    if not values:
        return None
    weights = np.array([1 / max(one.error, 1e-12) ** 2 for one in values])
    every = np.array([one.value for one in values])
    return Measured(float(weights @ every / weights.sum()), float(weights.sum()) ** -0.5)


def _scatter(values: Sequence[Measured]) -> tuple[Measured, Measured]:
    """Return mean and standard deviation of the dots, each with its error."""
    every = np.array([one.value for one in values])
    own = float(np.mean([one.error**2 for one in values]))
    observed, number = float(every.var(ddof=1)), every.size
    scatter = math.sqrt(max(observed - own, 0.0))
    # Of the variance of n normal values: 2 / (n - 1), relative.
    error = observed * math.sqrt(2 / (number - 1)) / (2 * max(scatter, math.sqrt(observed) / 2))
    return Measured(float(every.mean()), math.sqrt(observed / number)), Measured(scatter, error)


def _share(hits: int, number: int) -> Measured:
    """Return a share with half of Wilson's interval, J. Am. Stat. Assoc. 22, 209 (1927)."""
    share = hits / number
    middle = (share + 0.5 / number) / (1 + 1 / number)
    half = math.sqrt(share * (1 - share) / number + 0.25 / number**2) / (1 + 1 / number)
    return Measured(middle, half)


def _table(records: Sequence[DotRecord], sizes: dict[tuple[str, str], Measured]) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    for one in records:
        cells: list[Cell] = [one.sample, one.dot]
        for value in (one.energy_ev, one.lifetime_ps, sizes.get((one.sample, one.dot))):
            cells += [None, None] if value is None else [value.value, value.error]
        rows.append(tuple(cells))
    return ResultTable("dots", _UNITS, tuple(rows))
