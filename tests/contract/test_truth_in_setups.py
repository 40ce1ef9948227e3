"""Every truth of every simulator can be written in a set-up file with its unit, and comes back."""

import json
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from labctl.setup import Setup, parse_yaml, read_setup
from labctl.units import split_suffix

SIMULATORS = sorted(entry_points(group="labctl.simulators"), key=lambda entry: entry.name)
ADDRESSES = {"stream": "ASRL4::INSTR", "http": "http://device.example:47101"}
OPTICS = ("optics.analyser", "optics.edge_filter", "optics.half_wave_analyser")
DETECTORS = ("detectors.pdm", "detectors.spcm_aqrh")
NEEDED: dict[str, Any] = {
    "attocube.anc300": {"axes": {"x": {"number": 1}}},
    "attocube.anc350": {"axes": {"x": {"number": 0}}},
    "princeton.spectrapro": {"gratings": {"1": "300/mm", "2": "1800/mm"}},
    "manual.attenuator": {"full_fluence": "10 uJ/cm^2"},
    "manual.laser": {"intensity": "60 %", "rep_rate": "10 MHz"},
    "manual.selector": {"positions": ["sample", "scatterer"]},
    "thorlabs.fw102c": {"positions": ["1", "2", "3", "4", "5", "6"]},
    **{name: {"counter": "card"} for name in DETECTORS},
    **{name: {"rotator": "mount"} for name in OPTICS},
    "optics.nd_wheel": {"wheel": "wheel", "densities": {"a": 0}, "full_fluence": "10 uJ/cm^2"},
    "optics.waveplate_attenuator": {"rotator": "mount", "full_fluence": "10 uJ/cm^2"},
}
COMPANIONS: dict[str, Any] = {
    "card": {"driver": "ni.counter"},
    "shutter": {"driver": "thorlabs.sc10", "address": "ASRL5::INSTR"},
    "mount": {"driver": "thorlabs.ell14", "address": "ASRL6::INSTR"},
    "wheel": {"driver": "manual.selector", "positions": ["a", "b"]},
}
"""What detectors and passive optics name in their block: who counts, ends the light, turns."""
SAMPLE = """
schema_version: 1
name: one dot
composition: CsPbBr3
dots: {A1: {edge_length: 23 nm, lifetime: 100 ps}}
"""


@pytest.fixture(params=SIMULATORS, ids=[entry.name for entry in SIMULATORS])
def entry(request: pytest.FixtureRequest) -> EntryPoint:
    return request.param


def loaded(entry: EntryPoint, truth: dict[str, Any], folder: Path) -> Setup:
    """Load a set-up with one instrument whose simulator has this truth, as the file spells it."""
    block = {"driver": entry.name, "simulate": {"truth": truth}, **NEEDED.get(entry.name, {})}
    address = ADDRESSES.get(entry.load().interface)
    if address:
        block["address"] = address
    instruments = {"device": block, **(COMPANIONS if entry.name in NEEDED else {})}
    content = {"schema_version": 1, "name": "one", "instruments": instruments}
    (folder / "sample.yaml").write_text(SAMPLE, "utf-8")
    # Every JSON document is YAML.
    text = json.dumps({**content, "sample": "sample.yaml"})
    return read_setup(parse_yaml(text, folder / "setup.yaml"))


def changed(value: float | bool | str) -> float | bool | str:
    """Give another value of the same kind, which a careless conversion would not keep."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value
    return value + 1 if isinstance(value, int) else round(1.25 * value + 0.123, 9)


def test_all_truths_written_with_their_units_come_back(entry: EntryPoint, tmp_path: Path) -> None:
    defaults: dict[str, Any] = dict(entry.load().truth_defaults)
    wanted = {key: changed(value) for key, value in defaults.items()}
    setup = loaded(entry, {}, tmp_path)
    device = setup.instruments["device"]
    assert device.truth == {}
    assert dict(device.truth_defaults) == defaults
    # What the file must say is asked of the set-up itself: its resolved form loads again.
    object.__setattr__(device, "truth", wanted)
    written = setup.resolved()["instruments"]["device"].get("simulate", {"truth": {}})["truth"]
    again = loaded(entry, written, tmp_path)
    assert again.instruments["device"].truth == wanted
    assert again.rig_spec()["instruments"]["device"]["truth"] == wanted


def test_a_number_with_a_unit_is_written_with_it(entry: EntryPoint, tmp_path: Path) -> None:
    defaults: dict[str, Any] = dict(entry.load().truth_defaults)
    setup = loaded(entry, {}, tmp_path)
    object.__setattr__(setup.instruments["device"], "truth", defaults)
    written = setup.resolved()["instruments"]["device"].get("simulate", {"truth": {}})["truth"]
    assert len(written) == len(defaults)
    for (key, default), (name, shown) in zip(defaults.items(), written.items(), strict=True):
        stem, unit = split_suffix(key)
        numeric = isinstance(default, int | float) and not isinstance(default, bool)
        if unit and numeric:
            assert (name, isinstance(shown, str)) == (stem, True), key
        else:
            assert (name, shown) == (key, default)
