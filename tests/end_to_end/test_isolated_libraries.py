"""Libraries in processes of their own give the same as in this one, for every driver with one."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from labctl.host import LocalHost, RunRequest, SimulatedBy, connect_station
from labctl.setup import load_setup
from labctl.storage import read_run
from labctl.transport.isolated import LibraryProcess
from small_setup import arrays

SETUPS = Path(__file__).parents[2] / "configs" / "setups"
RECIPE = """
name: both detectors
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 3}
  - trpl: {center: 531 nm, stop: {time: 3 s}}
  - image: {exposure: 50 ms, light: none, roi: [600, 64, 450, 64]}
"""
PARTS = {
    "microscope": ["camera", "laser", "imaging_camera", "tagger"],
    "room_temperature": ["counter", "tagger"],
    "lifetime": ["tagger"],
    "s_series": ["tagger"],
}


def apart(names: Iterable[str]) -> tuple[str, ...]:
    """Return the changes of a set-up that put these libraries into processes of their own."""
    keys = ("isolate=true", "simulate={isolate: true}")
    return tuple(f"instruments.{name}.{key}" for name in names for key in keys)


def told(setup: str, changes: Iterable[str]) -> Mapping[str, Any]:
    """Return who answers and everything that can be read, of the instruments in question."""
    loaded = load_setup(SETUPS / f"{setup}.yaml", changes=list(changes))
    with connect_station(loaded, SimulatedBy(seed=3)) as connection:
        station = connection.station
        snapshots = station.snapshot()
        return {name: (station.identities[name], snapshots[name]) for name in PARTS[setup]}


@pytest.mark.parametrize("setup", list(PARTS))
def test_every_instrument_with_a_library_answers_the_same(setup: str) -> None:
    here = told(setup, ())
    with patch("labctl.transport._library_link.LibraryProcess", wraps=LibraryProcess) as process:
        assert told(setup, apart(PARTS[setup])) == here
        assert process.call_count == len(PARTS[setup])


def test_a_run_gives_the_same_arrays_and_the_same_photons(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE, "utf-8")

    def run(name: str, changes: tuple[str, ...]) -> tuple[Mapping[str, bytes], str]:
        request = RunRequest(
            setup=SETUPS / "microscope.yaml",
            recipe=recipe,
            simulate=True,
            seed=5,
            out=tmp_path / name,
            changes=changes,
        )
        report = LocalHost().run(request)
        assert report.outcome.status == "complete", report.outcome.reason
        (photons,) = (tmp_path / name).rglob("*.ptu")
        found = arrays(read_run(report.journal))
        return found, hashlib.sha256(photons.read_bytes()[4096:]).hexdigest()

    here, there = run("here", ()), run("there", apart(PARTS["microscope"]))
    assert len(here[0]) >= 3
    assert here == there
