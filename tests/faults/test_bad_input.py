"""Bad set-ups, recipes, samples and command lines: row 22 of the fault matrix.

Each has its exact message, and no instrument is made and no connection opened for any of them.
Set-ups and recipes have their own tests; here are samples, command lines, and the sum of all.
"""

import re
import socket
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labctl.cli import app
from labctl.errors import ConfigError
from labctl.roles import Instrument
from labctl.setup import load_setup

TESTS = Path(__file__).parents[1]
HERE = Path(__file__).parent / "bad_input"
LEAST_KINDS, LEAST_OF_A_KIND, LEAST = 15, 4, 60
SAMPLE = """\
schema_version: 1
name: test sample
composition: CsPbBr3
dots:
  A1: {edge_length: 23 nm, lifetime: 100 ps}
"""
SETUP = """\
schema_version: 1
name: test bench
laser: {wavelength: 405 nm, rep_rate: 10 MHz, spot_1e2_diameter: 2.4 um}
instruments:
  cryostat:
    driver: montana.cryostation
    address: TCPIP::cryostation.example::7773::SOCKET
    limits: {temperature: [3.2 K, 320 K]}
  lamp: {driver: manual.lamp}
sample: sample.yaml
"""
TOKENS = {"short": "x" * 31, "empty": "\n", "words": "two words " * 4, "open": "x" * 32}
RECIPE = """\
name: test
steps:
  - scan: cryostat.temperature
    values: [4, 10]
    steps:
      - wait: 5 s
"""


def table(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


TABLES = {
    "setups": table(TESTS / "labctl" / "setup" / "bad_setups.toml"),
    "recipes": table(TESTS / "labctl" / "recipes" / "bad_recipes.toml"),
    "samples": table(HERE / "samples.toml"),
    "commands": table(HERE / "commands.toml"),
}
KINDS = table(HERE / "kinds.toml")


@pytest.fixture(autouse=True)
def no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work among good files, and fail as soon as an instrument is made or a socket is used."""

    def refuse(*_: object, **__: object) -> None:
        message = "bad input touched a device"
        raise RuntimeError(message)

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LABCTL_TOKEN", raising=False)
    monkeypatch.setattr(Instrument, "__init__", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)
    for name, text in (("setup", SETUP), ("recipe", RECIPE), ("sample", SAMPLE), ("empty", "")):
        Path(f"{name}.yaml").write_text(text, "utf-8")
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    Path("folder").mkdir()
    for name, token in TOKENS.items():
        Path(f"{name}.token").write_text(token, "utf-8")
        Path(f"{name}.token").chmod(0o640 if name == "open" else 0o600)
    Path("folder.token").mkdir()
    for name in (*TOKENS, "folder", "none"):
        text = f"{SETUP}listen: {{port: 47110, token_file: {name}.token}}\n"
        Path(f"listen_{name}.yaml").write_text(text, "utf-8")


@pytest.mark.parametrize("name", TABLES["samples"])
def test_every_mistake_in_a_sample_is_told_in_exact_words(name: str) -> None:
    case = TABLES["samples"][name]
    text = SAMPLE
    for old, new in case["change"]:
        assert old in text
        text = text.replace(old, new)
    Path("sample.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as raised:
        load_setup(Path("setup.yaml"))
    assert [str(problem) for problem in raised.value.problems] == case["says"]


@pytest.mark.parametrize("name", TABLES["commands"])
def test_every_mistake_on_the_command_line_is_told_in_exact_words(name: str) -> None:
    case = TABLES["commands"][name]
    if case.get("posix") and sys.platform == "win32":
        pytest.skip("rights and folders are another matter on Windows")
    found = CliRunner().invoke(app, case["arguments"])
    assert found.exit_code == 2
    if "framed" in case:
        assert case["framed"] in inside_the_frame(found.output)
    else:
        count = "1 problem" if len(case["says"]) == 1 else f"{len(case['says'])} problems"
        assert found.output.splitlines() == [*case["says"], f"{count}; nothing was touched"]
    assert not list(Path().rglob("*.lcj"))


def inside_the_frame(text: str) -> str:
    return " ".join(re.findall(r"│ (.*?) *│", text))


def test_the_good_files_are_good() -> None:
    arguments = ["check", "setup.yaml", "recipe.yaml", "sample.yaml"]
    assert CliRunner().invoke(app, arguments).exit_code == 0


def test_there_are_enough_mistakes_of_every_kind() -> None:
    sizes = {kind: sum(map(len, cases.values())) for kind, cases in KINDS.items()}
    assert len(sizes) >= LEAST_KINDS
    assert {kind: size for kind, size in sizes.items() if size < LEAST_OF_A_KIND} == {}
    assert sum(sizes.values()) >= LEAST


def test_every_mistake_that_has_a_kind_is_tried_and_has_only_one() -> None:
    named = [(name, case) for of in KINDS.values() for name, cases in of.items() for case in cases]
    assert [pair for pair in named if pair[1] not in TABLES[pair[0]]] == []
    assert len(named) == len(set(named))
