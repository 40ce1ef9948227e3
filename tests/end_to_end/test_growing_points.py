"""A point is shown while it is taken; who looks on changes nothing of what is measured."""

from collections.abc import Generator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from labctl.events import Event
from labctl.measurements import Grown
from live_bench import LiveRun, run_live
from photon_setup import PhotonBench
from small_setup import Bench

STEPS = """
irf: {grating: 300/mm, stop: {counts: 40000, at_most: 30 s}}
trpl: {grating: 300/mm, center: 531 nm, stop: {time: 6 s}}
trace: {grating: 300/mm, center: 531 nm, time_bin: 100 ms, stop: {time: 4 s}}
g2: {grating: 300/mm, center: 531 nm, stop: {time: 4 s}}
"""
SPECTRA = """
name: frames
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 4}
"""


class Looker:
    """Keeps copies of what was shown."""

    def __init__(self) -> None:
        self.seen: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}

    def __call__(self, measurement: str, grown: Grown) -> None:
        arrays = {one.name: np.array(one.values) for one in grown.arrays}
        self.seen.setdefault(measurement, []).append((arrays, dict(grown.facts)))


def nothing(event: Event, live: LiveRun) -> None:
    """Only look."""


@pytest.fixture(autouse=True)
def often() -> Generator[None]:
    """Show every picture: in virtual time a point takes no time of life."""
    with (
        patch("labctl.sequencer._announce._LEAST_S", 0.0),
        patch("labctl.sequencer._announce._SHARE", 1e9),
    ):
        yield


@pytest.fixture(scope="module")
def seen_and_unseen(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Looker, LiveRun, LiveRun]:
    looker = Looker()
    runs: list[LiveRun] = []
    with (
        patch("labctl.sequencer._announce._LEAST_S", 0.0),
        patch("labctl.sequencer._announce._SHARE", 1e9),
    ):
        for look in (looker, None):
            bench = PhotonBench(tmp_path_factory.mktemp("photons"))
            runs.append(run_live(bench.ask(STEPS), nothing, look=look))
    return looker, runs[0], runs[1]


def test_photons_are_shown_as_they_come(seen_and_unseen: tuple[Looker, LiveRun, LiveRun]) -> None:
    looker, seen, _ = seen_and_unseen
    for kind, name in (("trpl", "counts"), ("trace", "counts"), ("g2", "areas")):
        totals = [int(arrays[name].sum()) for arrays, _ in looker.seen[kind]]
        assert len(totals) >= 3, kind
        assert totals == sorted(totals)
        assert 0 < totals[0] < totals[-1] <= int(seen.run.data[kind][name].values[0].sum())
    times = [facts["live_s"] for _, facts in looker.seen["trpl"]]
    # Once a second, at the look that follows: 0.1 s later at most.
    assert np.all((np.diff([0.0, *times]) >= 1.0) & (np.diff([0.0, *times]) < 1.15))


def test_the_decay_is_fitted_through_the_measured_response(
    seen_and_unseen: tuple[Looker, LiveRun, LiveRun],
) -> None:
    looker, _, _ = seen_and_unseen
    arrays, facts = looker.seen["trpl"][-1]
    # The dot's lifetime is 0.1 ns at 4 K; a fit of one exponential to 6 s is a quick look.
    assert 40.0 < facts["lifetime_ps"] < 400.0
    assert 0.0 < facts["lifetime_error_ps"] < facts["lifetime_ps"]
    fitted = np.isfinite(arrays["fit"])
    counts, expected = arrays["counts"][fitted], arrays["fit"][fitted]
    assert expected.sum() == pytest.approx(counts.sum(), rel=0.02)


def test_who_looks_on_changes_no_array(seen_and_unseen: tuple[Looker, LiveRun, LiveRun]) -> None:
    _, seen, unseen = seen_and_unseen
    for kind, names in {"trpl": ["counts"], "trace": ["counts"], "g2": ["areas", "tau"]}.items():
        for name in names:
            np.testing.assert_array_equal(
                seen.run.data[kind][name].values, unseen.run.data[kind][name].values
            )


def test_frames_of_a_spectrum_are_shown_as_they_come(tmp_path: Path) -> None:
    bench, looker = Bench(tmp_path), Looker()
    request = bench.request(recipe=bench.recipe(SPECTRA))
    live = run_live(request, nothing, look=looker)
    stored = live.run.data["spectrum"].isel(point=0)
    shown = looker.seen["spectrum"]
    assert [facts["live_s"] for _, facts in shown] == [1.0, 2.0, 3.0]
    for arrays, _ in shown:
        frames = len(arrays["frames"])
        np.testing.assert_array_equal(arrays["frames"], stored["frames"].values[:frames])
        np.testing.assert_array_equal(arrays["wavelength"], stored["wavelength"].values)


def test_a_display_that_fails_ends_no_run(tmp_path: Path) -> None:
    def broken(measurement: str, grown: Grown) -> None:
        raise RuntimeError("no display")

    bench = Bench(tmp_path)
    live = run_live(bench.request(recipe=bench.recipe(SPECTRA)), nothing, look=broken)
    assert live.ended.outcome.status == "complete"
    assert any("no display" in event.message for event in live.run.events)
