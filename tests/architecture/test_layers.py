"""Every import contract holds on the tree, and breaks alone when somebody violates it."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("labctl", "drivers", "sim_devices")

LAYERS = "Each floor of labctl rests only on the floors below it"
CORE = "labctl finds drivers and simulators by entry point, never by import"
DRIVERS = "Drivers see roles, transport, photons, units, errors and clock, nothing else of ours"
VENDORS = "Drivers of one vendor know nothing of another vendor's"
SIMULATORS = (
    "Simulators share nothing with the instruments' users: no labctl, no driver, no client library"
)
WINDOW = "Only labctl.gui imports Qt"
PYLABLIB = "Only drivers import pylablib"

FLOORS = [
    ["gui", "cli", "bluesky"],
    ["host"],
    ["sequencer"],
    ["results"],
    ["storage"],
    ["recipes"],
    ["measurements"],
    ["stations"],
    ["setup", "transport"],
    ["analysis"],
    ["roles"],
    ["photons", "optics"],
    ["events"],
    ["units", "clock"],
    ["errors"],
]


class Violation(NamedTuple):
    """Module ``module`` (made for the purpose) imports ``imported``: ``contract`` must break."""

    module: str
    imported: str
    contract: str


def _upward() -> Iterator[Violation]:
    for upper, lower in itertools.pairwise(FLOORS):
        if lower[0] not in ("units", "errors"):
            yield Violation(f"labctl.{lower[0]}", f"labctl.{upper[0]}", LAYERS)


VIOLATIONS = [
    *_upward(),
    Violation("labctl.cli", "labctl.gui", LAYERS),
    Violation("labctl.gui", "labctl.bluesky", LAYERS),
    Violation("labctl.setup", "labctl.transport", LAYERS),
    Violation("labctl.optics", "labctl.photons", LAYERS),
    Violation("labctl.unplaced", "labctl.errors", LAYERS),
    Violation("labctl.sequencer", "labctl_drivers", CORE),
    Violation("labctl.host", "labctl_sim", CORE),
    Violation("labctl_drivers.planted", "labctl.stations", DRIVERS),
    Violation("labctl_drivers.planted", "labctl.analysis", DRIVERS),
    Violation("labctl_drivers.planted", "labctl_sim", DRIVERS),
    Violation("labctl_drivers.planted", "labctl_drivers.planted_too", VENDORS),
    Violation("labctl_sim.planted", "labctl.errors", SIMULATORS),
    Violation("labctl_sim.planted", "labctl_drivers", SIMULATORS),
    Violation("labctl_sim.planted", "pyvisa", SIMULATORS),
    Violation("labctl_sim.planted", "PyQt5", SIMULATORS),
    Violation("labctl.analysis", "PyQt5.QtCore", WINDOW),
    Violation("labctl_drivers.planted", "pyqtgraph", WINDOW),
    Violation("labctl.transport", "pylablib", PYLABLIB),
]


class Tree:
    """A copy of the sources in which violations are planted and removed again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in SOURCES:
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, root / name, ignore=ignore)
        shutil.copy(ROOT / ".importlinter", root)

    def folder(self, package: str) -> Path:
        """Return where a package lies."""
        top, *rest = package.split(".")
        roots = {"labctl_drivers": "drivers", "labctl_sim": "sim_devices"}
        return self.root.joinpath(roots.get(top, ""), top, *rest)

    @contextmanager
    def planted(self, module: str, imported: str) -> Generator[None]:
        """Let ``module`` import ``imported``; both are made if they do not exist."""
        made = [*self._make(imported), *self._make(module)]
        folder = self.folder(module)
        victim = folder / "_planted.py" if folder.is_dir() else folder.with_suffix(".py")
        before = victim.read_text(encoding="utf-8") if victim.exists() else None
        victim.write_text(f"{before or ''}\nimport {imported}\n", encoding="utf-8")
        try:
            yield
        finally:
            if before is None:
                victim.unlink()
            else:
                victim.write_text(before, encoding="utf-8")
            for path in made:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def broken(self) -> set[str]:
        """Return the names of the contracts that do not hold."""
        output = self._lint()
        found = re.findall(r"^(\S.*) (KEPT|BROKEN)\b", output, re.MULTILINE)
        assert len(found) == len(self._contracts()), output
        return {name for name, verdict in found if verdict == "BROKEN"}

    def _make(self, package: str) -> list[Path]:
        folder = self.folder(package)
        ours = package.split(".")[0] in ("labctl", "labctl_drivers", "labctl_sim")
        if not ours or folder.with_suffix(".py").exists() or (folder / "__init__.py").exists():
            return []
        made = folder / "__init__.py" if folder.is_dir() else folder
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").write_text("", encoding="utf-8")
        return [made]

    def _contracts(self) -> list[str]:
        text = (self.root / ".importlinter").read_text(encoding="utf-8")
        return re.findall(r"^\[importlinter:contract:(\w+)\]$", text, re.MULTILINE)

    def _lint(self) -> str:
        paths = [self.root, self.root / "drivers", self.root / "sim_devices"]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONUTF8": "1",
            "COLUMNS": "500",
            "NO_COLOR": "1",
        }
        program = "import sys; from importlinter.cli import lint_imports_command as run; run()"
        done = subprocess.run(
            [sys.executable, "-c", program, "--no-logo"],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("tree"))


def test_the_tree_keeps_every_contract(tree: Tree) -> None:
    assert tree.broken() == set()


@pytest.mark.parametrize("violation", VIOLATIONS, ids=lambda v: f"{v.module} > {v.imported}")
def test_a_violation_breaks_exactly_its_contract(tree: Tree, violation: Violation) -> None:
    with tree.planted(violation.module, violation.imported):
        assert tree.broken() == {violation.contract}


def test_every_contract_has_a_violation_that_breaks_it(tree: Tree) -> None:
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    assert set(re.findall(r"^name = (.*)$", text, re.MULTILINE)) == {v.contract for v in VIOLATIONS}


@pytest.mark.parametrize("below", ["roles", "transport", "photons", "units", "errors", "clock"])
def test_drivers_may_import_what_they_need(tree: Tree, below: str) -> None:
    with tree.planted("labctl_drivers.planted", f"labctl.{below}"):
        assert tree.broken() == set()


def test_the_window_may_import_qt(tree: Tree) -> None:
    with tree.planted("labctl.gui", "PyQt5.QtWidgets"):
        assert tree.broken() == set()


def test_drivers_may_import_pylablib(tree: Tree) -> None:
    with tree.planted("labctl_drivers.planted", "pylablib"):
        assert tree.broken() == set()
