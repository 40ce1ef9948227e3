"""What another process learns of an interrupted run, and where it believes stages to stand."""

from pathlib import Path

import numpy as np

from fake_lab import Bench, Look
from labctl.measurements import Context
from labctl.sequencer import Past, ending
from labctl.storage import RunFolder


def test_what_measurements_have_kept_is_there_again(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    bench = Bench(tmp_path / "run")
    picture = np.arange(6.0).reshape(2, 3)

    def keep(context: Context) -> None:
        context.remember("peak_nm", 531.0 + len(bench.of("point_stored")))
        context.keep("picture", picture)

    Look.works = keep
    session = bench.start()
    with ending(session):
        for number in range(3):
            session.measure(Look(), step_id=f"s/{number}")
        session.book.message("warning", "run", "left out", skipped_step="s/3")
    Look.works = None
    past = Past.read(bench.journal)
    assert past.folder == RunFolder(tmp_path / "run")
    assert (past.segment, past.points, past.status) == (1, 3, "complete")
    assert (past.last, past.skipped) == ("s/3", {"s/3"})
    assert [done.index for done in past.done.values()] == [0, 1, 2]
    assert past.memory == {"peak_nm": 533.0}
    assert np.array_equal(past.arrays["picture"], picture)
