"""Runs that are cut off at any byte of their journal, which is all that a killed process leaves."""

import shutil
from pathlib import Path
from unittest.mock import patch

import numpy as np

from labctl.host import LocalHost, RunReport, RunRequest, resume_request
from labctl.storage import Quality, Record, RecordKind, RunFolder, read_journal
from small_setup import Bench

# The plate settles for so long that its temperature has nothing left of where it came from.
SERIES = """
name: series
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - note: begins
  - scan: cryostat.temperature
    values: [4, 12]
    settle: {tolerance: 50 mK, std: 50 mK, for: 40 min, timeout: 3 h, poll: 20 s}
    steps:
      - scan: spectrograph.wavelength
        values: [530, 534]
        steps:
          - wait: 5 s
          - spectrum: {grating: 300/mm, exposure: 1 s, frames: 2}
          - repeat:
              times: 2
              steps:
                - spectrum: {grating: 300/mm, exposure: 500 ms}
                  label: short
"""


SHORT = """
name: short
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: spectrograph.wavelength
    values: [530, 532, 534, 536]
    steps:
      - spectrum: {grating: 300/mm, exposure: 1 s, frames: 2}
"""


def request_of(bench: Bench, recipe: str = SERIES, *, memory: bool = False) -> RunRequest:
    """Return the request for a run on a set-up whose world forgets, unless it shall not."""
    setup = bench.setup({**{"MONITOR_PERIOD": "60 s"}, **_WORDS})
    if not memory:
        setup.write_text(setup.read_text("utf-8") + "simulate: {memory: false}\n", "utf-8")
    return bench.request(setup=setup, recipe=bench.recipe(recipe))


_WORDS = {
    "CRYOSTAT_DRIVER": "montana.cryostation",
    "CRYOSTAT_ADDRESS": "TCPIP::cryostation.example::7773::SOCKET",
}


def run_without_product(request: RunRequest) -> RunReport:
    """Run; the product, which costs seconds, is left out."""
    with patch("labctl.host._runner.finalise_in_child") as finalise:
        finalise.return_value.product = None
        return LocalHost().run(request)


def cut(run: Path, size: int) -> None:
    """Leave so many bytes of the newest journal of a run, as a kill does, and no product."""
    for product in run.glob("*.nxs*"):
        product.unlink()
    newest = max(run.glob("*.lcj"), key=lambda path: (len(path.name), path.name))
    with newest.open("r+b") as file:
        file.truncate(size)


def copy_of(run: Path, to: Path) -> Path:
    """Return a copy of a run folder."""
    return shutil.copytree(run, to / run.name)


def go_on(run: Path, *, accept: bool = False) -> RunReport:
    """Go on with a run."""
    return run_without_product(resume_request(run, accept=accept))


def points_of(run: Path) -> list[Record]:
    """Return the points of all segments, in order."""
    found: list[Record] = []
    for journal in RunFolder(run).journals():
        with read_journal(journal) as records:
            found += [record for record in records if record.kind == RecordKind.POINT]
    return found


def is_overlap(point: Record) -> bool:
    """Return whether a point was only repeated to show what has changed."""
    return bool(point.data["quality"] & Quality.OVERLAP)


def assert_same_points(run: Path, wanted: Path) -> int:
    """Compare every point that is no overlap with that of the uninterrupted run, bit by bit.

    Returns the number of overlaps, which stand beside the points that they repeat.
    """
    points = points_of(run)
    overlaps = [point for point in points if is_overlap(point)]
    mine = [point for point in points if not is_overlap(point)]
    theirs = points_of(wanted)
    assert [point.data["index"] for point in mine] == list(range(len(theirs)))
    for point, reference in zip(mine, theirs, strict=True):
        for name in ("index", "measurement", "label", "set", "live_time_s", "settings"):
            assert point.data[name] == reference.data[name], (
                f"{point.step_id}, {name}: {point.data[name]} instead of {reference.data[name]}"
            )
        assert (point.step_id, point.attempt) == (reference.step_id, reference.attempt)
        assert list(point.arrays) == list(reference.arrays)
        for name, item in point.arrays.items():
            assert np.array_equal(item.values, reference.arrays[name].values), (point.step_id, name)
            assert (item.units, item.axes) == (
                reference.arrays[name].units,
                reference.arrays[name].axes,
            )
    for point in overlaps:
        assert point.attempt > 0
        assert point.step_id == theirs[int(point.data["index"])].step_id
    return len(overlaps)
