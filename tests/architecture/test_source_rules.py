"""Rules of the source tree that no linter here checks."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_FOLDERS = ("labctl", "drivers", "sim_devices")
CODE_FOLDERS = (*SOURCE_FOLDERS, "tests", "benchmarks", "tools", "configs", "docs")
TEXT_SUFFIXES = {
    *(".py", ".pyi", ".md", ".yaml", ".yml", ".toml", ".txt", ".sh", ".json", ".csv", ".cfg"),
    *(".ini", ".rst", ".css", ".html"),
}
CLOCK = "labctl/clock.py"

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
MAX_IGNORES = 20


@cache
def python_files(*folders: str) -> list[Path]:
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return sorted(file for file in files if "__pycache__" not in file.parts)


@cache
def text_files() -> list[Path]:
    inside = [file for folder in CODE_FOLDERS for file in (ROOT / folder).rglob("*")]
    files = [file for file in inside if file.is_file() and file.suffix in TEXT_SUFFIXES]
    top = [file for file in ROOT.iterdir() if file.is_file() and file.name != ".coverage"]
    return sorted({*files, *top, *(ROOT / ".ci").iterdir()})


@cache
def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(text_of(file))


@cache
def comments_of(file: Path) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(text_of(file)).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


def place(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT).as_posix()}:{line}"


def report(found: list[str]) -> None:
    assert not found, "\n" + "\n".join(found)


def test_files_are_short() -> None:
    lengths = {file: text_of(file).count("\n") for file in python_files(*CODE_FOLDERS)}
    report([place(f, n) for f, n in lengths.items() if n > MAX_FILE_LINES])


def test_functions_are_short() -> None:
    report(
        [
            f"{place(file, node.lineno)} {node.name} has {lines} lines"
            for file in python_files(*CODE_FOLDERS)
            for node in ast.walk(tree_of(file))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
        ]
    )


def test_every_folder_of_sources_is_a_package() -> None:
    folders = {file.parent for file in python_files(*SOURCE_FOLDERS)}
    report([place(one, 0) for one in sorted(folders) if not (one / "__init__.py").exists()])


def test_test_folders_are_no_packages() -> None:
    report([place(file, 1) for file in python_files("tests") if file.name == "__init__.py"])


# Comments that switch checks off.

IGNORE = re.compile(r"#.*\b(type:\s*ignore|pyright:)")
IGNORE_WITH_CODE = re.compile(r"#\s*(type:\s*ignore|pyright:\s*ignore)\[[\w-]+(, ?[\w-]+)*\]")
NOQA = re.compile(r"#\s*noqa\b")
NOQA_WITH_CODE = re.compile(r"#\s*noqa:\s*[A-Z]+\d+")


def _matching(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for file in python_files(*CODE_FOLDERS):
        for line, comment in comments_of(file).items():
            if pattern.search(comment):
                yield place(file, line), comment


def test_type_ignores_are_few() -> None:
    found = [where for where, _ in _matching(IGNORE)]
    assert len(found) <= MAX_IGNORES, "\n".join(found)


def test_type_ignores_name_their_code() -> None:
    found = [(w, text) for w, text in _matching(IGNORE) if not IGNORE_WITH_CODE.search(text)]
    report(
        [f"{where} {comment}" for where, comment in found if not IGNORE_WITH_CODE.search(comment)]
    )


def test_suppressed_lint_names_its_code() -> None:
    found = _matching(NOQA)
    report([f"{where} {comment}" for where, comment in found if not NOQA_WITH_CODE.search(comment)])


# Time, chance and caught errors.

SEEDED = {"Generator", "default_rng", "SeedSequence", "BitGenerator", "PCG64", "Philox"}


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    yield from _imports(tree)
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    yield from ((node.lineno, _dotted(node)) for node in nodes)


def _is_unseeded(name: str) -> bool:
    package, _, rest = name.partition(".random.")
    return package in ("np", "numpy") and rest != "" and rest.split(".")[0] not in SEEDED


@pytest.mark.parametrize("name", ["time.sleep", "time.time", "time.time_ns"])
def test_only_the_clock_waits_and_tells_the_time(name: str) -> None:
    report(
        [
            place(file, line)
            for file in python_files(*SOURCE_FOLDERS, "tests")
            if place(file, 0) != f"{CLOCK}:0"
            for line, found in _names(tree_of(file))
            if found == name
        ]
    )


def test_only_the_clock_asks_for_the_date() -> None:
    report(
        [
            place(file, line)
            for file in python_files(*SOURCE_FOLDERS)
            if place(file, 0) != f"{CLOCK}:0"
            for line, name in _names(tree_of(file))
            if name in ("datetime.now", "datetime.utcnow", "datetime.datetime.now", "date.today")
        ]
    )


def test_chance_is_seeded() -> None:
    report(
        [
            f"{place(file, line)} {name}"
            for file in python_files(*CODE_FOLDERS)
            for line, name in _names(tree_of(file))
            if name == "random" or name.startswith("random.") or _is_unseeded(name)
        ]
    )


def test_generators_are_given_their_seed() -> None:
    report(
        [
            place(file, node.lineno)
            for file in python_files(*CODE_FOLDERS)
            for node in ast.walk(tree_of(file))
            if isinstance(node, ast.Call)
            and _dotted(node.func).endswith("default_rng")
            and not (node.args or node.keywords)
        ]
    )


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    kind = _dotted(handler.type) if handler.type else "BaseException"
    last = handler.body[-1]
    passes_on = isinstance(last, ast.Raise) and last.exc is None
    return kind in ("Exception", "BaseException") and not passes_on


def test_whoever_catches_everything_says_why() -> None:
    """A comment stands above or beside ``except Exception``, or above what is done then."""
    report(
        [
            place(file, node.lineno)
            for file in python_files(*SOURCE_FOLDERS)
            for node in ast.walk(tree_of(file))
            if isinstance(node, ast.ExceptHandler) and _catches_everything(node)
            if not set(range(node.lineno - 1, node.body[0].lineno + 1)) & set(comments_of(file))
        ]
    )


# Packages and what they show.


def _package(module: str) -> str:
    """Return the package that a private module belongs to: all before its first private part."""
    parts = module.split(".")
    private = next((i for i, part in enumerate(parts) if _is_private(part)), len(parts))
    return ".".join(parts[:private])


def _is_private(part: str) -> bool:
    return part.startswith("_") and not part.startswith("__")


def _module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    inside = parts if parts[0] == "labctl" else parts[1:]
    return ".".join(inside).removesuffix(".__init__")


def test_private_modules_stay_in_their_package() -> None:
    ours = ("labctl", "labctl_drivers", "labctl_sim")
    report(
        [
            f"{place(file, line)} {name}"
            for file in python_files(*SOURCE_FOLDERS)
            for line, name in _imports(tree_of(file))
            if name.split(".")[0] in ours
            and any(map(_is_private, name.split(".")))
            and not _module(file).startswith(_package(name))
        ]
    )


def _exported(tree: ast.Module) -> set[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(_dotted(t) == "__all__" for t in node.targets):
            return set(ast.literal_eval(node.value))
    return None


def test_packages_list_what_they_show() -> None:
    """An ``__init__`` that imports names lists them, so that a package has a curated face."""
    report(
        [
            place(file, 1)
            for file in python_files(*SOURCE_FOLDERS)
            if file.name == "__init__.py"
            and any(isinstance(node, ast.ImportFrom) for node in tree_of(file).body)
            and _exported(tree_of(file)) is None
        ]
    )


def _public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    exported = _exported(tree)
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name in exported if exported is not None else not node.name.startswith("_"):
            yield node


def test_public_things_are_explained() -> None:
    """The linter looks only at public modules; names that private ones export count too."""
    report(
        [
            f"{place(file, node.lineno)} {node.name}"
            for file in python_files(*SOURCE_FOLDERS)
            for node in _public(tree_of(file))
            if not ast.get_docstring(node)
        ]
    )


def test_modules_say_what_they_are() -> None:
    report(
        [
            place(file, 1)
            for file in python_files(*SOURCE_FOLDERS)
            if text_of(file).strip() and not ast.get_docstring(tree_of(file))
        ]
    )


# Texts.

UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r"(?!\w)")
MACHINE_PATH = re.compile(
    r"(?<![\w.~])/(work|root|home|opt|Users|tmp/bash_jobs)/\w|[A-Z]:\\Users\\"
)
REGISTRY = re.compile(
    r"https?://[^\s)\"']*(/simple\b|\bregistry\b|\bmirrors?\b|\bpackages?\.|\bfiles\.)"
    r"|--(extra-)?index-url|--find-links|\bPIP_(EXTRA_)?INDEX|\bindex-url\s*="
)


def _lines(skip: Path | None = None) -> Iterator[tuple[Path, int, str]]:
    for file in text_files():
        if file != skip:
            yield from ((file, i, line) for i, line in enumerate(text_of(file).splitlines(), 1))


@pytest.mark.parametrize(
    "pattern", [UNFINISHED, MACHINE_PATH, REGISTRY], ids=["unfinished", "path", "registry"]
)
def test_texts_are_fit_for_everybody(pattern: re.Pattern[str]) -> None:
    """Nothing unfinished, no path of one machine, no choice of a package registry."""
    lines = _lines(skip=Path(__file__))
    report([f"{place(f, n)} {text.strip()}" for f, n, text in lines if pattern.search(text)])


def test_texts_end_with_one_newline() -> None:
    texts = [file for file in text_files() if text_of(file)]
    report([place(f, 0) for f in texts if not re.search(r"[^\n]\n\Z", text_of(f))])


def test_lines_have_no_carriage_return() -> None:
    report([place(file, 0) for file in text_files() if b"\r\n" in file.read_bytes()])


def test_lines_have_no_trailing_blank() -> None:
    report([place(f, n) for f, n, text in _lines() if text != text.rstrip()])


# The project file.


@cache
def _project() -> dict[str, dict[str, str]]:
    data = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    groups: dict[str, dict[str, str]] = data["project"].get("entry-points", {})
    return groups


@pytest.mark.parametrize("group", ["labctl.drivers", "labctl.simulators", "labctl.rigs"])
def test_entry_points_are_installed_as_written(group: str) -> None:
    """Entry points are read when the project is installed; 'make check' installs it anew."""
    installed = {e.name: e.value for e in entry_points(group=group) if e.value.startswith("labctl")}
    assert installed == _project().get(group, {})


@pytest.mark.parametrize(
    ("group", "top"),
    [("labctl.drivers", "drivers/labctl_drivers"), ("labctl.simulators", "sim_devices/labctl_sim")],
)
def test_every_instrument_module_has_an_entry_point(group: str, top: str) -> None:
    """A module named like ``<vendor>/<model>.py`` is an instrument and can be named in a set-up."""
    named = {value.partition(":")[0] for value in _project().get(group, {}).values()}
    vendors = {name.partition(".")[0] for name in _project().get(group, {})}
    files = [file for file in python_files(top) if not file.name.startswith("_")]
    public = {_module(file) for file in files if file.parent.parent == ROOT / top}
    assert {name for name in public if name.split(".")[1] in vendors} == named


def test_the_licence_is_the_one_that_the_project_names() -> None:
    licence = text_of(ROOT / "LICENSE")
    assert "GNU GENERAL PUBLIC LICENSE" in licence
    assert "Version 3, 29 June 2007" in licence
    assert 'license = "GPL-3.0-or-later"' in text_of(ROOT / "pyproject.toml")
