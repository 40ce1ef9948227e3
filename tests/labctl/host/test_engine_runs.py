"""Runs of the engine's queue: they sit on the dot that the recipe names, and are gone on with."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labctl.errors import LabctlError
from labctl.events import Abort, RunStopped, decode_event
from labctl.host.server import EngineRequest
from labctl.storage import read_run
from served_engine import Hearer, attached, served, wait_for
from small_setup import Bench

RECIPE = """
name: one dot
sample: {name: CsPbBr3 23 nm, dot: DOT}
steps:
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 2, unlocked_sensor: true}
"""
SERIES = """
name: four spectra
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: spectrograph.wavelength
    values: [530, 531, 532, 533]
    steps:
      - spectrum: {grating: 300/mm, exposure: 1 s, unlocked_sensor: true}
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def lab(bench: Bench) -> Generator[EngineRequest]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCTL_RUNTIME_DIR", str(bench.folder / "runtime"))
        request = EngineRequest(
            setup=bench.setup(), simulate=True, speed=4.0, out=bench.folder / "served"
        )
        with served(request):
            yield request


@pytest.fixture
def window(lab: EngineRequest) -> Generator[Hearer]:
    with attached(lab) as hearer:
        yield hearer


def ends(window: Hearer) -> list[RunStopped]:
    events = [decode_event(head["event"]) for head in window.of("event")]
    return [event for event in events if isinstance(event, RunStopped)]


def next_end(window: Hearer, verb: str, **arguments: Any) -> RunStopped:
    """Ask for a run and wait for its end."""
    before = len(ends(window))
    window.ask(verb, **arguments)
    wait_for(lambda: len(ends(window)) > before, "the run to end")
    return ends(window)[-1]


def light(run: Path) -> float:
    """Return the height of the band above the floor, counts."""
    counts = read_run(run).data["spectrum"]["counts"].values[-1].astype(np.float64)
    return float(np.convolve(counts - np.median(counts), np.ones(41) / 41, mode="same").max())


def test_a_run_sits_on_the_dot_of_its_recipe(window: Hearer, bench: Bench) -> None:
    """The dots differ in brightness by 1.6; each is as bright as in a run of its own."""
    for dot in ("A7", "A4", "A7"):
        recipe = bench.recipe(RECIPE.replace("DOT", dot), f"{dot}.yaml")
        end = next_end(window, "queue_add", recipe=str(recipe))
        alone = bench.run(bench.request(recipe=recipe))
        assert light(Path(end.journal)) == pytest.approx(light(alone.journal), rel=0.1)
        assert read_run(Path(end.journal)).start["sample"]["dot"] == dot


def abort_after_first_point(window: Hearer, recipe: Path) -> Path:
    """Return the folder of a run that was aborted when it had one point."""
    before, told = len(ends(window)), len(window.heads)
    window.ask("queue_add", recipe=str(recipe))

    def stored() -> bool:
        fresh = [head for head in window.heads[told:] if head["kind"] == "event"]
        return any('"point_stored"' in head["event"] for head in fresh)

    wait_for(stored, "the first point")
    window.ask("command", command=Abort().model_dump_json())
    wait_for(lambda: len(ends(window)) > before, "the run to end")
    return Path(ends(window)[-1].journal).parent


def test_a_run_that_was_broken_off_is_gone_on_with(window: Hearer, bench: Bench) -> None:
    run = abort_after_first_point(window, bench.recipe(SERIES, "series.yaml"))
    assert read_run(run).status == "aborted"
    end = next_end(window, "queue_resume", run=str(run))
    assert (end.status, Path(end.journal).parent) == ("complete", run)
    found = read_run(run)
    assert found.status == "complete"
    assert found.data["spectrum"].sizes["point"] == 4
    assert [segment.number for segment in found.segments] == [0, 1]
    with pytest.raises(LabctlError, match="is complete"):
        window.ask("queue_resume", run=str(run))


def test_what_differs_is_told_and_can_be_accepted(window: Hearer, bench: Bench) -> None:
    recipe = bench.recipe(SERIES, "changed.yaml")
    run = abort_after_first_point(window, recipe)
    recipe.write_text(SERIES.replace("exposure: 1 s", "exposure: 2 s"), "utf-8")
    answer = window.ask("queue_resume", run=str(run))
    assert "number" not in answer
    assert any("exposure" in text for text in answer["differences"])
    assert window.status()["queue"] == []
    end = next_end(window, "queue_resume", run=str(run), accept=True)
    assert end.status == "complete"
    found = read_run(run)
    # The recipe that the run began with is the one that counts.
    assert set(found.data["spectrum"]["camera_exposure_s"].values) == {1.0}
    assert any("accepted by the user" in event.message for event in found.events)
