"""Row 18 of the matrix, the book-keeping: whenever a run is cut off, it goes on as if not."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock, patch

import numpy as np
import pytest

from interrupted import (
    SHORT,
    assert_same_points,
    copy_of,
    cut,
    go_on,
    is_overlap,
    points_of,
    request_of,
)
from interrupted import run_without_product as run_whole
from labctl.errors import ConfigError, StorageError
from labctl.events import Event, Stop
from labctl.host import LocalHost, RunRequest, RunState, resume_request
from labctl.host._calibrations import CalibrationStore
from labctl.host._past import differences, open_past
from labctl.roles import Identity
from labctl.setup import load_setup
from labctl.storage import (
    JournalWriter,
    RunFolder,
    RunStatus,
    lint_product,
    read_journal,
    read_run,
    recover,
)
from labctl_drivers.thorlabs.sc10 import Sc10
from small_setup import Bench

PROGRAM = [sys.executable, "-c", "from labctl.cli import main; main()"]
CALIBRATED = """
name: calibrated
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - calibrate: {kind: wavelength, lamp: neon, grating: 300/mm, center: 590 nm, exposure: 1 s}
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the uninterrupted run."""
    report = run_whole(request_of(Bench(tmp_path_factory.mktemp("whole"))))
    assert report.outcome.status == "complete"
    assert len(points_of(report.journal.parent)) == 12
    return report.journal.parent


def journal_of(run: Path) -> Path:
    (found,) = run.glob("*.lcj")
    return found


def interrupted(bench: Bench, recipe: str = SHORT, *, after: str = "") -> Path:
    """Return a run that ended without a word after its second point, or after an event."""
    report = run_whole(request_of(bench, recipe))
    records = list(read_journal(report.journal))
    points = [record for record in records if record.kind == "point"]
    events = [r for r in records if r.kind == "event" and after and after in r.data["message"]]
    last = events[0] if after else points[1]
    cut(report.journal.parent, last.address.offset + last.address.length + 30)
    return report.journal.parent


@pytest.mark.timeout(7200)
def test_cut_at_random_bytes_it_ends_with_the_same_arrays(
    whole: Path, tmp_path: Path, torture: bool
) -> None:
    """Every journal that a kill can leave is a beginning of the whole one."""
    size = journal_of(whole).stat().st_size
    overlaps = 0
    for seed in range(200 if torture else 6):
        rng = np.random.default_rng(seed)
        run = copy_of(whole, tmp_path / str(seed))
        cut(run, int(rng.integers(2000, size)))
        with read_journal(journal_of(run)) as records:
            begun = any(record.kind == "start" for record in records)
        if not begun:
            with pytest.raises(StorageError, match="nothing was begun; run the recipe again"):
                go_on(run)
            continue
        for _ in range(rng.integers(0, 3)):
            # What goes on is broken off again, in the middle of what it had written.
            report = go_on(run)
            cut(run, int(rng.integers(5000, report.journal.stat().st_size)))
        acknowledged = len({point.data["index"] for point in points_of(run)})
        report = go_on(run)
        assert report.outcome.status == "complete"
        assert report.outcome.skipped == 0
        overlaps += assert_same_points(run, whole)
        assert read_run(run).points.sizes["point"] >= acknowledged
    assert overlaps > 0


def test_the_file_holds_both_segments(bench: Bench) -> None:
    request = request_of(bench, SHORT)
    report = LocalHost().run(request)
    run = report.journal.parent
    points = [record for record in read_journal(report.journal) if record.kind == "point"]
    cut(run, points[1].address.offset + points[1].address.length + 30)
    assert recover(run).points == 2
    assert read_run(run).status is RunStatus.RECOVERED
    report = LocalHost().run(resume_request(run))
    assert report.outcome.status == "complete"
    assert report.product is not None
    assert lint_product(report.product) == []
    assert recover(run).made is False
    for found in (read_run(report.product), read_run(report.journal)):
        assert found.status is RunStatus.COMPLETE
        assert found.points["index"].values.tolist() == [0, 1, 1, 2, 3]
        assert found.points["segment"].values.tolist() == [0, 0, 1, 1, 1]
        assert found.points["superseded"].values.tolist() == [False, True, False, False, False]
        assert found.data["spectrum"]["point"].values.tolist() == [0, 1, 2, 3]
        assert [segment.reason for segment in found.segments] == [
            "",
            "crashed: the process ended without a word",
        ]
        assert np.all(np.diff(found.points["time_s"].values) > 0.0)
    state = RunState.from_journal(report.journal)
    assert (state.state, state.points, state.run) == ("done", 4, read_run(run).uid)
    first = RunState.from_journal(run / f"{run.name}.lcj")
    assert (first.state, first.points) == ("running", 2)


def test_an_aborted_run_goes_on(bench: Bench) -> None:
    host, stored = LocalHost(), 0

    def stop_after_two(event: Event) -> None:
        nonlocal stored
        stored += event.kind == "point_stored"
        if event.kind == "point_stored" and stored == 2:
            host.post(Stop(reason="enough for today"))

    report = host.run(request_of(bench, SHORT), [stop_after_two])
    run = report.journal.parent
    assert (report.outcome.status, len(points_of(run))) == ("aborted", 2)
    assert go_on(run).outcome.status == "complete"
    found = read_run(run)
    assert found.segments[1].reason == "aborted: enough for today"
    assert [is_overlap(point) for point in points_of(run)] == [False, False, True, False, False]


def test_what_is_not_as_it_was_is_named_whole_and_refused_unless_accepted(bench: Bench) -> None:
    run = interrupted(bench)
    before = (run / f"{run.name}.lcj").read_bytes()
    setup, recipe = bench.folder / "setup.yaml", bench.folder / "recipe.yaml"
    setup.write_text(setup.read_text("utf-8").replace("2.4 um", "2.6 um"), "utf-8")
    recipe.write_text(recipe.read_text("utf-8").replace("exposure: 1 s", "exposure: 2 s"), "utf-8")
    pretend = patch("labctl.host._past.version", return_value="9.9")
    asked = Sc10.identity

    def another(sc10: Sc10) -> Identity:
        return replace(asked(sc10), serial="77")

    other = patch.object(Sc10, "identity", another)
    with pretend, other, pytest.raises(ConfigError) as caught:
        go_on(run)
    texts = [problem.what for problem in caught.value.problems]
    assert [text.partition(":")[0] for text in texts] == ["labctl", "recipe", "set-up", "shutter"]
    assert "was 0.1.0, is 9.9" in texts[0]
    assert 'exposure: was "1 s", is "2 s"' in texts[1]
    assert 'laser.spot_1e2_diameter: was "2.4 um", is "2.6 um"' in texts[2]
    assert 'serial: was "", is "77"' in texts[3]
    assert all("--accept" in problem.hint for problem in caught.value.problems)
    assert list(run.glob("*.lcj")) == [run / f"{run.name}.lcj"]
    assert (run / f"{run.name}.lcj").read_bytes() == before
    with pretend, other:
        assert go_on(run, accept=True).outcome.status == "complete"
    found = read_run(run)
    told = [event.data["difference"] for event in found.events if "difference" in event.data]
    assert told == texts
    # The recipe is still the one that the run began with.
    assert found.data["spectrum"]["live_time_s"].values.tolist() == [2.0] * 4
    assert [point.data["quality"] for point in points_of(run)][-2:] == [0, 0]


def test_a_library_in_another_process_is_no_difference(whole: Path, tmp_path: Path) -> None:
    run = copy_of(whole, tmp_path)
    cut(run, points_of(whole)[-1].address.offset + 30)
    past = open_past(run)
    text = Path(past.start["origin"]["setup"]).read_text("utf-8")
    block = "{driver: princeton.picam"
    for added, count in (("isolate: true, longest_call: 9 s", 0), ("serial: X1", 1)):
        setup = tmp_path / "setup.yaml"
        setup.write_text(text.replace(block, f"{block}, {added}"), "utf-8")
        station = Mock(identities={})
        found = differences(past, load_setup(setup), past.start["origin"], station, {}, accept=True)
        assert len(found) == count, found


def with_calibrations(bench: Bench, recipe: str) -> RunRequest:
    request = request_of(bench, recipe)
    block = (
        "calibrations: {irf: {file: irf.json}, "
        "wavelength: {file: wavelength.json}, response: {file: response.json}}\n"
    )
    request.setup.write_text(request.setup.read_text("utf-8") + block, "utf-8")
    return request


def test_a_new_calibration_is_a_difference(bench: Bench) -> None:
    request = with_calibrations(bench, SHORT)
    run = run_whole(request).journal.parent
    cut(run, 60000)
    store = CalibrationStore(
        load_setup(request.setup), bench.folder / "data", lambda: datetime(2026, 1, 1, tzinfo=UTC)
    )
    store.keep("irf", "apd_1", {"calibrated_at": "2026-01-01T00:00:00+00:00"})
    with pytest.raises(ConfigError, match="'irf' of apd_1: was not there, is made 2026-01-01T00"):
        go_on(run)
    assert go_on(run, accept=True).outcome.status == "complete"


def test_a_calibration_of_the_run_itself_is_none(bench: Bench) -> None:
    """Cut off after the calibration, before and behind its point, with and without its file."""
    request = with_calibrations(bench, CALIBRATED)
    report = run_whole(request)
    run, files = report.journal.parent, list((bench.folder / "data").glob("*.json"))
    assert len(files) >= 2
    records = list(read_journal(report.journal))
    (first,) = [n for n, r in enumerate(records) if r.kind == "point" and r.data["index"] == 0]
    for place, calibrates_again in ((first + 1, False), (first, True)):
        again = copy_of(run, bench.folder / str(place))
        cut(again, records[place].address.offset)
        assert go_on(again).outcome.status == "complete"
        points = points_of(again)
        assert [point.data["index"] for point in points] == [0, 1]
        assert (points[0].segment == 1) is calibrates_again
    for file in files:
        file.unlink()
    cut(run, records[first + 1].address.offset)
    assert go_on(run).outcome.status == "complete"
    # The newest is in force, although its file had been lost.
    before, after = points_of(run)
    assert (before.segment, after.segment) == (0, 1)
    assert after.data["settings"]["calibration"] != {}


def test_a_skipped_step_stays_skipped(bench: Bench) -> None:
    recipe = SHORT.replace("[530, 532, 534, 536]", "[530, 532, 534]")
    recipe += "  - scan: cryostat.temperature\n    values: [12]\n" + (
        "    settle: {tolerance: 1 mK, for: 60 s, timeout: 90 s, on_timeout: skip}\n"
        "    steps: [{spectrum: {grating: 300/mm, exposure: 1 s}}]\n"
        "  - spectrum: {grating: 300/mm, exposure: 1 s}\n"
    )
    run = interrupted(bench, recipe, after="skipped")
    report = go_on(run)
    assert (report.outcome.status, report.outcome.skipped) == ("complete", 1)
    found = points_of(run)
    assert [point.data["index"] for point in found] == [0, 1, 2, 3]
    told = [event for event in read_run(run).events if "skipped_step" in event.data]
    assert len(told) == 1


def test_what_cannot_be_taken_up_is_refused_in_words(bench: Bench) -> None:
    request = request_of(bench, SHORT)
    report = run_whole(request)
    with pytest.raises(ConfigError, match="is complete; nothing is left"):
        go_on(report.journal.parent)
    with pytest.raises(StorageError, match="holds no journal"):
        go_on(bench.folder)
    run = report.journal.parent
    cut(run, 5000)
    second = RunFolder(run).segment_journal(1)
    with JournalWriter(second, now=lambda: 0.0, utc=lambda: datetime.now(UTC), segment=1):
        with pytest.raises(StorageError, match="is going on"):
            go_on(run)
    second.unlink()
    cut(run, 700)
    with pytest.raises(StorageError, match="has no start record: nothing was begun"):
        go_on(run)


def test_the_command_goes_on_and_prints_the_file(bench: Bench) -> None:
    run = interrupted(bench)
    done = subprocess.run(
        [*PROGRAM, "resume", str(run)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(run / f"{run.name}.nxs")
    assert "goes on after 2 points" in done.stderr
    again = subprocess.run(
        [*PROGRAM, "resume", str(run)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 2
    assert "nothing is left to be done" in again.stderr
