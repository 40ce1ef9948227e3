"""The compiler works while the rig is built, before any clock runs: cold it takes half a minute.

Afterwards it would stop the world in the middle of a call for longer than the clock's watchdog
lets pass.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.timeout(300)
def test_nothing_is_compiled_once_the_modules_are_built() -> None:
    # A fresh process: here other tests may have compiled what the modules forgot.
    support = str(HERE.parents[1] / "support")
    done = subprocess.run(
        [sys.executable, str(HERE / "compile_probe.py")],
        env={**os.environ, "PYTHONPATH": support},
        capture_output=True,
        text=True,
        timeout=240.0,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
