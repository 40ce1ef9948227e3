"""From a stored run to its results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labctl.errors import AnalysisError
from labctl.results._batch_results import batch_results, dot_records
from labctl.results._decay_results import DecayAnalysis, analyze_decays
from labctl.results._decays import fit_decays
from labctl.results._edge_results import edge_results
from labctl.results._given import Given, recipe_given
from labctl.results._manifold_results import ManifoldAnalysis, fit_manifolds, manifold_results
from labctl.results._pair_results import analyze_pairs
from labctl.results._points import FittedPoint, fit_points, fit_series
from labctl.results._polarization_results import is_polarization_sweep, polarization_results
from labctl.results._result import ExperimentResult
from labctl.results._rows import StoredRun, experiment_of
from labctl.results._source import StoredSpectrum, stored_spectra
from labctl.results._spectrum_results import spectrum_results
from labctl.results._stark_results import StarkAnalysis, analyze_stark
from labctl.results._stored_photons import stored_decays
from labctl.results._stream_results import analyze_streams
from labctl.results._temperature_results import (
    TemperatureLaws,
    fit_laws,
    temperature_results,
    transition_results,
)
from labctl.results._warm_results import FittedBand, fit_bands, stability_results, warm_results
from labctl.results._yield_results import yield_results

__all__ = ["RunAnalysis", "analyze", "analyze_run", "analyze_spectra", "compared"]

_SAME_TEMPERATURE_K = 1.0
_MANIFOLDS = ("E21", "E22")
_WARM = ("E13", "E17", "E18")


@dataclass(frozen=True, eq=False)
class RunAnalysis:
    """Everything that the analysis of a run found.

    Attributes:
        run: Unique name of the run.
        title: Its title.
        points: Fitted spectra, in order of temperature or of acquisition.
        laws: Of a temperature series of spectra, None otherwise.
        results: Quantities by experiment.
        decays: Fitted decays and their laws; None without decays.
        stark: Peaks against the applied field; None if none was swept.
        sample: Name of the sample; empty if the run names none.
        dot: Name of the dot.
        simulated: Whether the set-up was simulated.
        manifold: Exciton, trion, biexciton and replicas (E21); None otherwise.
        bands: Of spectra at room temperature (E13, E17, E18).
    """

    run: str
    title: str
    points: tuple[FittedPoint, ...]
    laws: TemperatureLaws | None
    results: tuple[ExperimentResult, ...]
    decays: DecayAnalysis | None = None
    stark: StarkAnalysis | None = None
    sample: str = ""
    dot: str = ""
    simulated: bool = False
    manifold: ManifoldAnalysis | None = None
    bands: tuple[FittedBand, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader must know: of the results, and why something was not fitted."""
        fitted = (*self.points, *(() if self.decays is None else self.decays.decays))
        unfitted = [text for one in fitted if one.fit is None for text in one.warnings]
        texts = [text for result in self.results for text in result.warnings]
        return tuple(dict.fromkeys([*texts, *unfitted]))


def analyze(run: StoredRun) -> list[ExperimentResult]:
    """Return the quantities that a run determines.

    Spectra or decays at temperatures more than 1 K apart are a temperature series (E04), spectra
    at several electric fields a Stark sweep (E23);
    otherwise each spectrum is an E01 of its own, and what was scanned says which experiment
    the decays are.

    Args:
        run: As returned by `labctl.storage.read_run`.

    Raises:
        AnalysisError: If the run holds nothing to analyse.
    """
    return list(analyze_run(run).results)


def analyze_run(run: StoredRun, given: Given | None = None) -> RunAnalysis:
    """Return the quantities together with the fits, for tables and figures.

    Args:
        run: As returned by `labctl.storage.read_run`.
        given: Numbers from outside by name, beside and before those of the recipe.

    Raises:
        AnalysisError: If the run holds nothing to analyse.
    """
    spectra, decays = stored_spectra(run), stored_decays(run)
    pairs, streams = analyze_pairs(run), analyze_streams(run)
    if not (spectra or decays or pairs or streams):
        msg = f"run {run.uid} has neither spectra nor photons to analyse"
        raise AnalysisError(msg)
    found = RunAnalysis(run.uid, run.title, (), None, ())
    told = {**recipe_given(run), **(given or {})}
    if spectra and experiment_of(run) in _WARM:
        found = _warm(found, spectra, experiment_of(run), pairs)
    elif spectra:
        found = analyze_spectra(spectra, run.uid, run.title, experiment_of(run))
    if experiment_of(run) == "E07":
        found = replace(found, results=tuple(yield_results(found.points, told)))
    stark = analyze_stark(run, found.points)
    if stark is not None:
        found = replace(found, stark=stark, results=stark.results or found.results)
    if decays:
        fitted = analyze_decays(fit_decays(decays))
        found = replace(found, decays=fitted, results=(*found.results, *fitted.results))
    found = replace(found, results=(*found.results, *pairs, *streams))
    sample: Mapping[str, Any] = run.start.get("sample") or {}
    found = replace(
        found,
        sample=str(sample.get("name", "")),
        dot=str(sample.get("dot", "")),
        simulated=bool(run.start.get("simulated", False)),
    )
    records = dot_records([found])
    batch = batch_results(records, told) if len(records) > 1 else []
    return replace(found, results=(*found.results, *batch))


def compared(analyses: Sequence[RunAnalysis], given: Given | None = None) -> RunAnalysis:
    """Return what the dots of several runs are together: batches, one for each sample."""
    results = batch_results(dot_records(analyses), given or {})
    names = ", ".join(one.run for one in analyses)
    simulated = any(one.simulated for one in analyses)
    return RunAnalysis(names, "comparison", (), None, tuple(results), simulated=simulated)


def _warm(
    found: RunAnalysis,
    spectra: Sequence[StoredSpectrum],
    experiment: str,
    pairs: Sequence[ExperimentResult],
) -> RunAnalysis:
    bands, warnings = fit_bands(spectra)
    if experiment == "E13":
        zeros = {one.point: one.measured for one in pairs if one.quantity == "g2_zero"}
        known = {point: zero for point, zero in zeros.items() if point is not None}
        results = stability_results(bands, known, warnings)
    else:
        results = warm_results(bands, experiment, warnings)
    return replace(found, bands=tuple(bands), results=tuple(results))


def analyze_spectra(
    spectra: Sequence[StoredSpectrum], run: str, title: str = "", experiment: str = ""
) -> RunAnalysis:
    """Return what spectra determine that belong together, wherever they come from.

    Args:
        spectra: In the order of acquisition, at least one.
        run: Name to give the analysis.
        title: Title to give it.
        experiment: Id that the recipe gives; empty: none.
    """
    if experiment in _MANIFOLDS:
        manifold = fit_manifolds(spectra)
        results = tuple(manifold_results(manifold))
        return RunAnalysis(run, title, (), None, results, manifold=manifold)
    if _is_series(spectra):
        points = fit_series(spectra)
        if experiment == "E24":
            laws = fit_laws(points, transition=True)
            return RunAnalysis(
                run, title, tuple(points), laws, tuple(transition_results(points, laws))
            )
        laws = fit_laws(points)
        results = temperature_results(points, laws)
        return RunAnalysis(run, title, tuple(points), laws, tuple(results))
    behind_filters = _of_filters(spectra, experiment)
    if behind_filters:
        return RunAnalysis(run, title, (), None, tuple(behind_filters))
    points = fit_points(spectra)
    return RunAnalysis(run, title, tuple(points), None, tuple(spectrum_results(points)))


def _of_filters(spectra: Sequence[StoredSpectrum], experiment: str) -> list[ExperimentResult]:
    """Return what a turned analyser (E09) or an edge filter (E08) tells; nothing without them."""
    if is_polarization_sweep(spectra):
        return polarization_results(spectra)
    return edge_results(spectra) if experiment == "E08" else []


def _is_series(spectra: Sequence[StoredSpectrum]) -> bool:
    values = [s.temperature_k.value for s in spectra if s.temperature_k is not None]
    return len(values) >= 2 and max(values) - min(values) > _SAME_TEMPERATURE_K
