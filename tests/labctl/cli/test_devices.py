"""``labctl devices``: who answers and who does not; and ``show``, ``recover`` of what is no run."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labctl.cli import app

CONFIGS = Path(__file__).parents[3] / "configs"


def test_every_simulated_instrument_says_who_it_is() -> None:
    setup = str(CONFIGS / "setups" / "microscope.yaml")
    result = CliRunner().invoke(app, ["devices", "--setup", setup, "--simulate", "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found) == ["cryostat", "spectrograph", "camera", "shutter", "lamp"]
    assert all(entry["identity"] and not entry["error"] for entry in found.values())
    assert found["spectrograph"]["snapshot"]


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
