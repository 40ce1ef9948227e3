"""Set-up files with a mistake each, and the exact words that the user reads."""

import socket
import tomllib
from pathlib import Path

import pytest

from labctl.errors import ConfigError
from labctl.roles import Instrument
from labctl.setup import load_setup

GOOD = """\
schema_version: 1
name: test bench
laser: {wavelength: 405 nm, rep_rate: 10 MHz, spot_1e2_diameter: 2.4 um}
instruments:
  cryostat:
    driver: montana.cryostation
    address: TCPIP::cryostation.example::7773::SOCKET
    limits: {temperature: [3.2 K, 320 K]}
    simulate: {truth: {base_temperature: 3.4 K}}
  spectrograph:
    driver: princeton.spectrapro
    address: ASRL4::INSTR
    gratings: {1: 300/mm, 2: 1800/mm}
  camera:
    driver: princeton.picam
  shutter:
    driver: thorlabs.sc10
    address: ASRL5::INSTR
  lamp: {driver: manual.lamp}
paths: {camera: {spectrograph.exit: front}}
safe_state: [shutter.close, camera.close]
monitors: [{read: cryostat.temperature, every: 5 s}]
sample: sample.yaml
laser_blocking: {filters: {long_pass: {density: 6}}}
"""

SAMPLE = """\
schema_version: 1
name: test sample
composition: CsPbBr3
dots:
  A1: {edge_length: 23 nm, lifetime: 100 ps}
"""

Change = tuple[str, str]


def written(folder: Path, *changes: Change, sample: str = SAMPLE) -> Path:
    """Write the good set-up with the changes made, and its sample; returns the set-up."""
    text = GOOD
    for old, new in changes:
        if old not in text:
            message = f"{old!r} is not in the good set-up"
            raise ValueError(message)
        text = text.replace(old, new)
    path = folder / "setup.yaml"
    path.write_text(text, encoding="utf-8")
    (folder / "sample.yaml").write_text(sample, encoding="utf-8")
    return path


CASES = tomllib.loads((Path(__file__).parent / "bad_setups.toml").read_text("utf-8"))


@pytest.fixture(autouse=True)
def no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, and fail as soon as an instrument is made or a socket is used."""

    def refuse(*_: object, **__: object) -> None:
        message = "a check touched a device"
        raise RuntimeError(message)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Instrument, "__init__", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_setup(path)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize("name", CASES)
def test_every_mistake_is_told_in_exact_words(name: str) -> None:
    path = written(Path(), *CASES[name]["change"])
    assert problems_of(path) == CASES[name]["says"]


def test_the_good_setup_is_good() -> None:
    assert load_setup(written(Path())).name == "test bench"


def test_mistakes_everywhere_are_told_together_in_the_order_of_the_file() -> None:
    sample = SAMPLE.replace("edge_length: 23 nm", "edge_length: 23 K")
    path = written(
        Path(),
        ("wavelength: 405 nm", "wavelength: 405"),
        ("montana.cryostation\n", "montana.cryostaton\n"),
        ("ASRL5::INSTR", "ASRL4::INSTR"),
        ("shutter.close", "shutter.shut"),
        ("every: 5 s", "evry: 5 s"),
        sample=sample,
    )
    found = problems_of(path)
    assert [text.partition(": ")[0] for text in found] == [
        "setup.yaml:3",
        "setup.yaml:6",
        "setup.yaml:18",
        "setup.yaml:21",
        "setup.yaml:22",
        "setup.yaml:22",
        "sample.yaml:5",
    ]
    assert "23 K" in found[-1]


def test_a_sample_that_is_no_yaml_does_not_hide_the_mistakes_of_the_setup() -> None:
    path = written(Path(), ("wavelength: 405 nm", "wavelength: 405"), sample="a: [")
    found = problems_of(path)
    assert len(found) == 2
    assert found[1].startswith("sample.yaml:1: is not YAML")
