"""E08 and E09: lines behind the edge filter and behind a turned analyser."""

import math
from functools import lru_cache

import numpy as np

from benchmarks.coverage import Case, Observation, observed
from benchmarks.rendered_filters import FilterTruth, render_edge, render_polarization
from labctl.analysis import Measured
from labctl.results import ExperimentResult, analyze_spectra

__all__ = ["CASES"]

ANGLES_DEG = tuple(np.arange(0.0, 360.0, 30.0).tolist())
_NOTHING = Measured(math.nan, math.nan)
_LINES = ("1", "2", "3")


@lru_cache(maxsize=4)
def _polarization(seed: int) -> tuple[dict[str, Measured], FilterTruth]:
    spectra, truth = render_polarization(seed, ANGLES_DEG)
    results = analyze_spectra(spectra, "polarization sweep", experiment="E09").results
    return _by_name(results), truth


def _by_name(results: tuple[ExperimentResult, ...]) -> dict[str, Measured]:
    return {one.quantity: one.measured for one in results}


def _observe_polarization(seed: int) -> dict[str, Observation]:
    found, truth = _polarization(seed)
    observations = {
        "fine_structure_splitting": observed(
            found.get("fine_structure_splitting_exciton", _NOTHING), truth.splitting_mev
        ),
        # The populations are equal, so the light of all three lines is unpolarized.
        "s1_exciton": observed(found.get("s1_exciton", _NOTHING), 0.0),
        "s2_exciton": observed(found.get("s2_exciton", _NOTHING), 0.0),
    }
    for line, angle_deg in zip(_LINES, truth.angles_deg, strict=True):
        measured = found.get(f"angle_exciton_{line}", _NOTHING)
        off_deg = (measured.value - angle_deg + 90.0) % 180.0 - 90.0
        observations[f"angle_exciton_{line}"] = observed(Measured(off_deg, measured.error), 0.0)
    return observations


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
        "polarization-sweep",
        "E09",
        (
            "fine_structure_splitting",
            "s1_exciton",
            "s2_exciton",
            *(f"angle_exciton_{line}" for line in _LINES),
        ),
        _observe_polarization,
        "Dot C5 of the 30 nm batch at 1.5 uJ/cm2 and 4 K, 1800/mm, twelve angles of five frames, "
        "fixed polarization behind the analyser. True are the directions of the projected dipoles; "
        "the light of the three lines together is unpolarized, because their populations are "
        "equal. The dispersion of the lamp lines is in the error of the splitting only as far as "
        "the lines show it.",
    ),
    Case(
        "edge-filter",
        "E08",
        ("fine_structure_splitting", "biexciton_binding"),
        _observe_edge,
        "Dot C5 of the 30 nm batch at 0.85 uJ/cm2 and 4 K, 1800/mm, twenty frames without filter.",
    ),
)
