"""``labctl run`` for programs, wrong input of all files at once, ``analyze`` on a folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labctl.cli import app
from small_setup import RECIPE, Bench

SETUP_WITH_MISTAKES = {
    "princeton.spectrapro": "princeton.spectrapor",
    "safe_state: [shutter.close": "safe_state: [shuter.close",
}
RECIPE_WITH_MISTAKES = """
name: three points
sample: {name: CsPbBr3 23 nm, dot: A99}
steps:
  - scan: cryostat.temperature
    values: [4, 1200]
    steps:
      - scan: spectrograph.wavelength
        values: [531]
        steps:
          - spectrum: {exposure: 1 s}
"""
ONE_POINT = RECIPE.replace("[4, 12, 20]", "[4]")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def run(bench: Bench, recipe: Path, setup: Path, *more: str) -> tuple[int, list[str], str]:
    out = str(bench.folder / "data")
    words = ["run", str(recipe), "--setup", str(setup), "--simulate", "--out", out, *more]
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.stdout.splitlines(), result.stderr


def test_events_and_result_as_json_lines(bench: Bench) -> None:
    status, lines, _ = run(bench, bench.recipe(ONE_POINT), bench.setup(), "--json")
    assert status == 0
    *events, result = map(json.loads, lines)
    assert [event["seq"] for event in events] == list(range(len(events)))
    kinds = [event["kind"] for event in events]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_stopped")
    assert kinds.count("point_stored") == 1
    assert result["kind"] == "result"
    assert (result["status"], result["skipped"], result["problems"]) == ("complete", 0, [])
    assert result["product"] == events[-1]["product"]
    assert Path(result["product"]).is_file()
    analyzed = CliRunner().invoke(app, ["analyze", str(bench.folder / "data")])
    assert analyzed.exit_code == 0, analyzed.stderr
    assert "three points" in analyzed.stdout


def test_a_refused_run_is_one_json_line_with_all_problems(bench: Bench) -> None:
    recipe = bench.recipe(RECIPE_WITH_MISTAKES)
    status, lines, _ = run(bench, recipe, bench.setup(), "--json")
    assert status == 2
    (result,) = map(json.loads, lines)
    assert (result["kind"], result["status"], result["journal"]) == ("result", "refused", None)
    assert [problem["where"] for problem in result["problems"]] == [f"{recipe}:3", f"{recipe}:6"]


def wrong_setup(bench: Bench) -> Path:
    path = bench.setup()
    text = path.read_text("utf-8")
    for right, wrong in SETUP_WITH_MISTAKES.items():
        assert right in text
        text = text.replace(right, wrong)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("command", ["run", "check"])
def test_what_is_wrong_in_set_up_and_recipe_is_told_together(bench: Bench, command: str) -> None:
    setup, recipe = wrong_setup(bench), bench.recipe(RECIPE_WITH_MISTAKES)
    if command == "run":
        status, lines, err = run(bench, recipe, setup)
    else:
        result = CliRunner().invoke(app, ["check", str(recipe), str(setup)])
        status, lines, err = result.exit_code, result.stdout.splitlines(), result.stderr
    assert (status, lines) == (2, [])
    assert "'princeton.spectrapor'" in err
    assert "shuter" in err
    assert "the sample has no dot 'A99'" in err
    assert "cryostat.temperature: 1200 K is out of range" in err
    # The spectrograph is in the file; that it could not be read is not the recipe's fault.
    assert "no instrument 'spectrograph'" not in err
    assert "needs a spectrograph" not in err
    assert err.splitlines()[-1] == "4 problems; nothing was touched"
    assert not (bench.folder / "data").exists()


def test_a_set_up_that_is_no_yaml_leaves_the_form_of_the_recipe(bench: Bench) -> None:
    setup = bench.setup()
    setup.write_text("instruments: [", "utf-8")
    recipe = bench.recipe(RECIPE_WITH_MISTAKES.replace("exposure: 1 s", "exposure: 1 K"))
    status, _, err = run(bench, recipe, setup)
    assert status == 2
    assert f"{setup}" in err
    assert f"{recipe}:11" in err


def test_several_runs_in_a_folder_are_listed(tmp_path: Path, two_runs: list[Path]) -> None:
    result: Any = CliRunner().invoke(app, ["analyze", str(tmp_path)])
    assert result.exit_code == 2
    assert "2 runs lie in this folder" in result.stderr
    assert all(str(path) in result.stderr for path in two_runs)


def test_a_folder_without_runs_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["analyze", str(tmp_path)])
    assert result.exit_code == 2
    assert "there is no run in this folder" in result.stderr


@pytest.fixture
def two_runs(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / "2026" / name for name in ("run_a", "run_b")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / f"{folder.name}.lcj").touch()
    return folders
