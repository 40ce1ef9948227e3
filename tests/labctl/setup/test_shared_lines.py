"""Addresses: units of one driver may share a serial line, nothing else may share anything."""

import json
from pathlib import Path
from typing import Any

import pytest

from labctl.errors import ConfigError
from labctl.setup import Setup, parse_yaml, read_setup


def loaded(folder: Path, **instruments: Any) -> Setup:
    content = {"schema_version": 1, "name": "mounts", "instruments": instruments}
    # Every JSON document is YAML.
    return read_setup(parse_yaml(json.dumps(content), folder / "setup.yaml"))


def mount(unit: int | None = None, address: str = "ASRL8::INSTR") -> dict[str, Any]:
    block: dict[str, Any] = {"driver": "thorlabs.ell14", "address": address}
    return block if unit is None else {**block, "bus_address": unit}


def test_units_with_different_addresses_share_a_line(tmp_path: Path) -> None:
    setup = loaded(tmp_path, first=mount(), second=mount(1), third=mount(15, "asrl8"))
    assert len(setup.instruments) == 3


@pytest.mark.parametrize("units", [(0, None), (3, 3)])
def test_the_same_unit_twice(tmp_path: Path, units: tuple[int | None, int | None]) -> None:
    first, second = units
    with pytest.raises(ConfigError, match=r"first and second both have .*ASRL8.* bus_address \d"):
        loaded(tmp_path, first=mount(first), second=mount(second))


@pytest.mark.parametrize("order", [["mount", "shutter"], ["shutter", "mount"]])
def test_another_instrument_on_the_line(tmp_path: Path, order: list[str]) -> None:
    blocks: dict[str, Any] = {
        "mount": mount(),
        "shutter": {"driver": "thorlabs.sc10", "address": "ASRL8::INSTR"},
    }
    with pytest.raises(ConfigError, match="both have the address"):
        loaded(tmp_path, **{name: blocks[name] for name in order})
