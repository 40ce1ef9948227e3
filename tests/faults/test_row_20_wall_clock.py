"""Row 20: the wall clock jumps by an hour either way, in a point and while it settles."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from interrupted import SHORT
from invariants import check_invariants
from labctl.storage import Quality, finalise, read_run
from live_bench import LiveRun, frame, once, run_live
from small_setup import Bench, arrays

SERIES = """
name: settles
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: cryostat.temperature
    values: [4, 12]
    settle: {tolerance: 50 mK, std: 50 mK, for: 60 s, timeout: 30 min}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 4}
"""


def jump(hours: float) -> Any:
    def now(live: LiveRun) -> None:
        clock: Any = live.clock
        clock._start_utc += timedelta(hours=hours)

    return now


def steps_told(live: LiveRun) -> list[float]:
    return [event.data["step_s"] for event in live.run.events if "step_s" in event.data]


@pytest.mark.parametrize("hours", [1.0, -1.0])
def test_a_jump_in_a_point_is_flagged_and_changes_nothing(bench: Bench, hours: float) -> None:
    request = bench.request(recipe=bench.recipe(SHORT))
    calm = run_live(request, lambda event, live: None)
    live = run_live(request, once(frame(2, 1), jump(hours)))
    check_invariants(live, detected=False)
    assert arrays(live.run) == arrays(calm.run)
    flags = live.run.points["quality"].values & Quality.CLOCK_STEP
    assert flags.tolist() == [0, int(Quality.CLOCK_STEP), 0, 0]
    assert steps_told(live) == [pytest.approx(3600.0 * hours)]
    for run in (live.run, read_run(finalise(live.ended.journal).product)):
        points = run.points
        assert np.all(np.diff(points["time_s"].values) > 0.0)
        assert np.all(points["ended_s"].values > points["began_s"].values)
        same = np.abs(points["time_s"].values - calm.run.points["time_s"].values)
        assert same.max() < 0.1
        assert run.segments[0].ended_utc >= run.segments[0].began_utc


@pytest.mark.parametrize("hours", [1.0, -1.0])
def test_settling_takes_as_long_as_without_a_jump(bench: Bench, hours: float) -> None:
    request = bench.request(recipe=bench.recipe(SERIES))
    calm = run_live(request, lambda event, live: None)
    settling = once(lambda event: event.kind == "move_started" and event.value == 12, jump(hours))
    live = run_live(request, settling)
    assert [move.seconds for move in live.of("move_finished")] == [
        move.seconds for move in calm.of("move_finished")
    ]
    assert arrays(live.run) == arrays(calm.run)
    flags = live.run.points["quality"].values & Quality.CLOCK_STEP
    assert flags.tolist() == [0, int(Quality.CLOCK_STEP)]
