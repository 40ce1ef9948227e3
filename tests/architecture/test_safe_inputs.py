"""What is read from others cannot run code, write elsewhere, or be reached from elsewhere."""

import ast
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labctl.errors import ConfigError
from labctl.exports import export_csv
from labctl.host import LocalHost
from labctl.host.server import EngineRequest
from labctl.recipes import load_recipe
from labctl.setup import load_setup
from labctl.storage import new_run_folder, read_run
from served_engine import attached, served
from small_setup import Bench

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("labctl", "drivers", "sim_devices", "configs", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
LOOPBACK = "127.0.0.1"


def imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@cache
def trees() -> tuple[tuple[Path, ast.Module], ...]:
    return tuple((path, ast.parse(path.read_text("utf-8"))) for path in SOURCES)


def test_nothing_is_pickled_or_evaluated() -> None:
    bad: list[str] = []
    for path, tree in trees():
        bad += [f"{path}: imports {name}" for name in imported(tree) & FORBIDDEN_MODULES]
        for call in calls(tree):
            words = {keyword.arg: keyword.value for keyword in call.keywords}
            if isinstance(call.func, ast.Name) and call.func.id in FORBIDDEN_CALLS:
                bad.append(f"{path}:{call.lineno}: {call.func.id}")
            allowed = words.get("allow_pickle")
            named = ast.unparse(call.func)
            if named in ("np.load", "numpy.load", "np.save") and (
                not isinstance(allowed, ast.Constant) or allowed.value is not False
            ):
                bad.append(f"{path}:{call.lineno}: {named} could unpickle")
            if "shell" in words:
                bad.append(f"{path}:{call.lineno}: a shell")
            # Of connections these two pickle; ours carry JSON and bytes only.
            if named.endswith(("connection.send", "connection.recv")):
                bad.append(f"{path}:{call.lineno}: {named} pickles")
    assert bad == []
    assert len(SOURCES) > 500


DOOR = ROOT / "labctl" / "channels" / "_door.py"
"""The one listener that a set-up may put elsewhere; nothing passes it without the token."""


def test_every_listener_names_loopback() -> None:
    found: list[str] = []
    for path, tree in trees():
        text = path.read_text("utf-8")
        for call in calls(tree):
            named = ast.unparse(call.func)
            if named in ("Listener", "socket.create_server") or named.endswith("sock.bind"):
                if path == DOOR:
                    continue
                address = call.args[0]
                assert isinstance(address, ast.Tuple), f"{path}:{call.lineno}"
                host = ast.unparse(address.elts[0])
                assert host == LOOPBACK or f"\n{host} = {LOOPBACK!r}\n".replace("'", '"') in text
                found.append(path.name)
    # The channels of engine, window, supervisor and world; the faults; the simulated instruments.
    assert len(found) >= 3


def test_only_the_engine_has_a_door_and_never_without_a_token() -> None:
    opened = [
        (path.relative_to(ROOT).as_posix(), call)
        for path, tree in trees()
        for call in calls(tree)
        if ast.unparse(call.func) == "Door"
    ]
    assert [name for name, _ in opened] == ["labctl/host/server/_outside.py"]
    assert ast.unparse(opened[0][1].args[0]) == "wanted.token"
    for file in sorted((ROOT / "configs" / "setups").glob("*.yaml")):
        assert "\nlisten:" not in file.read_text("utf-8")


# The sockets of processes, as the system knows them


def listeners_of(pid: int) -> set[str]:
    """Return the addresses on which a process listens, as hexadecimal numbers."""
    targets = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {target[8:-1] for target in targets if target.startswith("socket:[")}
    found: set[str] = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            # 0A: it listens; datagrams have no such state, bound is enough.
            if fields[9] in inodes and (fields[3] == "0A" or table.startswith("udp")):
                found.add(fields[1].partition(":")[0])
    return found


LOOPBACK_HEX = "0100007F"
linux = pytest.mark.skipif(sys.platform != "linux", reason="asks the tables of Linux")


@contextmanager
def serving(*arguments: str) -> Generator["subprocess.Popen[str]"]:
    run = "from labctl.cli import main; main()"
    command = [sys.executable, "-c", run, "sim", "serve", *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@linux
@pytest.mark.parametrize("more", [(), ("--virtual",)], ids=["wall", "virtual"])
def test_simulated_instruments_listen_on_loopback_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LABCTL_RUNTIME_DIR", str(tmp_path))
    with serving(str(ROOT / "configs" / "setups" / "microscope.yaml"), *more) as process:
        assert process.stdout is not None
        # Written once everything listens.
        assert process.stdout.readline().startswith("{")
        assert listeners_of(process.pid) == {LOOPBACK_HEX}


@linux
def test_the_engine_listens_on_loopback_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABCTL_RUNTIME_DIR", str(tmp_path / "runtime"))
    setup = Bench(tmp_path).setup()
    request = EngineRequest(setup=setup, simulate=True, out=tmp_path / "data")
    with served(request), attached(request) as hearer:
        assert listeners_of(int(hearer.ask("snapshot")["engine"]["pid"])) == {LOOPBACK_HEX}


# Files that want to run code

TAGS = (
    "!!python/object/apply:os.system ['touch MARK']",
    "!!python/object/new:os.system ['touch MARK']",
    "!!python/name:os.system",
    "!!python/module:os",
    '!python/object:builtins.eval \'open("MARK", "w")\'',
    "!!binary aGVsbG8=",
)
PLACES = {
    "setup": ("name: small set-up", "name: TAG"),
    "recipe": ("name: three points", "name: TAG"),
    "sample": ("name: CsPbBr3 23 nm", "name: TAG"),
}


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("kind", PLACES)
def test_tags_of_other_languages_are_refused(tmp_path: Path, kind: str, tag: str) -> None:
    mark, bench = tmp_path / "mark", Bench(tmp_path)
    setup, recipe = bench.setup(), bench.recipe()
    sample = tmp_path / "sample.yaml"
    sample.write_text((ROOT / "configs" / "samples" / "cspbbr3_23nm.yaml").read_text("utf-8"))
    victim = {"setup": setup, "recipe": recipe, "sample": sample}[kind]
    old, new = PLACES[kind]
    text = victim.read_text("utf-8")
    assert old in text
    wanted = new.replace("TAG", tag.replace("MARK", mark.as_posix()))
    victim.write_text(text.replace(old, wanted, 1), "utf-8")
    with pytest.raises(ConfigError, match=victim.name):
        load_recipe(recipe, load_setup(setup, sample=sample))
    assert not mark.exists()


# Names that want to lead elsewhere

NAMES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["../../../evil", "..", ".", "/etc/evil", "C:\\evil", "a/../../b", "\0", "CON", "~/x"]
    ),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, NAMES)
def test_the_folder_of_a_run_lies_below_that_of_all_runs(
    tmp_path: Path, sample: str, name: str
) -> None:
    root = tmp_path / f"runs {len(list(tmp_path.iterdir()))}"
    utc = datetime(2030, 1, 2, tzinfo=UTC)
    folder = new_run_folder(root, sample, name, "0123456789ab", utc).path
    assert folder.resolve().parent == root.resolve() / "2030" / "20300102"
    assert folder.is_dir()


EVIL = """
name: ../../../evil
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 0.1 s}
    label: "/../../../evil"
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 0.1 s}
    label: "_.._.._.._evil"
"""


def test_names_of_recipes_and_points_write_nowhere_else(tmp_path: Path) -> None:
    inside = tmp_path / "a" / "b" / "c"
    inside.mkdir(parents=True)
    bench = Bench(inside)
    report = LocalHost().run(bench.request(recipe=bench.recipe(EVIL)))
    assert report.outcome.status == "complete", report.outcome.reason
    tables = inside / "tables" / "here"
    written = export_csv(read_run(report.journal), tables)
    assert len(set(written)) == len(written)
    assert all(path.resolve().parent == tables.resolve() for path in written)
    outside = [
        path for path in tmp_path.rglob("*") if path.is_file() and inside not in path.parents
    ]
    assert outside == []
    data = [path for path in inside.rglob("*evil*") if path.is_file()]
    assert data
    assert all(inside / "data" in path.parents or tables in path.parents for path in data)


@pytest.mark.parametrize("name", ["../x.json", "/etc/x.json", "a/../../x.json"])
def test_calibrations_are_kept_below_the_data(tmp_path: Path, name: str) -> None:
    setup = Bench(tmp_path).setup()
    text = setup.read_text("utf-8") + f"calibrations: {{wavelength: {{file: {name}}}}}\n"
    setup.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match="leaves the data folder"):
        load_setup(setup)
