"""Row 17: Ctrl-C once, twice, thrice at any instant of a run."""

from pathlib import Path

import numpy as np
import pytest

from fake_lab import Bench, Look
from labctl.events import Abort, Stop
from labctl.recipes import Measure, Move, Note, Step, Wait
from labctl.roles import SettleRule
from labctl.sequencer import Outcome, ending, execute
from labctl.storage import RecordKind, TailState, read_journal

RULE = SettleRule(0.05, 0.05, 20.0, 300.0)


def steps() -> list[Step]:
    """Return every kind of step, twice."""
    found: list[Step] = []
    for place, kelvin in enumerate((4.0, 12.0)):
        path = (0, place)
        head = (len(found), f"c/{place}/0", (*path, 0), (), "abort")
        found.append(Move(*head, "cryostat.temperature", kelvin, "K", RULE, "abort"))
        found.append(Note(len(found), f"c/{place}/1", (*path, 1), (), "abort", "here"))
        found.append(Wait(len(found), f"c/{place}/2", (*path, 2), (), "abort", 7.0))
        for number in (3, 4):
            at = (len(found), f"c/{place}/{number}", (*path, number), (), "abort")
            found.append(Measure(*at, Look(seconds=5.0)))
    return found


LASTS_S = 2 * (20.0 + 7.0 + 2 * 5.0)


def press(bench: Bench, times: int) -> None:
    """Do what the command line does with the first, second and third press."""
    bench.control.post(Stop())
    if times >= 2:
        bench.control.post(Abort())
    if times >= 3:
        raise KeyboardInterrupt


def interrupted_at(folder: Path, at_s: float, times: int) -> tuple[Bench, Outcome]:
    folder.mkdir(parents=True)
    bench = Bench(folder)
    bench.shutter.position = True
    bench.clock.schedule(at_s, lambda: press(bench, times))
    session = bench.start({"cryostat.temperature": 1.0})
    with ending(session) as outcome:
        execute(session, steps())
    return bench, outcome


@pytest.mark.parametrize("times", [1, 2, 3], ids=["once", "twice", "thrice"])
def test_at_random_instants_the_set_up_is_safe_and_the_end_is_stored(
    tmp_path: Path, torture: bool, times: int
) -> None:
    ended = dict[str, int]()
    for seed in range(400 if torture else 60):
        at_s = float(np.random.default_rng([times, seed]).uniform(0.0, LASTS_S))
        bench, outcome = interrupted_at(tmp_path / str(seed), at_s, times)
        assert outcome.status == "aborted", (seed, outcome)
        assert outcome.unsafe == ()
        assert not bench.shutter.position
        with read_journal(bench.journal) as records:
            found = list(records)
        assert records.tail.state is TailState.END
        assert (found[-1].kind, found[-1].data["status"]) == (RecordKind.STOP, "aborted")
        stored = [record.data["index"] for record in found if record.kind == RecordKind.POINT]
        assert stored == [event.index for event in bench.of("point_stored")]
        ended[outcome.reason] = ended.get(outcome.reason, 0) + 1
        after_s = bench.clock.now() - at_s
        # Once: the point that goes on is finished; twice and thrice: at once.
        assert after_s <= (5.0 if times == 1 else 1.0) + 1e-6
    assert sum(ended.values()) >= 60


def test_the_same_instant_gives_the_same(tmp_path: Path) -> None:
    told: list[list[str]] = []
    for name in ("a", "b"):
        bench, _ = interrupted_at(tmp_path / name, 33.3, 2)
        told.append([f"{event.kind} {event.t_mono_s}" for event in bench.events])
    assert told[0] == told[1]
