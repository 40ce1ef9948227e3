"""``labctl show``: what there is, and what there is not."""

from pathlib import Path

from typer.testing import CliRunner

import labctl
from labctl.cli import app


def test_a_folder_without_runs_is_told_in_words(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["show", str(tmp_path)])
    assert result.exit_code == 0
    assert result.stdout == ""
    assert f"no run lies below {tmp_path}" in result.stderr


def test_completion_offers_what_a_script_begins_with() -> None:
    assert {"station", "Spectrum"} <= set(dir(labctl))
    assert "Any" not in dir(labctl)
