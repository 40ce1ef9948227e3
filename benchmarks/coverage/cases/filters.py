"""E08, E09: exciton and biexciton, what parts their lines, and how these are polarized."""

import math

from benchmarks.coverage import Case, Observation, observed
from benchmarks.rendered_filters import render_edge, render_polarization
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


_LINES = ("exciton_1", "exciton_2", "exciton_3", "biexciton_1", "biexciton_2", "biexciton_3")
_SPLITTINGS = ("fine_structure_splitting_exciton", "fine_structure_splitting_biexciton")
_ANGLES_DEG = tuple(15.0 * step for step in range(12))


def _observe_polarization(seed: int) -> dict[str, Observation]:
    spectra, truth = render_polarization(seed, _ANGLES_DEG)
    found = _by_name(analyze_spectra(spectra, "sweep").results)
    # Each line of the biexciton ends at a line of the exciton, mirrored in order.
    directions_deg = (*truth.angles_deg, *reversed(truth.angles_deg))
    seen: dict[str, Observation] = {}
    for name, true_deg in zip(_LINES, directions_deg, strict=True):
        angle = found.get(f"angle_{name}", _NOTHING)
        near_deg = true_deg + (angle.value - true_deg + 90.0) % 180.0 - 90.0
        seen[f"angle_{name}"] = observed(Measured(near_deg, angle.error), true_deg)
        seen[f"degree_{name}"] = observed(found.get(f"degree_{name}", _NOTHING), 1.0)
    for name in _SPLITTINGS:
        seen[name] = observed(found.get(name, _NOTHING), truth.splitting_mev)
    return seen


CASES = (
    Case(
        "edge-filter",
        "E08",
        ("fine_structure_splitting", "biexciton_binding"),
        _observe_edge,
        "Dot C5 of the 30 nm batch at 0.85 uJ/cm2 and 4 K, 1800/mm, twenty frames without filter.",
    ),
    Case(
        "polarization",
        "E09",
        (*(f"{what}_{name}" for name in _LINES for what in ("angle", "degree")), *_SPLITTINGS),
        _observe_polarization,
        "Dot C5 of the 30 nm batch at 1.5 uJ/cm2 and 4 K, 1800/mm, an analyser with fixed output at"
        " twelve angles, five frames each. The zero of the analyser is exact here.",
    ),
)
