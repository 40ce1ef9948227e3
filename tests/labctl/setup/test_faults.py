"""Faults that the set-up asks a simulation to inject."""

from pathlib import Path

import pytest

from labctl.errors import ConfigError
from labctl.setup import Fault, load_setup
from labctl.setup._faults import read_fault, write_fault

KNOWN = {"hang": ("for_s",), "late": ("delay_s", "times", "command"), "alarm": ()}
SETUP = """\
schema_version: 1
name: bench
instruments:
  cryostat:
    driver: montana.cryostation
    address: TCPIP::cryostation.example::7773::SOCKET
    simulate:
      faults:
        - {kind: hang, after: 2 min, parameters: {for: 500 ms}}
        - FAULT
sample: sample.yaml
"""
SAMPLE = """\
schema_version: 1
name: one dot
composition: CsPbBr3
dots: {A1: {edge_length: 23 nm, lifetime: 100 ps}}
"""


def written(folder: Path, fault: str) -> Path:
    (folder / "sample.yaml").write_text(SAMPLE, "utf-8")
    path = folder / "setup.yaml"
    path.write_text(SETUP.replace("FAULT", fault), "utf-8")
    return path


def test_the_rig_gets_plain_numbers(tmp_path: Path) -> None:
    setup = load_setup(written(tmp_path, "{kind: late, parameters: {delay: 2 s, times: null}}"))
    assert setup.rig_spec()["instruments"]["cryostat"]["faults"] == [
        {"kind": "hang", "after_s": 120.0, "parameters": {"for_s": 0.5}},
        {"kind": "late", "after_s": 0.0, "parameters": {"delay_s": 2.0, "times": None}},
    ]


def test_the_resolved_set_up_says_the_same(tmp_path: Path) -> None:
    setup = load_setup(written(tmp_path, "{kind: late, parameters: {delay: 2 s, times: null}}"))
    faults = setup.resolved()["instruments"]["cryostat"]["simulate"]["faults"]
    assert faults == [
        {"kind": "hang", "after": "120 s", "parameters": {"for": "0.5 s"}},
        {"kind": "late", "after": "0 s", "parameters": {"delay": "2 s", "times": None}},
    ]
    again = [read_fault(Fault.model_validate(fault), KNOWN)[0] for fault in faults]
    assert tuple(again) == setup.instruments["cryostat"].faults


def test_written_and_read_again() -> None:
    fault = Fault.model_validate({"kind": "late", "parameters": {"delay": "2 s", "command": "GPT"}})
    read, problems = read_fault(fault, KNOWN)
    assert problems == []
    assert read.parameters == {"delay_s": 2.0, "command": "GPT"}
    assert write_fault(read)["parameters"] == {"delay": "2 s", "command": "GPT"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("{kind: hnag}", "there is no fault 'hnag' (did you mean 'hang'? there are alarm, "),
        ("{kind: hang, parameters: {fro: 1 s}}", "the fault 'hang' has no parameter 'fro'"),
        ("{kind: hang, parameters: {for: 1}}", "for: 1 has no unit (write '1 s')"),
        ("{kind: hang, parameters: {for: 1 K}}", "'1 K' is not a quantity in s"),
        ("{kind: hang, parameters: {for: true}}", "has no unit (write '1 s')"),
        ("{kind: late}", "missing a required argument: 'delay_s'"),
        ("{kind: alarm, parameters: {for: 1 s}}", "has no parameter 'for' (parameters: none)"),
        ("{kind: hang, after: -1 s}", "after"),
        ("{kind: hang, at: 1 s}", "unknown key"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, fault: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_setup(written(tmp_path, fault))
    (found,) = raised.value.problems
    assert "setup.yaml:10: " in str(found)
    assert words in str(found)
