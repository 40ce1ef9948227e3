"""Makes small mistakes in the source, one at a time, and asks whether the tests notice them.

Run ``python tools/mutate.py --count 50 --seed 0``. A tree of its own is copied, mutated and tested;
the last line tells how many were noticed. Wrong comparisons, numbers that are off by one, ``and``
for ``or``, a ``not`` that is missing, sums for differences, and functions that return nothing.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Mutant", "Verdict", "judge", "mutants", "sites"]

ROOT = Path(__file__).parents[1]
COPIED = ("labctl", "drivers", "sim_devices", "tests", "configs", "docs", "typings")
TIME_S = 240.0
Tests = tuple[str, ...]

_STORAGE = tuple(
    f"tests/labctl/storage/test_{name}.py" for name in ("frame", "reader", "writer", "golden")
)
_DAMAGED = ("tests/faults/test_damaged_files.py::test_damaged_journals",)
_TRIPS = ("tests/labctl/sequencer/test_trip_rule.py", "tests/labctl/sequencer/test_rearm.py")
_CODECS = {
    "attocube": ("anc300", "anc350"),
    "keithley": ("scpi",),
    "lakeshore": ("lakeshore",),
    "montana": ("cryostation", "s_series"),
    "newport": ("esp300",),
    "princeton": ("spectrapro",),
    "thorlabs": ("ell14", "pm100d", "sc10"),
}
TARGETS: Mapping[str, tuple[Tests, ...]] = {
    "labctl/storage/_content.py": (_DAMAGED, _STORAGE),
    "labctl/storage/_frame.py": (_STORAGE, _DAMAGED),
    "labctl/storage/_reader.py": (_STORAGE, _DAMAGED),
    "labctl/storage/_writer.py": (_STORAGE, ("tests/faults/test_row_19_power_cut.py",)),
    "labctl/sequencer/_trip_rule.py": (_TRIPS, ("tests/faults/test_row_10_trips.py",)),
    **{
        f"drivers/labctl_drivers/{vendor}/_{unit}_wire.py": (
            (f"tests/drivers/{vendor}/test_{unit}_wire.py",),
            (f"tests/drivers/{vendor}",),
        )
        for vendor, units in _CODECS.items()
        for unit in units
    },
}
"""Source file → the tests that are about it; the later ones are asked if the first see nothing."""

_COMPARISONS: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes:
        file: The source file, from the root.
        line: Where.
        what: In words.
        text: The whole file with the mistake.
    """

    file: str
    line: int
    what: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """Whether a mistake was noticed, and by what."""

    mutant: Mutant
    noticed: bool
    told: str


def sites(source: str) -> list[int]:
    """Return the numbers of the nodes of a source where something can be done wrong."""
    tree = ast.parse(source)
    return [number for number, node in enumerate(ast.walk(tree)) if _can_be_wrong(node)]


def spoiled(source: str, number: int) -> tuple[int, str, str]:
    """Return line, what was done, and the text with a mistake at a node."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[number]
    what = _spoil(tree, node)
    return getattr(node, "lineno", 0), what, ast.unparse(ast.fix_missing_locations(tree))


def _can_be_wrong(node: ast.AST) -> bool:
    match node:
        case ast.Compare(ops=[op, *_]):
            return type(op) in _COMPARISONS
        case ast.BinOp(op=ast.Add() | ast.Sub()) | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Constant(value=int() | float()):
            return not isinstance(node.value, bool)
        case ast.Return(value=ast.expr()):
            return not isinstance(node.value, ast.Constant)
        case _:
            return False


def _spoil(tree: ast.Module, node: ast.AST) -> str:
    """Change a node where something can be done wrong; returns what was done."""
    before = ast.unparse(node) if isinstance(node, ast.expr | ast.Return) else ""
    match node:
        case ast.Compare(ops=[op, *_]):
            node.ops[0] = _COMPARISONS[type(op)]()
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.BinOp(op=ast.Add()):
            node.op = ast.Sub()
        case ast.BinOp(op=ast.Sub()):
            node.op = ast.Add()
        case ast.UnaryOp(op=ast.Not()):
            _replace(tree, node, node.operand)
            return f"{before} -> {ast.unparse(node.operand)}"
        case ast.Constant(value=int() | float() as value):
            node.value = value + 1
        case ast.Return():
            node.value = ast.Constant(None)
        case _:
            raise TypeError(type(node).__name__)
    return f"{before} -> {ast.unparse(node)}"


def _replace(tree: ast.Module, old: ast.AST, new: ast.expr) -> None:
    class Exchange(ast.NodeTransformer):
        def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
            self.generic_visit(node)
            return new if node is old else node

    Exchange().visit(tree)


def mutants(count: int, seed: int, root: Path = ROOT) -> list[Mutant]:
    """Draw so many different mistakes of the targets; every file has its turn."""
    chance = np.random.default_rng(seed)
    sources = {file: (root / file).read_text("utf-8") for file in sorted(TARGETS)}
    left = {file: sites(source) for file, source in sources.items()}
    found: list[Mutant] = []
    while len(found) < count and any(left.values()):
        for file in chance.permutation(list(left)).tolist():
            if left[file] and len(found) < count:
                number = left[file].pop(int(chance.integers(len(left[file]))))
                found.append(Mutant(file, *spoiled(sources[file], number)))
    return found


def copy_tree(root: Path, to: Path) -> None:
    """Copy what the tests need."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in COPIED:
        shutil.copytree(root / name, to / name, ignore=ignored)
    shutil.copy(root / "pyproject.toml", to)


def run_tests(tree: Path, tests: Sequence[str]) -> tuple[bool, str]:
    """Return whether tests of a copied tree pass, and what they said last."""
    paths = (tree, tree / "drivers", tree / "sim_devices", tree / "tests" / "support")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=tree, env=env, capture_output=True, text=True, timeout=TIME_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False, f"no end within {TIME_S:g} s"
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return done.returncode == 0, lines[0] if lines else done.stdout.strip()[-200:]


def judge(found: Sequence[Mutant], root: Path = ROOT) -> Iterator[Verdict]:
    """Test every mutant in a tree of its own.

    Raises:
        RuntimeError: The tests fail without any mistake.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy_tree(root, tree)
        sound: set[Tests] = set()
        for mutant in found:
            yield _judge(mutant, tree, sound)


def _judge(mutant: Mutant, tree: Path, sound: set[Tests]) -> Verdict:
    path, told = tree / mutant.file, ""
    for tests in TARGETS[mutant.file]:
        if tests not in sound:
            passed, told = run_tests(tree, tests)
            if not passed:
                raise RuntimeError(f"{tests} fail by themselves: {told}")
            sound.add(tests)
        before = path.read_text("utf-8")
        path.write_text(mutant.text, "utf-8")
        passed, told = run_tests(tree, tests)
        path.write_text(before, "utf-8")
        if not passed:
            return Verdict(mutant, True, told)
    return Verdict(mutant, False, told)


def main() -> int:
    """Print every verdict, and how many were noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--begin", type=int, default=0, help="leave out so many at the beginning")
    given = parser.parse_args()
    verdicts: list[Verdict] = []
    for verdict in judge(mutants(given.count, given.seed)[given.begin :]):
        verdicts.append(verdict)
        word = "noticed" if verdict.noticed else "SURVIVES"
        mutant = verdict.mutant
        print(f"{word:8} {mutant.file}:{mutant.line} {mutant.what}", flush=True)
    noticed = sum(verdict.noticed for verdict in verdicts)
    print(f"{noticed} of {len(verdicts)} mistakes were noticed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
