"""The table of honest errors: what is outside its bounds, and how sections are renewed."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.coverage import Case, Observation, find_cases, rows
from benchmarks.coverage.__main__ import main
from benchmarks.coverage._document import Section, merged


def case(name: str, quantities: tuple[str, ...] = ("tau",), scale: float = 1.0) -> Case:
    def observe(seed: int) -> dict[str, Observation]:
        pull = float(np.random.default_rng(seed).standard_normal())
        return {"tau": Observation(5.0 + 0.1 * scale * pull, 0.1, 5.0)}

    return Case(name, "E02", quantities, observe, "What counts as true.")


def section(one: Case, seeds: range) -> Section:
    return Section(one, seeds, rows([one.pulls(seed) for seed in seeds]))


def test_honest_errors_are_within_and_others_are_not() -> None:
    for scale, within in ((1.0, True), (0.5, False), (2.0, False)):
        (row,) = section(case("trpl", scale=scale), range(100)).table
        assert (row.outside == ()) is within
        assert row.sd == pytest.approx(scale, rel=0.3)


def test_what_was_not_determined_puts_a_row_outside() -> None:
    good = [case("trpl").pulls(seed) for seed in range(99)]
    (row,) = rows([*good, {"tau": Observation(5.0, math.nan, 5.0).pull}])
    assert row.outside == ("mean", "sd")
    assert row.covered(1e9) == 0.99


def test_a_case_returns_what_it_names() -> None:
    with pytest.raises(ValueError, match="tau, width"):
        case("trpl", quantities=("width",)).pulls(0)


def test_sections_are_renewed_one_by_one(tmp_path: Path) -> None:
    page, trpl, g2 = tmp_path / "coverage.md", case("trpl"), case("g2")
    cases = {"trpl": trpl, "g2": g2}
    for seeds in (range(1000, 1100), range(100)):
        page.write_text(merged(page, [section(trpl, seeds)], cases), "utf-8")
    before = page.read_text("utf-8")
    page.write_text(merged(page, [section(g2, range(100))], cases), "utf-8")
    after = page.read_text("utf-8")
    headings = [line for line in after.splitlines() if line.startswith("## ")]
    assert headings == [
        "## E02 g2, seeds 0 to 99",
        "## E02 trpl, seeds 0 to 99",
        "## E02 trpl, seeds 1000 to 1099",
    ]
    assert before[before.index("## ") :] in after
    assert merged(page, [], {"g2": g2}).count("## ") == 1


def test_the_cases_have_names_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    cases = find_cases()
    assert {"spectrum", "temperature-series"} <= set(cases)
    assert main(["--list", "--only", "E04"]) == 0
    assert "E04 temperature-series" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no case E99"):
        main(["--only", "E99"])
