"""JSON, tables and figures of analysed runs."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from labctl.analysis import Measured
from labctl.errors import AnalysisError
from labctl.results import (
    TABLE_HEADER,
    RunAnalysis,
    analyze_run,
    format_measured,
    json_text,
    law_lines,
    save_figure,
    table_rows,
)

TEMPERATURES = (4.0, 30.0, 50.0, 70.0, 90.0)


@pytest.fixture
def analysis(store: Any, planted: Any) -> RunAnalysis:
    points = [planted(t, lorentz_mev=0.4 + 1.3e-3 * t**2) for t in TEMPERATURES]
    points[1] = dataclasses.replace(points[1], electrons=0.0)
    return analyze_run(store(points))


def test_json_names_quantity_value_error_and_unit(analysis: RunAnalysis) -> None:
    found = json.loads(json_text(analysis))
    assert found["run"] == "run0"
    by_name = {entry["quantity"]: entry for entry in found["results"]}
    shift = by_name["blue_shift"]
    assert (shift["experiment"], shift["unit"]) == ("E04", "meV")
    assert isinstance(shift["value"], float)
    assert isinstance(shift["standard_error"], float)
    table = found["tables"]["temperature_series"]
    assert table["columns"]["temperature"] == list(TEMPERATURES)
    assert table["columns"]["energy"][1] is None
    assert table["columns"]["flags"][1] == "not fitted"
    assert table["units"]["fwhm_intrinsic"] == "meV"
    assert {len(column) for column in table["columns"].values()} == {5}


def test_numbers_that_are_not_finite_are_null(analysis: RunAnalysis) -> None:
    first = dataclasses.replace(analysis.results[0], value=math.nan, standard_error=math.inf)
    text = json_text(dataclasses.replace(analysis, results=(first,)))
    entry = json.loads(text)["results"][0]
    assert entry["value"] is None
    assert entry["standard_error"] is None


def test_one_row_per_point(analysis: RunAnalysis) -> None:
    rows = table_rows(analysis)
    assert len(rows) == 5
    assert all(len(row) == len(TABLE_HEADER) for row in rows)
    assert rows[0][0] == "4.00"
    assert float(rows[0][1].split(" ± ")[0]) == pytest.approx(2.334, abs=2e-4)
    assert " ± " in rows[0][2]
    assert rows[1][1] == "not fitted"
    assert any(line.startswith("blue_shift = ") for line in law_lines(analysis))


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        (Measured(2.3340123, 0.000023), "2.334012 ± 0.000023"),
        (Measured(56.71, 1.14), "56.7 ± 1.1"),
        (Measured(323229.4, 588.6), "323229 ± 589"),
        (Measured(1.5, 0.0), "1.5"),
        (Measured(math.nan, 1.0), "–"),
        (None, "–"),
    ],
)
def test_two_digits_of_the_error(measured: Measured | None, text: str) -> None:
    assert format_measured(measured) == text


def test_figure_of_a_series(analysis: RunAnalysis, tmp_path: Path) -> None:
    path = save_figure(analysis, tmp_path / "plots" / "series.png")
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 20_000


def test_figure_of_single_spectra(store: Any, planted: Any, tmp_path: Path) -> None:
    analysis = analyze_run(store([planted(temperature_k=None)]))
    assert save_figure(analysis, tmp_path / "one.png").stat().st_size > 10_000


def test_no_figure_without_a_fit(store: Any, planted: Any, tmp_path: Path) -> None:
    analysis = analyze_run(store([planted(electrons=0.0)]))
    with pytest.raises(AnalysisError, match="no fitted spectrum"):
        save_figure(analysis, tmp_path / "none.png")


def test_a_table_knows_its_columns(analysis: RunAnalysis) -> None:
    table = analysis.results[0].tables[0]
    assert table.column("point") == (0, 1, 2, 3, 4)
    with pytest.raises(KeyError):
        table.column("colour")
