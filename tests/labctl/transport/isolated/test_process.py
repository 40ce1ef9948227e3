"""Libraries in processes of their own: what comes back, crashes, hangs, and ends."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from time import monotonic
from typing import Any

import numpy as np
import pytest

from apart_library import Caller
from labctl.errors import ConnectionLostError, DeviceError, DeviceRefusedError
from labctl.transport import Isolation, LibraryLink, StandIn

LIMIT_S = 0.5


class Outside:
    """What is on this side: the answers, the recorded calls, and who has gone."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], Any]] = []
        self.gone = 0
        self.answer: Callable[[int], Any] = lambda number: 10 * number
        stand_in = StandIn("apart_library:Library", self.asked, self.went)
        isolation = Isolation(LIMIT_S, stand_in)
        self.link = LibraryLink(record=self.record, isolation=isolation)

    def asked(self, method: str, arguments: list[Any]) -> Any:
        assert method == "ask"
        return self.answer(arguments[0])

    def record(self, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        self.calls.append((name, arguments, result))

    def went(self) -> None:
        self.gone += 1

    def open(self) -> Caller:
        return self.link.open(Caller, "box", 3)


@pytest.fixture
def outside() -> Generator[Outside]:
    made = Outside()
    yield made
    made.link.let_go()


def test_methods_attributes_and_recordings_are_those_of_the_class(outside: Outside) -> None:
    caller = outside.open()
    here = Caller("box", LibraryLink(None), 3)
    assert caller.pid != here.pid
    assert [caller.ask(number) for number in range(3)] == [3, 13, 23]
    assert caller.calls == 3
    assert outside.calls == [("X_Ask", (number,), 10 * number) for number in range(3)]
    assert caller.echo(1, (2.5, None), b"x", key={4: "four"}) == [
        1, (2.5, None), b"x", {"key": {4: "four"}},
    ]  # fmt: skip
    for rows in (1, 200, 9000):
        image, word = caller.image(rows)
        np.testing.assert_array_equal(image, here.image(rows)[0])
        assert word == "whole"
    assert not hasattr(caller, "_offset")


def test_without_isolation_it_is_the_class_itself() -> None:
    link = LibraryLink(None)
    assert type(link.open(Caller, "box", 3)) is Caller
    link.let_go()


def test_what_the_class_refuses_is_refused_here_and_no_process_is_left(outside: Outside) -> None:
    with pytest.raises(DeviceRefusedError, match=r"box: 'X_Open': no \(-2\) \(ask somebody"):
        outside.link.open(Caller, "box", 3, refuse=True)
    assert outside.gone == 1
    assert outside.link.process is None


@pytest.mark.parametrize(
    ("method", "words"),
    [("blunder", "ZeroDivisionError: a mistake"), ("strange", "TypeError: object does not travel")],
)
def test_a_mistake_of_a_driver_is_no_crash(outside: Outside, method: str, words: str) -> None:
    caller = outside.open()
    with pytest.raises(DeviceError, match=words) as caught:
        getattr(caller, method)()
    assert type(caught.value) is DeviceError
    assert caught.value.command == method
    assert caller.ask(1) == 13


@pytest.mark.parametrize("function", ["Crash", "Segfault"])
def test_a_crash_is_noticed_at_once_and_told(outside: Outside, function: str) -> None:
    caller = outside.open()
    assert caller.ask(1) == 13
    began_s = monotonic()
    with pytest.raises(ConnectionLostError, match="the library's process has crashed") as caught:
        caller.do(function)
    # Long before any limit, on a computer with much to do.
    assert monotonic() - began_s < 10.0
    assert caught.value.device == "box"
    assert caught.value.command == f"X_{function}"
    assert outside.gone == 1
    name, (said,), what = outside.calls[-1]
    assert name == "(the library's process)"
    assert what == caught.value.reply
    # The traceback of faulthandler, and what the library has printed.
    assert f"in X_{function}" in said
    assert ("the last words" in said) == (function == "Crash")
    with pytest.raises(ConnectionLostError, match="has crashed"):
        caller.ask(1)
    again = outside.open()
    assert again.ask(2) == 23


@pytest.mark.parametrize("times", [1, 2])
def test_a_call_that_hangs_is_ended_after_its_limit(outside: Outside, times: int) -> None:
    for _ in range(times):
        caller = outside.open()
        began_s = monotonic()
        with pytest.raises(ConnectionLostError) as caught:
            caller.do("Hang", 1e6)
        assert LIMIT_S <= monotonic() - began_s < LIMIT_S + 10.0
        error = caught.value
        assert (error.device, error.command) == ("box", "X_Hang")
        assert error.reply == "it has not returned within 0.5 s; its process was ended"
    assert outside.gone == times


def test_a_function_that_is_known_to_be_slow_has_its_own_limit(outside: Outside) -> None:
    caller = outside.open()
    assert caller.do("Slow", 2.0 * LIMIT_S) == 0


def test_the_limit_leaves_out_what_the_simulated_world_takes(outside: Outside) -> None:
    caller = outside.open()

    def slow(number: int) -> int:
        threading.Event().wait(2.0 * LIMIT_S)
        return number

    outside.answer = slow
    assert caller.ask(4) == 7


def test_a_world_that_refuses_is_an_error_in_the_library(outside: Outside) -> None:
    caller = outside.open()

    def refuse(number: int) -> int:
        raise KeyError(number)

    outside.answer = refuse
    with pytest.raises(DeviceError, match="RuntimeError: KeyError: 4"):
        caller.ask(4)


def test_after_an_interrupt_the_next_answer_is_that_of_the_next_question(outside: Outside) -> None:
    caller = outside.open()

    def interrupt(number: int) -> int:
        raise KeyboardInterrupt

    outside.answer = interrupt
    with pytest.raises(KeyboardInterrupt):
        caller.ask(4)
    outside.answer = lambda number: number
    assert [caller.ask(number) for number in (5, 6)] == [8, 9]


def test_it_ends_with_its_link_and_cannot_be_asked_then(outside: Outside) -> None:
    caller = outside.open()
    assert outside.link.process is not None
    outside.link.let_go()
    outside.link.let_go()
    assert outside.gone == 1
    with pytest.raises(ConnectionLostError, match="the library's process was ended"):
        caller.ask(1)


def test_it_ends_with_the_process_of_the_driver_even_in_a_call_that_hangs() -> None:
    script = (
        "import sys; sys.path[:] = sys.argv[1:]\n"
        "import threading\n"
        "from apart_library import Caller\n"
        "from labctl.transport import Isolation, LibraryLink, StandIn\n"
        "stand_in = StandIn('apart_library:Library', print, print)\n"
        "caller = LibraryLink(isolation=Isolation(1e6, stand_in)).open(Caller, 'box', 3)\n"
        "caller.call_on(PORT)\n"
        "caller.do('Hang', 1e6)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60.0)
        code = script.replace("PORT", str(server.getsockname()[1]))
        with subprocess.Popen([sys.executable, "-c", code, *sys.path]) as driver:
            try:
                line, _ = server.accept()
            finally:
                driver.kill()
        with line:
            line.settimeout(30.0)
            # The library's process held the other end.
            assert line.recv(1) == b""
