"""Kernels are compiled, or loaded, before light is let in, never while photons come."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("armed_script.py")
SUPPORT = Path(__file__).parents[1] / "support"


def test_nothing_is_compiled_between_light_on_and_light_off(tmp_path: Path) -> None:
    start = f"import sys, runpy; sys.path.insert(0, {str(SUPPORT)!r}); sys.argv = sys.argv[1:]; "
    start += "runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", start, str(SCRIPT), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["reason"] == ""
    # The live fit was made with the response that the same run has taken.
    assert found["fitted"] >= 1
    built = found["built"]
    assert "labctl.photons._pipeline.count_channels" in built
    assert "labctl.analysis._decay_kernels.convolve_modes" in built
    assert [name for name, lit in built.items() if lit] == []
