"""E11: photon statistics of drawn pulses."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import CascadeDraw, drawn_statistics
from labctl.errors import AnalysisError
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._rows import StoredRun, number, row_array, row_values

__all__ = ["photon_number_results"]

_KIND = "monte_carlo"
_UNITS = {
    "point": "",
    "mean_excitations": "",
    "biexciton_yield": "",
    "pulses": "",
    "x_to_xx": "",
    "x_to_xx_error": "",
    "g2_zero": "",
    "g2_zero_error": "",
}


def photon_number_results(run: StoredRun) -> list[ExperimentResult]:
    """Return X:XX and g2(0) of each point of drawn pulses; nothing if there are none.

    Without multiexciton photons there is no ratio X:XX.
    """
    rows: list[tuple[Cell, ...]] = []
    for key, dataset in run.data.items():
        if str(dataset.attrs.get("measurement", key)) != _KIND:
            continue
        for row in range(dataset.sizes["point"]):
            arrays = {name: row_array(dataset, name, row) for name in ("pulses", "lag", "pairs")}
            rows.append(_row(row_values(dataset, row), arrays))
    tables = (ResultTable("photon_statistics", _UNITS, tuple(rows)),)
    found: list[ExperimentResult] = []
    for cells in rows:
        named = dict(zip(_UNITS, cells, strict=True))
        for quantity in ("x_to_xx", "g2_zero"):
            value, error = named[quantity], named[f"{quantity}_error"]
            if isinstance(value, float) and isinstance(error, float):
                point = int(named["point"] or 0)
                found.append(ExperimentResult("E11", quantity, value, error, "", point, tables))
    return found


def _row(
    values: Mapping[str, object], arrays: Mapping[str, NDArray[np.float64]]
) -> tuple[Cell, ...]:
    draw = CascadeDraw(*(arrays[name].astype(np.int64) for name in ("pulses", "lag", "pairs")))
    head = (
        int(number(values.get("index"), 0)),
        number(values.get("statistics.mean_excitations"), float("nan")),
        number(values.get("statistics.biexciton_yield"), float("nan")),
        int(draw.pulses.sum()),
    )
    try:
        found = drawn_statistics(draw)
    except AnalysisError:
        return (*head, None, None, None, None)
    ratio = (None, None) if found.x_to_xx is None else (found.x_to_xx.value, found.x_to_xx.error)
    return (*head, *ratio, found.g2_zero.value, found.g2_zero.error)
