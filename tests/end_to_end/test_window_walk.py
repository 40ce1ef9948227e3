"""The walk of ``docs/window.md``: from the first picture to the results, with a kill in between."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = 20


@pytest.mark.timeout(3600)
def test_a_new_user_finds_a_dot_and_measures_it(tmp_path: Path, torture: bool) -> None:
    if not torture:
        pytest.skip("takes ten minutes of life: only with --torture")
    environment = {**os.environ, "LABCTL_RUNTIME_DIR": str(tmp_path / "runtime")}
    command = [sys.executable, str(ROOT / "tools" / "walk.py"), str(tmp_path)]
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=3500
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    taken = sorted(tmp_path.glob("walk_*.png"))
    assert len(taken) == PICTURES
    shown = sorted(path.name for path in (ROOT / "docs" / "images").glob("walk_*.png"))
    assert [path.name for path in taken] == shown
    assert all(path.stat().st_size < 200_000 for path in taken)
