"""``labctl devices``: who answers and who does not; and ``show``, ``recover`` of what is no run."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labctl.cli import app
from labctl.setup import load_setup
from small_setup import Bench

CONFIGS = Path(__file__).parents[3] / "configs"


def test_every_simulated_instrument_says_who_it_is() -> None:
    setup = str(CONFIGS / "setups" / "microscope.yaml")
    result = CliRunner().invoke(app, ["devices", "--setup", setup, "--simulate", "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found) == list(load_setup(setup).instruments)
    assert {"cryostat", "spectrograph", "camera", "tagger", "stage"} <= found.keys()
    assert all(entry["identity"] and not entry["error"] for entry in found.values())
    assert found["spectrograph"]["snapshot"]


def other_gratings(folder: Path, installed: str) -> str:
    """Write a set-up with a spectrograph in which other gratings are installed."""
    path = Bench(folder).setup()
    declared = "gratings: {1: 300/mm, 2: 1800/mm}\n"
    truth = f"    simulate: {{truth: {{installed: '{installed}'}}}}\n"
    text = path.read_text("utf-8").replace(declared, declared + truth)
    assert installed in text
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("installed", "told"),
    [
        ("300/500, 1200/500", "grating 2 is 1200/mm, the set-up says 1800/mm"),
        ("300/500", "grating 2 is not installed, the set-up says 1800/mm"),
        ("mirror, 1800", "grating 1 is 0/mm, the set-up says 300/mm"),
    ],
)
def test_gratings_that_are_not_those_of_the_set_up_are_an_error(
    tmp_path: Path, installed: str, told: str
) -> None:
    setup = other_gratings(tmp_path, installed)
    result = CliRunner().invoke(app, ["devices", "--setup", setup, "--simulate"])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("spectrograph: '?GRATINGS': ")
    assert told in line


def test_a_run_with_other_gratings_does_not_begin(tmp_path: Path) -> None:
    setup = other_gratings(tmp_path, "300/500, 1200/500")
    recipe, out = str(Bench(tmp_path).recipe()), tmp_path / "data"
    command = ["run", recipe, "--setup", setup, "--simulate", "--out", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert result.stderr.count("spectrograph: ") == 1
    assert "grating 2 is 1200/mm, the set-up says 1800/mm" in result.stderr
    assert not out.exists()


def test_gratings_that_cannot_be_are_wrong_input(tmp_path: Path) -> None:
    setup = other_gratings(tmp_path, "3OO")
    result = CliRunner().invoke(app, ["devices", "--setup", setup, "--simulate"])
    assert result.exit_code == 2
    assert "'3oo' is no grating" in result.stderr


def test_all_that_do_not_answer_are_told(tmp_path: Path) -> None:
    setup = tmp_path / "setup.yaml"
    setup.write_text(
        "schema_version: 1\nname: dead\ninstruments:\n"
        "  cryostat: {driver: montana.cryostation, address: 'TCPIP::127.0.0.1::9::SOCKET'}\n"
        "  shutter: {driver: thorlabs.sc10, address: 'TCPIP::127.0.0.1::10::SOCKET'}\n"
    )
    result = CliRunner().invoke(app, ["devices", "--setup", str(setup)])
    assert result.exit_code == 1
    assert "cryostat: " in result.stderr
    assert "shutter: " in result.stderr
    assert "does not answer" in result.stdout


@pytest.mark.parametrize("command", ["show", "recover", "analyze"])
def test_what_is_no_run_fails_with_status_1(command: str, tmp_path: Path) -> None:
    path = tmp_path / "nothing.nxs"
    result = CliRunner().invoke(app, [command, str(path)])
    assert result.exit_code == 1
    assert "nothing" in result.stderr or str(tmp_path) in result.stderr
