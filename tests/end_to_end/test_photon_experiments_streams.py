"""E14 and E15 over the wire: the shipped recipe, shorter, against what the dot really did."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest

from benchmarks.rendered_streams import BlinkingTruth, blinking_truth
from labctl.host import RunRequest
from labctl.results import ExperimentResult, analyze
from labctl_sim.world.photons import Run
from live_bench import LiveRun, run_live
from small_setup import ROOT

LENGTH_S = 60.0
SHORTER = {"time: 300 s": "time: 60 s", "counts: 1000000": "counts: 300000"}


class Seen(NamedTuple):
    """Results by quantity, and the truth of the same stretch of time."""

    found: dict[str, ExperimentResult]
    truth: BlinkingTruth


def measured(folder: Path, experiment: str) -> Seen:
    recipe = folder / "blinking.yaml"
    text = (ROOT / "configs" / "recipes" / "blinking.yaml").read_text("utf-8")
    for old, new in {**SHORTER, "experiment: E15": f"experiment: {experiment}"}.items():
        assert old in text
        text = text.replace(old, new)
    recipe.write_text(text, "utf-8")
    setup = ROOT / "configs" / "setups" / "room_temperature.yaml"
    request = RunRequest(setup=setup, recipe=recipe, simulate=True, seed=0, out=folder / "data")
    with truths_of_runs() as truths:
        live = run_live(request, nothing)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    (truth,) = truths
    return Seen({result.quantity: result for result in analyze(live.run)}, truth)


def nothing(event: Any, live: LiveRun) -> None:
    """Only run."""


@contextmanager
def truths_of_runs() -> Generator[list[BlinkingTruth]]:
    """Ask the world for the truth in the moment in which the module begins to count the dot."""
    truths: list[BlinkingTruth] = []
    begin = Run.__init__

    def noted(run: Run, bench: Any, *arguments: Any, **words: Any) -> None:
        begin(run, bench, *arguments, **words)
        world = bench.world
        if not world.table.scatterer:
            lit_s = world.table.excitation.integral(0.0, run.began_s)
            truths.append(blinking_truth(world, words["device"], lit_s, LENGTH_S))

    with patch.object(Run, "__init__", noted):
        yield truths


def assert_covered(seen: Seen, truths: dict[str, float]) -> None:
    for name, truth in truths.items():
        assert seen.found[name].measured.covers(truth, 4.0), (name, seen.found[name], truth)


def test_blinking_over_the_wire_covers_what_the_dot_did(tmp_path: Path) -> None:
    seen = measured(tmp_path, "E14")
    assert {result.experiment for result in seen.found.values()} == {"E14"}
    on_hz, off_hz = seen.truth.rates_hz
    assert_covered(
        seen,
        {
            "on_fraction": seen.truth.on_share,
            "change_points": seen.truth.switches,
            "on_rate": on_hz,
            "off_rate": off_hz,
            "on_exponent": seen.truth.exponent,
            "off_exponent": seen.truth.exponent,
        },
    )
    # 650 counts per 10 ms tell each switch to some 20 us.
    assert seen.found["on_fraction"].standard_error < 1e-5
    tables = {table.name: table for table in seen.found["on_fraction"].tables}
    assert len(tables["dwells"].rows) == seen.truth.switches + 1
    (trace,) = tables["trace"].rows
    assert trace[2] == pytest.approx(on_hz * 0.01, rel=0.01)


def test_lifetime_and_intensity_over_the_wire_cover_the_truth(tmp_path: Path) -> None:
    seen = measured(tmp_path, "E15")
    on_ns, off_ns = seen.truth.lifetimes_ns
    assert_covered(
        seen,
        {
            "on_lifetime": on_ns,
            "off_lifetime": off_ns,
            "lifetime_ratio": off_ns / on_ns,
            "intensity_ratio": seen.truth.intensity_ratio,
        },
    )
    assert seen.found["on_lifetime"].standard_error < 0.002 * on_ns
    tables = {table.name: table for table in seen.found["lifetime_ratio"].tables}
    assert tables["blinking_type"].column("type") == ("A", "A")
    shares = [share for share in tables["flid"].column("share") if isinstance(share, float)]
    assert 0.9 < sum(shares) <= 1.0
