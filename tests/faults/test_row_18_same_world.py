"""Row 18: what an interrupted run measures is true of the world as it is then, dose and all."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interrupted import cut, is_overlap, points_of, request_of
from labctl.host import resume_request
from labctl.results import analyze
from labctl.storage import read_journal, read_run
from lasting_world import LastingWorld, run_in
from small_setup import Bench

SERIES = """
name: temperature series of one dot
experiment: E04
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - calibrate:
      {kind: detector, lamp: neon, grating: 300/mm, center: 600 nm, exposure: 0.5 s, frames: 40}
  - calibrate:
      {kind: wavelength, lamp: neon, grating: 300/mm, center: 560 nm, exposure: 0.5 s, frames: 20}
  - scan: cryostat.temperature
    values: [4, 20, 40, 60]
    settle: {tolerance: 50 mK, std: 50 mK, for: 15 min, timeout: 60 min, poll: 5 s}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 10}
"""
CALIBRATIONS = (
    "calibrations: {detector: {file: detector.json}, "
    "wavelength: {file: wavelength.json}, response: {file: response.json}}\n"
)
SIGMAS = 4.0
CAME_BEFORE = 2
"""Points of calibrations."""


@pytest.mark.timeout(1800)
def test_dose_and_drift_go_on_and_fits_cover_the_truth(bench: Bench, torture: bool) -> None:
    for seed in range(8 if torture else 1):
        folder = bench.folder / str(seed)
        folder.mkdir()
        with closing(LastingWorld()) as lasting, closing(LastingWorld()) as other:
            _check(Bench(folder), lasting, other, seed)


def _check(bench: Bench, lasting: LastingWorld, other: LastingWorld, seed: int) -> None:
    request = request_of(bench, SERIES, memory=True).model_copy(update={"seed": seed})
    request.setup.write_text(request.setup.read_text("utf-8") + CALIBRATIONS, "utf-8")
    rng = np.random.default_rng(seed)
    report, before = run_in(lasting, request, abort_after=CAME_BEFORE + int(rng.integers(1, 4)))
    run = report.journal.parent
    points = [record for record in read_journal(report.journal) if record.kind == "point"]
    cut(run, points[-1].address.offset + points[-1].address.length + 20)
    gap_s = 3600.0
    lasting.pass_time(gap_s)
    report, after = run_in(lasting, resume_request(run))
    assert report.outcome.status == "complete"

    # Dose: nothing is forgotten, and nothing was added while nobody measured.
    assert np.all(np.diff([*before.doses, *after.doses]) >= 0.0)
    assert after.doses[0] > before.doses[-1] > 0.0
    per_point = np.diff(after.doses)
    assert after.doses[0] - before.doses[-1] == pytest.approx(per_point.mean(), rel=0.3)

    # Points, set values and metadata are those of a run that nobody interrupted.
    whole = request.model_copy(update={"out": bench.folder / "whole"})
    reference, _ = run_in(other, whole)
    mine = [point for point in points_of(run) if not is_overlap(point)]
    theirs = points_of(reference.journal.parent)
    for name in ("index", "measurement", "label", "set", "live_time_s"):
        assert [point.data[name] for point in mine] == [point.data[name] for point in theirs]
    assert [point.step_id for point in mine] == [point.step_id for point in theirs]
    assert sum(map(is_overlap, points_of(run))) == 1

    # Every fit covers what the world was when the spectrum was taken; the repeated one counts.
    truths = {**before.truths, **after.truths}
    rows = _fits(run)
    assert len(rows) == len(mine) - CAME_BEFORE
    for row in rows:
        truth = truths[row["point"]]
        for name, error, real in (
            ("energy", "energy_error", "energy_ev"),
            ("fwhm_intrinsic", "fwhm_intrinsic_error", "fwhm_intrinsic_mev"),
        ):
            off = abs(row[name] - truth[real]) / row[error]
            assert off < SIGMAS, (name, row["point"], off)


def _fits(run: Path) -> list[dict[str, Any]]:
    tables = [table for result in analyze(read_run(run)) for table in result.tables]
    found = next(table for table in tables if "fwhm_intrinsic" in table.units)
    return [dict(zip(found.units, row, strict=True)) for row in found.rows]
