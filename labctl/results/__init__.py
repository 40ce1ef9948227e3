"""Results of stored runs: quantities with errors, tables, JSON and figures."""

from typing import TYPE_CHECKING

from labctl.results._analyze import RunAnalysis, analyze, analyze_run, analyze_spectra, compared
from labctl.results._batch_results import DotRecord, batch_results, dot_records, size_nm
from labctl.results._bunching_results import (
    BunchedLight,
    bunched_light,
    bunching_results,
    near_delays,
)
from labctl.results._decay_results import DecayAnalysis, analyze_decays
from labctl.results._decays import FittedDecay, fit_decays
from labctl.results._export import (
    DECAY_HEADER,
    TABLE_HEADER,
    as_json,
    decay_rows,
    format_measured,
    json_text,
    law_lines,
    table_rows,
)
from labctl.results._failure import Failure, read_failure
from labctl.results._given import Given, parse_given
from labctl.results._meanings import meaning
from labctl.results._pair_points import PairPoint, evaluate_points
from labctl.results._pair_records import PairCounters, PairRecords
from labctl.results._pair_results import analyze_pairs, pair_results
from labctl.results._points import FittedPoint
from labctl.results._replay import channels
from labctl.results._result import ExperimentResult, ResultTable
from labctl.results._rows import StoredRun
from labctl.results._source import StoredSpectrum
from labctl.results._stark_results import StarkAnalysis, StarkPoint
from labctl.results._stored_photons import StoredDecay, StoredPhotons, photon_points
from labctl.results._stream_photons import StreamPhotons, TimeResponse, combined_response
from labctl.results._stream_results import analyze_stream
from labctl.results._temperature_results import TemperatureLaws
from labctl.results._warnings import summarized

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "DECAY_HEADER",
    "TABLE_HEADER",
    "BunchedLight",
    "DecayAnalysis",
    "DotRecord",
    "ExperimentResult",
    "Failure",
    "FittedDecay",
    "FittedPoint",
    "Given",
    "PairCounters",
    "PairPoint",
    "PairRecords",
    "ResultTable",
    "RunAnalysis",
    "StarkAnalysis",
    "StarkPoint",
    "StoredDecay",
    "StoredPhotons",
    "StoredRun",
    "StoredSpectrum",
    "StreamPhotons",
    "TemperatureLaws",
    "TimeResponse",
    "analyze",
    "analyze_decays",
    "analyze_pairs",
    "analyze_run",
    "analyze_spectra",
    "analyze_stream",
    "as_json",
    "batch_results",
    "bunched_light",
    "bunching_results",
    "channels",
    "combined_response",
    "compared",
    "decay_rows",
    "dot_records",
    "evaluate_points",
    "figure_png",
    "fit_decays",
    "format_measured",
    "json_text",
    "law_lines",
    "meaning",
    "near_delays",
    "pair_results",
    "parse_given",
    "photon_points",
    "read_failure",
    "save_figure",
    "size_nm",
    "summarized",
    "table_rows",
]


def save_figure(analysis: RunAnalysis, path: "Path") -> "Path":
    """Draw the analysis and write it as PNG; returns the path.

    Raises:
        AnalysisError: If no spectrum was fitted.
        OSError: If the file cannot be written.
    """
    # matplotlib takes half a second to import, and only figures need it.
    from labctl.results import _figures

    return _figures.save_figure(analysis, path)


def figure_png(analysis: RunAnalysis, dpi: int = 150) -> bytes:
    """Draw the analysis; returns the PNG.

    Raises:
        AnalysisError: If nothing was fitted that could be drawn.
    """
    from labctl.results import _figures

    return _figures.figure_png(analysis, dpi)
