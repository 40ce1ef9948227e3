"""Commands: what each one interrupts, and what is refused."""

import signal
import threading

import pytest

from labctl.events import Abort, Command, Pause, PausePolicy, Rearm, Resume, Skip, Stop
from labctl.measurements import Bank
from labctl.sequencer import Aborted, Control, Interruption, Repeated, Skipped, undisturbed
from labctl.sequencer._control import BETWEEN, DATA, HELD, MOVING, Wish

PLACES = {"moving": MOVING, "between": BETWEEN, "data": DATA, "held": HELD}


def running(*commands: Command) -> Control:
    control = Control()
    control.machine.apply("start")
    for command in commands:
        control.post(command)
    return control


@pytest.mark.parametrize(
    ("command", "heeded"),
    [
        (Abort(), {"moving", "between", "data", "held"}),
        (Stop(), {"between", "held"}),
        (Skip(), {"between", "data"}),
        (Pause(policy="finish"), set[str]()),
        (Pause(policy="repeat"), {"data"}),
        (Pause(policy="bank"), {"data"}),
        (Resume(), set[str]()),
        (Rearm(device="camera"), set[str]()),
    ],
)
def test_what_each_command_interrupts(command: Command, heeded: set[str]) -> None:
    control = running(command)
    assert {name for name, wishes in PLACES.items() if control.interrupts(wishes)} == heeded


@pytest.mark.parametrize(
    ("command", "kind", "text"),
    [
        (Abort(reason="fire"), Aborted, "fire"),
        (Stop(reason="enough"), Aborted, "enough"),
        (Skip(), Skipped, "skipped by the user"),
        (Pause(policy="repeat"), Repeated, "^$"),
        (Pause(policy="bank"), Bank, "^$"),
    ],
)
def test_what_each_command_raises(command: Command, kind: type[Exception], text: str) -> None:
    control = running(command)
    everything = Wish.ABORT | Wish.STOP | Wish.SKIP | Wish.REPEAT | Wish.BANK
    assert control.interrupts(everything)
    with pytest.raises(kind, match=text):
        control.raise_interruption(everything)


def test_a_skip_counts_once() -> None:
    control = running(Skip())
    assert control.interrupts(DATA)
    with pytest.raises(Skipped):
        control.raise_interruption(DATA)
    assert not control.interrupts(DATA)
    control.raise_interruption(DATA)


def test_a_skip_is_over_with_the_step_that_it_meant() -> None:
    control = running(Skip())
    control.step_over()
    assert not control.interrupts(DATA)
    (told,) = control.refused
    assert "had ended already" in told
    control.post(Skip())
    assert control.interrupts(DATA)


def test_an_abort_is_not_over_with_a_step() -> None:
    control = running(Abort(reason="now"))
    control.step_over()
    assert control.interrupts(DATA)


def test_an_abort_wins_over_everything_and_stays() -> None:
    control = running(Skip(), Pause(policy="bank"), Abort(reason="now"))
    for _ in range(2):
        assert control.interrupts(MOVING)
        with pytest.raises(Aborted, match="now"):
            control.raise_interruption(DATA)


def test_a_stop_that_comes_after_an_abort_does_not_become_the_reason() -> None:
    control = running(Abort(reason="now"), Stop(reason="later"))
    assert control.interrupts(MOVING)
    with pytest.raises(Aborted, match="now"):
        control.raise_interruption(MOVING)


@pytest.mark.parametrize("policy", ["finish", "bank", "repeat"])
def test_resume_and_stop_end_a_pause(policy: PausePolicy) -> None:
    for end, state in ((Resume(), "running"), (Stop(), "stopping"), (Abort(), "stopping")):
        control = running(Pause(policy=policy))
        assert control.wants_pause()
        assert control.machine.apply("paused") == "paused"
        control.post(end)
        assert not control.wants_pause()
        assert control.machine.state == state
        assert not control.interrupts(Wish.BANK | Wish.REPEAT)


@pytest.mark.parametrize(
    ("commands", "told"),
    [
        ((Resume(),), "run: cannot resume while running"),
        ((Pause(), Pause()), "run: cannot pause while pausing"),
        ((Stop(), Pause()), "run: cannot pause while stopping"),
        ((Stop(), Skip()), "run: cannot skip while stopping"),
        ((Pause(), Skip()), "run: cannot skip while pausing"),
        ((Stop(), Resume()), "run: cannot resume while stopping"),
    ],
)
def test_impossible_commands_are_refused_in_words(commands: tuple[Command, ...], told: str) -> None:
    control = running(*commands)
    control.wants_pause()
    assert list(control.refused) == [told]


def test_commands_before_the_start_wait_for_it() -> None:
    control = Control()
    control.post(Stop(reason="early"))
    control.machine.apply("start")
    assert control.interrupts(BETWEEN)


def test_waiting_for_a_command_ends_with_it_and_with_the_time_out() -> None:
    control = running()
    control.wait_for_command(0.01)
    timer = threading.Timer(0.02, control.post, [Pause()])
    timer.start()
    control.wait_for_command(30.0)
    timer.join()
    assert control.machine.state == "pausing"


def test_commands_from_many_threads_all_arrive() -> None:
    control = running()
    threads = [
        threading.Thread(target=lambda: [control.post(Rearm(device="x")) for _ in range(100)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    control.wants_pause()
    assert len(control.rearm) == 800


def test_interruptions_are_no_errors_that_a_handler_of_errors_would_swallow() -> None:
    assert not issubclass(Interruption, (OSError, ValueError, RuntimeError))


def test_ctrl_c_does_not_disturb_what_is_shielded() -> None:
    before = signal.getsignal(signal.SIGINT)
    with undisturbed():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_the_shield_outside_of_the_main_thread_does_nothing() -> None:
    done: list[bool] = []

    def work() -> None:
        with undisturbed():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
