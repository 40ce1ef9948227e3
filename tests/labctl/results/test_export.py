"""JSON, tables and figures of analysed runs."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
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
from labctl.results._figures import draw, heading
from labctl.results._meanings import meaning

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


def test_every_quantity_is_explained(analysis: RunAnalysis, store: Any, planted: Any) -> None:
    single = analyze_run(store([planted(temperature_k=None)], seed=1))
    for found in (analysis, single):
        entries = json.loads(json_text(found))["results"]
        assert entries
        assert [entry["quantity"] for entry in entries if not entry["meaning"]] == []
    assert meaning("fwhm_intrinsic_coldest").endswith("taken out, at the coldest point.")
    assert meaning("lifetime_at_2.335_ev").endswith("taken out, detected at 2.335 eV.")
    assert meaning("colour") == meaning("colour_warmest") == ""


def test_the_json_says_what_was_measured(analysis: RunAnalysis) -> None:
    found = json.loads(json_text(analysis))
    assert found["title"] == "A planted series"
    assert found["sample"] == {"name": "CsPbBr3 23 nm", "dot": "A7"}
    assert found["simulated"] is True


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


def test_the_figure_says_what_of_and_by_which_law(analysis: RunAnalysis) -> None:
    assert heading(analysis) == "A planted series – CsPbBr3 23 nm, dot A7 – simulated"
    measured = dataclasses.replace(analysis, sample="", dot="", simulated=False)
    assert heading(measured) == "A planted series"
    found = {result.quantity: result for result in analysis.results if result.point is None}
    upper, lower = draw(analysis).subfigs[1].subfigs
    (widths, width_residuals), (energies, energy_residuals) = upper.axes, lower.axes
    width_names = ("gamma_0", "sigma", "gamma_lo", "e_lo")
    energy_names = ("energy_4k", "shift_a", "shift_b", "shift_e_ph")
    for shown, names in ((widths, width_names), (energies, energy_names)):
        for name in names:
            text = f"{format_measured(found[name].measured)} {found[name].unit}"
            assert text in shown.get_title(), name
    # One residual in standard errors per fitted point, and the zero line.
    for shown in (width_residuals, energy_residuals):
        zero, points = shown.lines
        assert set(zero.get_ydata()) == {0.0}
        assert len(points.get_ydata()) == 4
        assert np.all(np.abs(points.get_ydata()) < 6)


def test_the_residuals_of_a_spectrum_are_in_standard_deviations(store: Any, planted: Any) -> None:
    analysis = analyze_run(store([planted(temperature_k=None)]))
    _, below = draw(analysis).axes
    _, residuals = below.lines
    values = residuals.get_ydata()
    (fit,) = [point.fit for point in analysis.points]
    assert fit is not None
    # The residuals of a fit that is right scatter like the noise: chi2 / n within five sigma.
    assert np.mean(values**2) == pytest.approx(1.0, abs=5 * (2 / values.size) ** 0.5)


def test_figure_of_single_spectra(store: Any, planted: Any, tmp_path: Path) -> None:
    analysis = analyze_run(store([planted(temperature_k=None)]))
    assert save_figure(analysis, tmp_path / "one.png").stat().st_size > 10_000


def test_no_figure_without_a_fit(store: Any, planted: Any, tmp_path: Path) -> None:
    analysis = analyze_run(store([planted(electrons=0.0)]))
    with pytest.raises(AnalysisError, match="nothing was fitted"):
        save_figure(analysis, tmp_path / "none.png")


def test_a_table_knows_its_columns(analysis: RunAnalysis) -> None:
    table = analysis.results[0].tables[0]
    assert table.column("point") == (0, 1, 2, 3, 4)
    with pytest.raises(KeyError):
        table.column("colour")
