"""E08: exciton and biexciton, and what parts their lines."""

import math

from benchmarks.coverage import Case, Observation, observed
from benchmarks.rendered_filters import render_edge
from labctl.analysis import Measured
from labctl.results import ExperimentResult, analyze_spectra

__all__ = ["CASES"]

_NOTHING = Measured(math.nan, math.nan)


def _by_name(results: tuple[ExperimentResult, ...]) -> dict[str, Measured]:
    return {one.quantity: one.measured for one in results}


def _observe_edge(seed: int) -> dict[str, Observation]:
    spectra, truth = render_edge(seed, (None,))
    results = analyze_spectra(spectra, "edge filter", experiment="E08").results
    found = _by_name(results)
    return {
        "fine_structure_splitting": observed(
            found.get("fine_structure_splitting", _NOTHING), truth.splitting_mev
        ),
        "biexciton_binding": observed(found.get("biexciton_binding", _NOTHING), truth.binding_mev),
    }


CASES = (
    Case(
        "edge-filter",
        "E08",
        ("fine_structure_splitting", "biexciton_binding"),
        _observe_edge,
        "Dot C5 of the 30 nm batch at 0.85 uJ/cm2 and 4 K, 1800/mm, twenty frames without filter.",
    ),
)
