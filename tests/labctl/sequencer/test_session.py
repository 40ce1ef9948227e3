"""A session on fake instruments: moves, settling, points, pauses, ends."""

import math
import signal

import numpy as np
import pytest

from fake_lab import Bench, Look
from labctl.errors import GarbledReplyError, NoReplyError, RefusedError
from labctl.events import (
    Abort,
    Command,
    MoveFinished,
    MoveStarted,
    Pause,
    PausePolicy,
    PointStored,
    Rearm,
    Resume,
    Skip,
    Stop,
    decode_event,
)
from labctl.measurements import Context
from labctl.roles import SettleRule
from labctl.sequencer import Aborted, Skipped, ending
from labctl.storage import Quality, RecordKind, read_journal, read_run

RULE = SettleRule(0.05, 0.05, 60.0, 600.0)
TOLD_OFTEN = (MoveStarted, MoveFinished, PointStored)
SILENT = NoReplyError("cryostat", "GPT", "no reply within 2 s")


def at(bench: Bench, at_s: float, *commands: Command) -> None:
    """Post commands when the clock shows ``at_s``, one by one as somebody would."""
    for command in commands:
        bench.clock.schedule(at_s, lambda command=command: bench.control.post(command))


def quality_of(bench: Bench) -> list[int]:
    return [event.quality for event in bench.of("point_stored")]


def test_a_fast_move_waits_for_its_end_and_reads_back(bench: Bench) -> None:
    session = bench.start()
    assert session.move("spectrograph.wavelength", 531.0) == 531.0
    assert bench.clock.now() == 3.0
    (told,) = bench.of("move_finished")
    assert (told.value, told.units, told.seconds) == (531.0, "nm", 3.0)


def test_a_settling_move_returns_the_mean_over_the_dwell_time(bench: Bench) -> None:
    session = bench.start()
    bench.cryostat.course = lambda target, t_s: target + (1.0 if t_s < 30 else 0.01)
    assert session.move("cryostat.temperature", 20.0, RULE) == pytest.approx(20.01)
    assert bench.clock.now() == 30.0 + 60.0


@pytest.mark.parametrize(("policy", "bits"), [("flag", 3), ("skip", None), ("abort", None)])
def test_a_temperature_that_does_not_settle_meets_its_policy(
    bench: Bench, policy: str, bits: int | None
) -> None:
    session = bench.start()
    bench.cryostat.course = lambda target, t_s: target + 1.0
    if policy == "flag":
        assert session.move("cryostat.temperature", 20.0, RULE, "flag") == 21.0
        session.measure(Look(), step_id="s")
        session.move("cryostat.temperature", 20.0, SettleRule(2.0, 1.0, 60.0, 600.0))
        session.measure(Look(), step_id="s")
        assert quality_of(bench) == [bits, 0]
    elif policy == "skip":
        with pytest.raises(Skipped, match="has not settled at 20 K within 600 s"):
            session.move("cryostat.temperature", 20.0, RULE, "skip")
    else:
        with pytest.raises(NoReplyError, match="has not settled at 20 K"):
            session.move("cryostat.temperature", 20.0, RULE, "abort")
    assert "has not settled" in bench.texts()[0]


def test_a_refused_value_is_not_taken_for_set(bench: Bench) -> None:
    session = bench.start()
    session.move("cryostat.temperature", 20.0, RULE)
    with pytest.raises(RefusedError):
        session.move("cryostat.temperature", 400.0, RULE)
    with pytest.raises(RefusedError):
        session.move("spectrograph.wavelength", math.nan)
    assert session.set_values == {"cryostat.temperature": (20.0, "K")}


def test_one_silent_reading_is_asked_again_and_marks_the_next_point(bench: Bench) -> None:
    session = bench.start()
    bench.cryostat.troubles.add("read", SILENT)
    session.move("cryostat.temperature", 20.0, RULE)
    session.measure(Look(), step_id="s")
    session.measure(Look(), step_id="s")
    assert quality_of(bench) == [Quality.RETRIED, 0]
    assert bench.texts() == [f"asked again: {SILENT}"]


def test_a_device_that_stays_silent_fails_the_move_after_three_questions(bench: Bench) -> None:
    session = bench.start()
    garbled = GarbledReplyError("cryostat", "GPT", "xyz")
    bench.cryostat.troubles.add("read", SILENT, garbled, SILENT)
    with pytest.raises(NoReplyError, match="cryostat: 'GPT': no reply"):
        session.move("cryostat.temperature", 20.0, RULE)
    assert bench.cryostat.diary.count("read") == 3


def test_a_point_is_stored_although_its_last_reading_fails(bench: Bench) -> None:
    session = bench.start()
    session.move("cryostat.temperature", 20.0, RULE)
    Look.works = lambda _: bench.cryostat.troubles.add("read", SILENT, SILENT, SILENT)
    session.measure(Look(), step_id="s")
    (bits,) = quality_of(bench)
    assert bits & Quality.STALE_READING
    assert read_run(bench.journal).points.sizes["point"] == 1


def test_set_and_read_values_stand_with_the_point(bench: Bench) -> None:
    session = bench.start()
    session.move("cryostat.temperature", 20.0, RULE)
    session.measure(Look(), step_id="s", label="x")
    (told,) = bench.of("point_stored")
    assert told.set == {"cryostat.temperature": 20.0}
    assert told.read == {"cryostat.temperature": 20.0}
    assert (told.index, told.label, told.measurement) == (0, "x", "look")


def test_a_descriptor_says_where_the_array_lies(bench: Bench) -> None:
    session = bench.start()
    session.measure(Look(), step_id="s")
    (told,) = bench.of("point_stored")
    (array,) = told.arrays
    raw = bench.journal.read_bytes()[array.offset : array.offset + 16]
    assert (array.dtype, array.shape) == ("<f8", (2,))
    assert raw == b"\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@"


# Monitors


def test_a_monitor_that_fails_is_told_once_until_it_reads_again(bench: Bench) -> None:
    session = bench.start({"cryostat.temperature": 5.0})
    bench.cryostat.troubles.add("read", SILENT, SILENT)
    session.wait(12.0)
    assert bench.texts() == [f"monitor cryostat.temperature: {SILENT}"]
    bench.cryostat.troubles.add("read", RefusedError("cryostat", "busy"))
    session.wait(10.0)
    assert len(bench.texts()) == 1
    assert [event.t_mono_s for event in bench.of("reading")] == [20.0]
    bench.cryostat.troubles.add("read", SILENT)
    session.wait(5.0)
    assert len(bench.texts()) == 2


def test_a_short_point_between_two_beats_keeps_the_last_reading(bench: Bench) -> None:
    session = bench.start({"cryostat.temperature": 5.0})
    session.wait(7.0)
    session.measure(Look(), step_id="s")
    (told,) = bench.of("point_stored")
    assert set(told.read) == {"cryostat.temperature"}


def test_an_invalid_reading_of_a_monitor_is_stored_as_such(bench: Bench) -> None:
    session = bench.start({"cryostat.temperature": 5.0})
    bench.cryostat.course = lambda target, t_s: math.nan
    session.wait(5.0)
    (told,) = bench.of("reading")
    assert math.isnan(told.value)


# Commands


@pytest.mark.parametrize("policy", ["finish", "bank", "repeat"])
def test_a_pause_during_a_move_waits_for_its_end(bench: Bench, policy: PausePolicy) -> None:
    session = bench.start()
    at(bench, 10.0, Pause(policy=policy))
    bench.book.announcer.add(
        lambda event: (
            bench.control.post(Resume()) if getattr(event, "state", "") == "paused" else None
        )
    )
    assert session.move("cryostat.temperature", 20.0, RULE) == 20.0
    session.checkpoint()
    assert bench.states() == ["running", "pausing", "paused", "running"]
    session.measure(Look(), step_id="s")
    assert len(bench.of("point_stored")) == 1


def test_a_pause_is_told_when_it_is_asked_for_not_when_it_begins(bench: Bench) -> None:
    session = bench.start()
    at(bench, 10.0, Pause())
    at(bench, 50.0, Resume())
    session.move("cryostat.temperature", 20.0, RULE)
    told = [(event.state, event.t_mono_s) for event in bench.of("state_changed")]
    assert told == [("running", 0.0), ("pausing", 10.0), ("running", 50.0)]


def test_refused_commands_are_told_at_once(bench: Bench) -> None:
    session = bench.start()
    at(bench, 10.0, Resume())
    session.wait(20.0)
    (told,) = bench.of("message")
    assert (told.text, told.t_mono_s) == ("run: cannot resume while running", 10.0)


def test_repeat_measures_the_point_again_with_light_off_between(bench: Bench) -> None:
    session = bench.start()
    bench.shutter.position = True
    at(bench, 0.5, Pause(policy="repeat"))
    seen: list[bool] = []

    def look(event: object) -> None:
        if getattr(event, "state", "") == "paused":
            seen.append(bench.shutter.position)
            bench.control.post(Resume())

    bench.book.announcer.add(look)
    session.measure(Look(), step_id="s")
    assert seen == [False]
    assert bench.clock.now() == 1.5
    points = [r for r in read_journal(bench.journal) if r.kind == RecordKind.POINT]
    assert [(r.attempt, r.data["index"]) for r in points] == [(1, 0)]


@pytest.mark.parametrize("end", [Stop(reason="enough"), Abort(reason="enough")])
@pytest.mark.parametrize("policy", ["bank", "repeat"])
def test_ending_a_pause_does_not_take_up_the_point_again(
    bench: Bench, policy: str, end: Command
) -> None:
    session = bench.start()

    def bank(context: Context) -> None:
        context.part([])

    Look.works = bank
    commands: list[Command] = [end]
    bench.book.announcer.add(
        lambda event: (
            bench.control.post(commands.pop()) if getattr(event, "state", "") == "paused" else None
        )
    )
    if policy == "repeat":
        at(bench, 0.5, Pause(policy="repeat"))
    else:
        bench.control.post(Pause(policy="finish"))
    with pytest.raises(Aborted, match="enough"):
        session.measure(Look(), step_id="s")
    assert bench.of("point_stored") == []


def test_stop_ends_a_long_wait_between_points_but_not_a_point(bench: Bench) -> None:
    session = bench.start()
    at(bench, 0.5, Stop(reason="enough"))
    session.measure(Look(), step_id="s")
    assert len(bench.of("point_stored")) == 1
    with pytest.raises(Aborted, match="enough"):
        session.wait(3600.0)
    assert bench.clock.now() == 1.0


def test_skip_and_stop_let_an_instrument_end_its_move(bench: Bench) -> None:
    session = bench.start()
    at(bench, 1.0, Skip(), Stop())
    assert session.move("spectrograph.wavelength", 531.0) == 531.0
    with pytest.raises(Aborted):
        session.checkpoint()


def test_abort_does_not_wait_for_a_move(bench: Bench) -> None:
    session = bench.start()
    at(bench, 1.0, Abort(reason="fire"))
    with pytest.raises(Aborted, match="fire"):
        session.move("spectrograph.wavelength", 531.0)
    assert bench.clock.now() == 1.0


def test_re_arming_in_a_pause_releases_the_guard_and_is_told(bench: Bench) -> None:
    session = bench.start()
    bench.camera.trip()
    for command in (Pause(), Rearm(device="camera"), Rearm(device="shutter")):
        bench.control.post(command)
    bench.book.announcer.add(
        lambda event: (
            bench.control.post(Resume())
            if "no guard that latches" in getattr(event, "text", "")
            else None
        )
    )
    session.checkpoint()
    assert bench.camera.tripped == ""
    assert bench.texts()[0] == "guard re-armed by the user"


def test_what_a_point_tells_is_what_checking_it_would_give(bench: Bench) -> None:
    session = bench.start()
    # A script may well give numbers of numpy, which are no plain ones.
    session.move("spectrograph.wavelength", np.float64(500.0))
    session.measure(Look(), step_id="s")
    told = [event for event in bench.events if isinstance(event, TOLD_OFTEN)]
    assert len(told) == len(TOLD_OFTEN)
    for event in told:
        assert decode_event(event.model_dump_json()) == event
        checked = vars(type(event).model_validate(vars(event)))
        assert {name: repr(checked[name]) for name in vars(event)} == {
            name: repr(value) for name, value in vars(event).items()
        }


# Ends


def test_trouble_in_a_point_puts_the_light_out_before_anything_else(bench: Bench) -> None:
    session = bench.start()
    bench.shutter.position = True

    def fail(context: Context) -> None:
        raise NoReplyError("eye", "see", "dark")

    Look.works = fail
    with pytest.raises(NoReplyError):
        session.measure(Look(), step_id="s")
    assert bench.diary[0] == "shutter.close"
    assert not bench.shutter.position


def test_an_unverified_safe_state_is_told_loudly_and_stands_in_the_outcome(bench: Bench) -> None:
    session = bench.start()
    bench.shutter.position = bench.shutter.stuck = True
    with ending(session) as outcome:
        pass
    assert outcome.status == "complete"
    (text,) = outcome.unsafe
    assert text.startswith("shutter.close: shutter: 'close': the shutter did not move")
    (told,) = bench.of("message")
    assert (told.level, told.device) == ("error", "shutter.close")
    assert told.text.startswith("NOT SAFE: ")
    assert bench.diary.count("shutter.close") == 3
    bench.book.stopped(outcome.status, outcome.reason, "", outcome.unsafe)
    assert bench.of("run_stopped")[0].unsafe == outcome.unsafe


@pytest.mark.parametrize(
    ("error", "status", "state"),
    [
        (None, "complete", "done"),
        (Aborted("enough"), "aborted", "aborted"),
        (KeyboardInterrupt(), "aborted", "aborted"),
        (SILENT, "failed", "failed"),
    ],
)
def test_every_end_is_stored_and_safe(
    bench: Bench, error: BaseException | None, status: str, state: str
) -> None:
    session = bench.start({"cryostat.temperature": 5.0})
    bench.shutter.position = True
    with ending(session) as outcome:
        if error is not None:
            raise error
    assert outcome.status == status
    assert not bench.shutter.position
    assert bench.states() == ["running", "stopping", state]
    run = read_run(bench.journal)
    assert run.status == status
    assert run.stop is not None
    assert run.stop["snapshot"]["shutter"] == {"open": False}
    # Neither monitors nor the flushing of a closed journal go on.
    before = len(bench.events)
    bench.clock.sleep(60.0)
    assert len(bench.events) == before


def test_an_error_of_a_script_is_stored_and_raised_again(bench: Bench) -> None:
    session = bench.start()
    with pytest.raises(ZeroDivisionError), ending(session):
        _ = 1 / 0
    assert read_run(bench.journal).status == "failed"


def test_a_journal_that_takes_nothing_more_does_not_keep_the_light_on(bench: Bench) -> None:
    session = bench.start()
    bench.shutter.position = True
    bench.writer.close()
    with ending(session) as outcome:
        pass
    assert not bench.shutter.position
    assert outcome.status == "failed"
    assert "is closed" in outcome.reason


def test_a_second_ctrl_c_does_not_break_off_the_clean_up(bench: Bench) -> None:
    session = bench.start()
    bench.shutter.position = True
    bench.shutter.meanwhile = lambda: signal.raise_signal(signal.SIGINT)
    with ending(session) as outcome:
        raise KeyboardInterrupt
    assert outcome.status == "aborted"
    assert not bench.shutter.position
    assert read_run(bench.journal).status == "aborted"


def test_a_listener_that_failed_is_named_in_the_journal(bench: Bench) -> None:
    session = bench.start()

    def broken(event: object) -> None:
        raise RuntimeError("no display")

    bench.book.announcer.add(broken)
    session.measure(Look(), step_id="s")
    with ending(session):
        pass
    assert any("no display" in event.message for event in read_run(bench.journal).events)
