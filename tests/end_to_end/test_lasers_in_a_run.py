"""Whole runs with a laser that the set-up switches."""

from pathlib import Path
from typing import Any

import pytest

from labctl.host import RunReport
from labctl.storage import RecordKind, read_journal, read_run
from photon_setup import PhotonBench

DECAY = "trpl: {center: 531 nm, stop: {time: 0.5 s}}"
SEPIA = "  laser: {driver: picoquant.sepia, intensity: 60 %, rep_rate: 5 MHzMORE}\n  shutter:"
SAFE = {"safe_state: [shutter.close,": "safe_state: [shutter.close, laser.off,"}


@pytest.fixture
def bench(tmp_path: Path) -> PhotonBench:
    return PhotonBench(tmp_path)


def run(bench: PhotonBench, steps: str = DECAY, more: str = "") -> RunReport:
    changes = {"  shutter:": SEPIA.replace("MORE", more), **SAFE}
    return bench.run(bench.ask(steps, changes=changes))


def lasers(report: RunReport) -> list[dict[str, Any]]:
    """Return what is stored of the laser with each point."""
    records = [r for r in read_journal(report.journal) if r.kind == RecordKind.POINT]
    return [record.data["settings"]["laser"] for record in records]


def test_light_comes_from_the_laser_and_its_rate_is_stored(bench: PhotonBench) -> None:
    dark = bench.run(bench.ask(DECAY))
    report = run(bench)
    for one in (dark, report):
        assert one.outcome.status == "complete", one.outcome.reason
        assert one.outcome.unsafe == ()
    decay = read_run(report.journal)
    (laser,) = lasers(report)
    assert (laser["rep_rate_hz"], laser["intensity_percent"]) == (5e6, 60.0)
    counts = decay.data["trpl"]["counts"].values[0]
    assert counts.sum() > 100
    # Half as many pulses as the set-up says, so one period is twice as long.
    spans_ps = [read_run(one.journal).data["trpl"]["delay"].values[-1] for one in (dark, report)]
    assert spans_ps == pytest.approx([1e5, 2e5], rel=1e-3)


def test_a_scan_of_the_rate(bench: PhotonBench) -> None:
    scan = f"{{scan: laser.rep_rate, values: [10 MHz, 2.5 MHz], steps: [{{{DECAY}}}]}}"
    report = run(bench, scan)
    assert report.outcome.status == "complete", report.outcome.reason
    assert [laser["rep_rate_hz"] for laser in lasers(report)] == [1e7, 2.5e6]


def test_a_key_that_is_not_turned_is_said(bench: PhotonBench) -> None:
    report = run(bench, more=", simulate: {truth: {key_turned: false}}")
    assert report.outcome.status == "failed"
    assert "the interlock is open or the key is not turned" in report.outcome.reason
    assert report.outcome.unsafe == ()


def test_an_interlock_that_opens_while_photons_come(bench: PhotonBench) -> None:
    fault = ", simulate: {faults: [{kind: interlock, after: 40 s}]}"
    report = run(bench, "trpl: {center: 531 nm, stop: {time: 100 s}}", more=fault)
    assert report.outcome.status == "failed"
    assert "the laser is off" in report.outcome.reason
