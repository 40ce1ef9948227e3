"""What importing labctl costs, and what it works without."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("PyQt5", "pyqtgraph", "pylablib", "h5py", "pint", "scipy", "matplotlib", "numba", "xarray")

BLOCK = """
import importlib, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(name + " is blocked here", name=name)

sys.meta_path.insert(0, Blocked())
for name in {modules!r}:
    importlib.import_module(name)
print(*sorted(sys.modules))
"""


def loaded_by(*modules: str, blocked: tuple[str, ...] = ()) -> set[str]:
    """Return the packages that a fresh interpreter has loaded after these imports."""
    program = BLOCK.format(modules=modules, blocked=blocked)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stdout.split()}


def core_modules() -> list[str]:
    """Return everything of labctl and its simulators but the window, private modules too."""
    tops = [ROOT / "labctl", ROOT / "sim_devices" / "labctl_sim"]
    files = [file for top in tops for file in top.rglob("*.py") if file.name != "__main__.py"]
    parts = [(f, f.relative_to(ROOT).with_suffix("").parts) for f in files]
    names = {".".join(p[p[0] != "labctl" :]).removesuffix(".__init__") for _, p in parts}
    optional = ("labctl.gui", "labctl.bluesky")
    return sorted(name for name in names if not name.startswith(optional))


def test_importing_labctl_loads_nothing_heavy() -> None:
    assert loaded_by("labctl").isdisjoint(HEAVY)


def test_importing_labctl_loads_few_modules() -> None:
    """The import stays under 0.1 s because it loads little; time itself is not measured here."""
    program = "import sys; n = len(sys.modules); import labctl; print(len(sys.modules) - n)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 60


@pytest.mark.parametrize("package", ["labctl.cli", "labctl.sequencer", "labctl.host"])
def test_a_main_package_works_without_qt(package: str) -> None:
    assert loaded_by(package, blocked=("PyQt5", "pyqtgraph", "pylablib"))


def test_everything_but_the_window_works_without_qt_and_pylablib() -> None:
    assert loaded_by(*core_modules(), blocked=("PyQt5", "pyqtgraph", "pylablib"))


def test_simulators_load_nothing_of_labctl() -> None:
    names = [name for name in core_modules() if name.startswith("labctl_sim")]
    assert loaded_by(*names).isdisjoint({"labctl", "labctl_drivers", "pyvisa"})
