"""Carrying out steps: what is left out when a step is skipped or fails."""

from unittest.mock import patch

import pytest

from fake_lab import Bench, Look
from labctl.errors import NoReplyError, ProtectionError, RefusedError
from labctl.events import Event, Skip, Stop
from labctl.measurements import Context
from labctl.recipes import Measure, Move, Note, OnError, Step, Wait
from labctl.roles import SettleRule
from labctl.sequencer import Aborted, execute
from labctl.stations import SafeReport

RULE = SettleRule(0.05, 0.05, 60.0, 300.0)


def series(*kelvin: float, on_error: OnError = "abort") -> list[Step]:
    """Two points at each temperature; at 99 K the cryostat never settles."""
    steps: list[Step] = []
    for place, value in enumerate(kelvin):
        path = (0, place)
        move = Move(
            number=len(steps),
            id=f"0/{place}/0",
            path=(*path, 0),
            loops=(),
            on_error=on_error,
            settable="cryostat.temperature",
            value=value,
            unit="K",
            rule=RULE,
            on_timeout="skip",
        )
        points = [
            Measure(len(steps), f"0/{place}/{n}", (*path, n), (), on_error, Look()) for n in (1, 2)
        ]
        steps += [move, *points]
    return steps


def stored(bench: Bench) -> list[str]:
    return [event.step_id for event in bench.of("point_stored")]


def test_steps_are_carried_out_in_order(bench: Bench) -> None:
    execute(bench.start(), series(4.0, 20.0))
    assert stored(bench) == ["0/0/1", "0/0/2", "0/1/1", "0/1/2"]


def test_a_skipped_move_takes_the_steps_inside_along(bench: Bench) -> None:
    bench.cryostat.course = lambda target, _: target if target != 99.0 else 0.0
    assert execute(bench.start(), series(4.0, 99.0, 20.0)) == 1
    assert stored(bench) == ["0/0/1", "0/0/2", "0/2/1", "0/2/2"]


def test_a_skip_leaves_out_the_step_that_goes_on(bench: Bench) -> None:
    session = bench.start()
    bench.clock.schedule(62.5, lambda: bench.control.post(Skip()))
    execute(session, series(4.0))
    assert stored(bench) == ["0/0/2"]
    assert bench.texts() == ["step 0/0/1 skipped: skipped by the user"]


def test_a_skip_between_two_steps_leaves_out_the_next_and_the_run_goes_on(bench: Bench) -> None:
    session = bench.start()

    def press(event: Event) -> None:
        if event.kind == "point_stored" and event.index == 0:
            bench.control.post(Skip())

    bench.book.announcer.add(press)
    execute(session, series(4.0, 20.0))
    assert stored(bench) == ["0/0/1", "0/1/1", "0/1/2"]


def test_a_skip_that_comes_when_the_data_are_complete_leaves_out_nothing(bench: Bench) -> None:
    # The last wait of the point is over; it is not stored yet.
    Look.works = lambda context: bench.control.post(Skip()) if not stored(bench) else None
    execute(bench.start(), series(4.0, 20.0))
    assert stored(bench) == ["0/0/1", "0/0/2", "0/1/1", "0/1/2"]
    (told,) = bench.texts()
    assert "the step to skip had ended already" in told


def test_a_second_skip_while_the_set_up_is_made_safe_leaves_out_one_step_only(
    bench: Bench,
) -> None:
    session, make_safe = bench.start(), bench.station.make_safe

    def pressed_again() -> list[SafeReport]:
        bench.control.post(Skip())
        return make_safe()

    bench.clock.schedule(62.5, lambda: bench.control.post(Skip()))
    with patch.object(bench.station, "make_safe", pressed_again):
        execute(session, series(4.0))
    assert stored(bench) == ["0/0/2"]


def test_a_skip_after_the_last_step_does_nothing(bench: Bench) -> None:
    session = bench.start()

    def press(event: Event) -> None:
        if event.kind == "point_stored" and event.index == 1:
            bench.control.post(Skip())

    bench.book.announcer.add(press)
    execute(session, series(4.0))
    assert len(stored(bench)) == 2


@pytest.mark.parametrize(
    ("error", "forgiven"),
    [
        (NoReplyError("eye", "see", "dark"), True),
        (RefusedError("camera", "EM gain 100 would bring too much"), True),
        (ProtectionError("camera", "too much light", "re-arm"), False),
    ],
)
@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_what_an_error_does_to_the_run(
    bench: Bench, error: Exception, forgiven: bool, on_error: OnError
) -> None:
    errors = [error]

    def fail(context: Context) -> None:
        if errors:
            raise errors.pop()

    Look.works = fail
    session = bench.start()
    if forgiven and on_error == "skip":
        execute(session, series(4.0, on_error=on_error))
        assert stored(bench) == ["0/0/2"]
    else:
        with pytest.raises(type(error)):
            execute(session, series(4.0, on_error=on_error))
        assert stored(bench) == []


def test_a_stop_ends_after_the_point(bench: Bench) -> None:
    session = bench.start()
    bench.clock.schedule(62.5, lambda: bench.control.post(Stop(reason="enough")))
    with pytest.raises(Aborted, match="enough"):
        execute(session, series(4.0, 20.0))
    assert stored(bench) == ["0/0/1"]


def test_waits_pass_time_and_notes_are_stored(bench: Bench) -> None:
    steps: list[Step] = [
        Wait(0, "0", (0,), (), "abort", seconds=90.0),
        Note(1, "1", (1,), (), "abort", text="hello"),
    ]
    execute(bench.start(), steps)
    assert bench.clock.now() == 90.0
    assert bench.texts() == ["hello"]
