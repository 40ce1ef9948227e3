"""Two dots of each of seven batches on the open-loop stage: found, measured, none confused."""

from pathlib import Path

import pytest

from benchmarks.survey import BATCHES, Job, survey_all
from labctl.storage import read_run

_CORES = 2
_MOST_RECORDS, _MOST_BYTES = 1e8, 1e9
_FEWEST_PHOTONS = 20_000


@pytest.mark.timeout(600)
def test_fourteen_dots_of_seven_batches_are_measured(tmp_path: Path) -> None:
    """How long it takes is told by ``make survey``, not judged here."""
    jobs = [Job(batch, dots=2, patience=1 / 6) for batch in BATCHES]
    verdicts = survey_all(jobs, tmp_path, processes=_CORES)
    for verdict in verdicts:
        assert verdict.measured == verdict.found == 2, verdict
        assert not verdict.false
        assert not verdict.confused
    assert sum(one.stored_bytes for one in verdicts) <= _MOST_BYTES
    assert 14 * _FEWEST_PHOTONS <= sum(one.records for one in verdicts) <= _MOST_RECORDS
    for journal in (tmp_path / "data").rglob("*.lcj"):
        stored = read_run(journal)
        if "g2" not in stored.data:
            continue
        # Each point carries where its dot is, how bright, and how sure that is.
        points = stored.points
        measured = points["dot_name"].values != ""
        assert (points["dot_snr"].values[measured] >= 5.0).all()
        assert (points["dot_rate_hz"].values[measured] > 100.0).all()
