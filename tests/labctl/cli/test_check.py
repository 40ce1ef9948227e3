"""``labctl check``, ``schema`` and ``new``: status, both outputs, and nothing touched."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labctl.cli import app

CONFIGS = Path(__file__).parents[3] / "configs"
SETUP = str(CONFIGS / "setups" / "microscope.yaml")
RECIPE = str(CONFIGS / "recipes" / "temperature_series.yaml")
SAMPLES = [str(path) for path in sorted((CONFIGS / "samples").glob("*.yaml"))]


def labctl(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_everything_that_ships_is_right() -> None:
    status, out, err = labctl("check", SETUP, RECIPE, *SAMPLES)
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 2 + len(SAMPLES)
    assert "23 points" in out
    assert "on 'cryogenic micro-photoluminescence'" in out


def test_a_recipe_by_itself_is_checked_for_its_form() -> None:
    status, out, _ = labctl("check", RECIPE)
    assert status == 0
    assert "its form is right" in out


def test_problems_of_all_files_are_told_with_status_2(tmp_path: Path) -> None:
    recipe, sample = tmp_path / "recipe.yaml", tmp_path / "sample.yaml"
    recipe.write_text("name: x\nsteps:\n  - scan: cryostat.temperature\n    values: [1]\n"
                      "    steps: [{note: here}]\n")  # fmt: skip
    sample.write_text("schema_version: 1\nname: x\ncomposition: y\ndots: {A: {lifetime: 1 nm}}\n")
    neither = tmp_path / "neither.yaml"
    neither.write_text("name: x\n")
    files = [str(recipe), str(sample), str(neither), str(tmp_path / "nothing.yaml")]
    status, out, err = labctl("check", *files, "--setup", SETUP)
    assert status == 2
    assert out == ""
    assert f"{recipe}:4: cryostat.temperature: 1 K is out of range" in err
    assert f"{sample}:4: " in err
    assert f"{neither}:1: neither a set-up, nor a recipe, nor a sample" in err
    assert "nothing.yaml: cannot be read" in err
    assert err.splitlines()[-1] == "5 problems; nothing was touched"


def test_a_calibration_that_a_run_would_miss_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    recipe = tmp_path / "recipe.yaml"
    scan = "scan: attenuator.fluence\n    values: [1]\n    steps: [{note: here}]\n"
    recipe.write_text(f"name: x\nsteps:\n  - {scan}")
    status, out, err = labctl("check", str(recipe), "--setup", SETUP)
    assert (status, len(out.splitlines())) == (0, 1)
    assert "recipe.yaml:3: attenuator.fluence: the calibration 'power' of attenuator" in err
    assert "with the instruments and their simulators the run is refused" in err
    recipe.write_text(f"name: x\nsteps:\n  - calibrate: {{kind: power}}\n  - {scan}")
    assert labctl("check", str(recipe), "--setup", SETUP)[2] == ""


def test_json_for_machines(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\nstepps: []\nsteps: []\n")
    status, out, err = labctl("check", SETUP, str(bad), "--json")
    found: Mapping[str, Any] = json.loads(out)
    assert (status, err) == (2, "")
    assert list(found["ok"]) == [SETUP]
    assert found["problems"] == [
        {
            "what": "unknown key 'stepps'",
            "where": f"{bad}:2",
            "hint": "did you mean 'steps'? keys: description, experiment, given, name, on_error, "
            "sample, schema_version, steps",
        }
    ]


def test_a_run_that_is_none_fails_with_status_1(tmp_path: Path) -> None:
    status, _, err = labctl("check", str(tmp_path))
    assert status == 1
    assert "holds no journal" in err


@pytest.mark.parametrize("kind", ["recipe", "setup"])
def test_what_new_writes_is_right_and_is_never_overwritten(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.yaml"
    assert labctl("new", kind, str(path))[0] == 0
    assert labctl("check", str(path), "--setup", SETUP)[0] == 0
    path.write_text("mine")
    status, _, err = labctl("new", kind, str(path))
    assert status == 2
    assert "is there already" in err
    assert path.read_text() == "mine"


def test_new_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    status, _, err = labctl("new", "recipe", str(tmp_path / "no" / "recipe.yaml"))
    assert status == 2
    assert "cannot be written" in err


@pytest.mark.parametrize(("kind", "key"), [("recipe", "steps"), ("setup", "instruments")])
def test_schemas_are_json(kind: str, key: str) -> None:
    status, out, _ = labctl("schema", kind)
    assert status == 0
    assert key in json.loads(out)["properties"]


@pytest.mark.parametrize("arguments", [["frobnicate"], ["check"], ["new", "dot", "x"]])
def test_a_wrong_command_line_has_status_2(arguments: list[str]) -> None:
    assert labctl(*arguments)[0] == 2


def test_a_wrong_setup_ends_devices_with_status_2() -> None:
    status, _, err = labctl("devices", "--setup", "nothing.yaml")
    assert status == 2
    assert "cannot be read" in err


def test_help_lists_the_commands() -> None:
    status, out, _ = labctl("--help")
    assert status == 0
    known = ("run", "check", "new", "schema", "devices", "show", "analyze", "recover", "sim")
    for name in (*known, "report-failure", "resume"):
        assert f" {name} " in out


def test_nothing_heavy_is_imported_before_a_command_needs_it() -> None:
    code = (
        "import sys, labctl\n"
        "assert not {'pydantic', 'numpy'} & set(sys.modules)\n"
        "import labctl.cli\n"
        "heavy = {'pydantic', 'numpy', 'pint', 'h5py', 'xarray', 'scipy', 'labctl.host'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
