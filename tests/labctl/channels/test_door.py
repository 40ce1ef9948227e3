"""The listener for other computers: in gets who knows the token, and nobody waits for others."""

import socket
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.channels import Channel, Door, call_door
from labctl.channels._greeting import ANSWER_BYTES, HELLO_BYTES, Greeting, answer_to, is_hello
from labctl.errors import LabctlError, RefusedError
from served_engine import wait_for

TOKEN = b"a token of this test, not of a set-up"
HOST = "127.0.0.1"
SIDES = st.binary(min_size=ANSWER_BYTES, max_size=ANSWER_BYTES)


class Bench:
    """A door, who came in, and who did not."""

    def __init__(self) -> None:
        self.inside: list[Channel] = []
        self.strangers: list[tuple[str, int]] = []
        self.door = Door(
            TOKEN,
            lambda channel, _: self.inside.append(channel),
            lambda address, number: self.strangers.append((address, number)),
        )
        self.port = self.door.open(HOST, 0)

    def stranger(self) -> socket.socket:
        """Return a line on which the hello has been read, and nothing been said."""
        line = socket.create_connection((HOST, self.port), timeout=10.0)
        assert is_hello(line.recv(HELLO_BYTES, socket.MSG_WAITALL))
        return line


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Generator[Bench]:
    monkeypatch.setattr("labctl.channels._door._DELAY_S", 0.3)
    found = Bench()
    yield found
    found.door.close()
    for channel in found.inside:
        channel.close()


# The greeting


def test_both_sides_prove_that_they_know_the_token() -> None:
    greeting = Greeting(TOKEN)
    answer, wanted = answer_to(greeting.hello, TOKEN)
    assert (len(greeting.hello), len(answer)) == (HELLO_BYTES, ANSWER_BYTES)
    assert greeting.proof_for(answer) == wanted
    assert TOKEN not in greeting.hello + answer + wanted


@given(SIDES)
def test_no_other_answer_is_taken(answer: bytes) -> None:
    assert Greeting(TOKEN).proof_for(answer) is None


def test_an_answer_is_good_for_one_greeting_and_one_token_only() -> None:
    first, second = Greeting(TOKEN), Greeting(TOKEN)
    answer, _ = answer_to(first.hello, TOKEN)
    assert second.proof_for(answer) is None
    assert Greeting(TOKEN[:-1]).proof_for(answer) is None
    for at in range(ANSWER_BYTES):
        spoiled = answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :]
        assert first.proof_for(spoiled) is None
        assert first.proof_for(answer[:at]) is None


def test_what_the_engine_proves_is_no_answer_for_it() -> None:
    """Whoever only sends back what it has heard stays outside."""
    engine, other = Greeting(TOKEN), Greeting(TOKEN)
    mine = engine.hello[-32:]
    proof = other.proof_for(answer_to(other.hello, TOKEN)[0])
    assert proof is not None
    assert engine.proof_for(mine + proof) is None


# The door


def test_who_knows_the_token_talks(bench: Bench) -> None:
    there = call_door(HOST, bench.port, TOKEN)
    wait_for(lambda: bench.inside, "the caller to be let in")
    there.send([1, "a", None])
    assert bench.inside[0].receive() == [1, "a", None]
    bench.inside[0].send_packet(b"x" * 100_000)
    assert there.receive_packet() == b"x" * 100_000
    assert (bench.door.refused, bench.strangers) == (0, [])
    there.close()


def with_a_wrong_token(port: int) -> float:
    """Return how long an engine takes to refuse it, s of life."""
    began_s = monotonic()
    with pytest.raises(RefusedError, match="the engine refuses the token"):
        call_door(HOST, port, b"another token")
    return monotonic() - began_s


def test_a_wrong_token_is_refused_late(bench: Bench) -> None:
    assert with_a_wrong_token(bench.port) >= 0.3
    assert bench.strangers == [(HOST, 1)]


def test_nobody_waits_for_those_who_are_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labctl.channels._door._DELAY_S", 600.0)
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(with_a_wrong_token, bench.port) for _ in range(3)]
        wait_for(lambda: len(bench.strangers) == 3, "three refusals")
        call_door(HOST, bench.port, TOKEN).close()
        wait_for(lambda: bench.inside, "the caller to be let in")
        assert not any(one.done() for one in waiting)
        bench.door.close()
    assert sorted(bench.strangers) == [(HOST, 1), (HOST, 2), (HOST, 3)]


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 1_000_000])
def test_whatever_a_stranger_says_is_not_read_beyond_the_answer(bench: Bench, said: bytes) -> None:
    with bench.stranger() as line:
        try:
            line.sendall(said)
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1) == b""
        except (ConnectionError, BrokenPipeError):
            pass  # Hung up on before all of it was sent.
    wait_for(lambda: bench.door.refused == 1, "the refusal")
    assert bench.inside == []


def test_callers_who_say_nothing_hold_up_nobody_and_are_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labctl.channels._door._ANSWER_S", 0.2)
    silent = [bench.stranger() for _ in range(10)]
    call_door(HOST, bench.port, TOKEN).close()
    # One byte now and then is no answer in time, either.
    silent[0].sendall(b"x")
    wait_for(lambda: bench.door.refused == 10, "all of them to be given up")
    for line in silent:
        line.close()
    wait_for(lambda: bench.inside, "the caller to be let in")


def test_one_address_has_so_many_callers_at_once_and_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labctl.channels._door._MOST_OF_ONE", 2)
    lines = [bench.stranger() for _ in range(2)]
    with pytest.raises(OSError, match=r"."):
        call_door(HOST, bench.port, TOKEN)
    assert bench.door.refused == 1
    lines.pop().close()
    wait_for(lambda: bench.door.refused == 2, "the one that has gone to be noticed")

    def let_in() -> bool:
        try:
            call_door(HOST, bench.port, TOKEN).close()
        except OSError:
            return False
        return True

    wait_for(let_in, "room for another one")
    lines.pop().close()


def test_the_end_leaves_nobody_waiting() -> None:
    bench = Bench()
    before = threading.active_count()
    lines = [bench.stranger() for _ in range(3)]
    began_s = monotonic()
    bench.door.close()
    assert monotonic() - began_s < 2.0
    assert threading.active_count() < before
    assert bench.strangers == []
    for line in lines:
        line.close()
    with pytest.raises(OSError, match=r"."):
        call_door(HOST, bench.port, TOKEN)


def test_a_window_tells_a_stranger_from_an_engine() -> None:
    """Another program listens there, or one that does not know the token and says yes."""

    def answer(listener: socket.socket, said: bytes, then: bytes) -> None:
        line, _ = listener.accept()
        with line:
            line.sendall(said)
            if then:
                line.recv(ANSWER_BYTES, socket.MSG_WAITALL)
                line.sendall(then)

    cases = ((b"x" * HELLO_BYTES, b"", "no engine of labctl"),)
    cases += ((Greeting(b"").hello, b"y" * 32, "the engine does not know the token"),)
    for said, then, words in cases:
        with socket.create_server((HOST, 0)) as listener, ThreadPoolExecutor() as pool:
            done = pool.submit(answer, listener, said, then)
            with pytest.raises(LabctlError, match=words):
                call_door(HOST, listener.getsockname()[1], TOKEN)
            done.result()


def test_a_port_that_is_taken_is_said_at_once(bench: Bench) -> None:
    second = Door(TOKEN, lambda _, __: None, lambda _, __: None)
    with pytest.raises(OSError, match=r"."):
        second.open(HOST, bench.port)
    second.close()
