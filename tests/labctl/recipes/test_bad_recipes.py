"""Recipes with a mistake each, and the exact words that the user reads."""

import socket
import tomllib
from pathlib import Path

import pytest

from labctl.errors import ConfigError
from labctl.recipes import load_recipe
from labctl.roles import Instrument
from labctl.setup import Setup, load_setup

CONFIGS = Path(__file__).parents[3] / "configs"
CASES = tomllib.loads((Path(__file__).parent / "bad_recipes.toml").read_text("utf-8"))
GOOD = """\
name: test
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - note: hello
  - scan: cryostat.temperature
    values: [4, 10, 20]
    settle: {tolerance: 50 mK, std: 50 mK, for: 60 s, timeout: 20 min, on_timeout: skip}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 5}
"""


@pytest.fixture(scope="module")
def setup() -> Setup:
    return load_setup(CONFIGS / "setups" / "microscope.yaml")


@pytest.fixture(autouse=True)
def no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, and fail as soon as an instrument is made or a socket is used."""

    def refuse(*_: object, **__: object) -> None:
        message = "a check touched a device"
        raise RuntimeError(message)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Instrument, "__init__", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def written(*changes: tuple[str, str]) -> Path:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = Path("recipe.yaml")
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(path: Path, setup: Setup | None) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_recipe(path, setup)
    return [str(problem) for problem in raised.value.problems]


def test_the_good_recipe_is_good(setup: Setup) -> None:
    assert load_recipe(written(), setup).units == {"cryostat.temperature": "K"}
    assert load_recipe(written()).units == {}


@pytest.mark.parametrize("name", CASES)
def test_every_mistake_is_told_in_exact_words(name: str, setup: Setup) -> None:
    path = written(*CASES[name]["change"])
    assert problems_of(path, setup) == CASES[name]["says"]


def test_all_mistakes_are_told_together(setup: Setup) -> None:
    path = written(("- note", "- nota"), ("frames: 5", "frames: 0"), ("std: 50 mK", "sdt: 5 mK"))
    found = problems_of(path, setup)
    assert [text.partition(": ")[0] for text in found] == [f"recipe.yaml:{n}" for n in (4, 7, 9)]


def test_all_that_the_setup_cannot_do_is_told_together(setup: Setup) -> None:
    path = written(("[4, 10, 20]", "[1, 4, 999]"), ("531 nm", "2000 nm"), ("A7", "A8b"))
    found = problems_of(path, setup)
    assert [text.partition(": ")[0] for text in found] == [f"recipe.yaml:{n}" for n in (2, 6, 6, 9)]


def test_a_setup_without_the_instruments(setup: Setup, tmp_path: Path) -> None:
    text = (
        "schema_version: 1\nname: bare\ninstruments:\n  cryostat:\n"
        "    driver: montana.cryostation\n    address: TCPIP::c.example::7773::SOCKET\n"
    )
    (tmp_path / "setup.yaml").write_text(text)
    found = problems_of(written(), load_setup(Path("setup.yaml")))
    assert found == [
        f"recipe.yaml:9: spectrum needs a {role}, and the set-up has none (it has cryostat)"
        for role in ("spectrograph", "camera", "shutter")
    ]
