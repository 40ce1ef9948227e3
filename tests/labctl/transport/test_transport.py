import time
from collections.abc import Callable
from typing import Protocol

import pytest

from labctl.clock import VirtualClock
from labctl.errors import (
    DeviceError,
    DeviceRefusedError,
    GarbledReplyError,
    NoReplyError,
    RefusedError,
)
from labctl.transport import GarbledBytesError, PipeTransport, RefusalError, Transport

Answers = list[tuple[float, bytes]]


class Script(Protocol):
    answer: Callable[[bytes], Answers]
    heard: list[bytes]
    opened: int
    ended: int

    def send(self, data: bytes, /) -> None: ...


def line(data: bytes) -> str | None:
    text, end, behind = data.partition(b"\n")
    if behind or not data.isascii():
        raise GarbledBytesError("two lines")
    if text.startswith(b"ERR"):
        raise RefusalError(text.decode(), "do better")
    return text.decode() if end else None


def ask(transport: Transport, what: bytes, timeout_s: float = 2.0) -> str:
    return transport.query(what + b"\n", line, command=what.decode(), timeout_s=timeout_s)


def test_reply_whole(pipe: PipeTransport, script: Script) -> None:
    script.answer = lambda _: [(0.0, b"4.2\n")]
    assert ask(pipe, b"T?") == "4.2"
    assert script.heard == [b"T?\n"]


def test_reply_byte_by_byte_takes_its_time(
    pipe: PipeTransport, script: Script, clock: VirtualClock
) -> None:
    script.answer = lambda _: [(0.1 * (i + 1), bytes([b])) for i, b in enumerate(b"4.2\n")]
    assert ask(pipe, b"T?") == "4.2"
    assert clock.now() == pytest.approx(0.4)


def test_silence_meets_the_deadline_in_virtual_time_only(
    pipe: PipeTransport, clock: VirtualClock
) -> None:
    began = time.perf_counter()
    with pytest.raises(NoReplyError, match=r"lamp: 'T\?': no reply within 3600 s") as caught:
        ask(pipe, b"T?", timeout_s=3600.0)
    assert clock.now() == pytest.approx(3600.0)
    assert time.perf_counter() - began < 1.0
    assert caught.value.device == "lamp"
    assert caught.value.command == "T?"
    assert caught.value.remedy


def test_half_a_reply_is_named_in_the_error(pipe: PipeTransport, script: Script) -> None:
    script.answer = lambda _: [(0.0, b"4.")]
    with pytest.raises(NoReplyError, match=r"only b'4\.'"):
        ask(pipe, b"T?")


def test_garbage_is_an_error_with_the_bytes(pipe: PipeTransport, script: Script) -> None:
    script.answer = lambda _: [(0.0, b"\xff\x00\n")]
    with pytest.raises(GarbledReplyError, match=r"b'\\xff\\x00\\n'"):
        ask(pipe, b"T?")


def test_refusal_carries_reply_and_remedy(pipe: PipeTransport, script: Script) -> None:
    script.answer = lambda _: [(0.0, b"ERR 5\n")]
    with pytest.raises(DeviceRefusedError) as caught:
        ask(pipe, b"T 999")
    assert (caught.value.reply, caught.value.remedy) == ("ERR 5", "do better")
    assert script.opened == 1, "a refusal leaves no doubt about the line"


@pytest.mark.parametrize("late_s", [2.5, 3.0, 7.0])
def test_late_reply_is_never_taken_for_the_next(
    pipe: PipeTransport, script: Script, clock: VirtualClock, late_s: float
) -> None:
    script.answer = lambda sent: [(late_s if sent == b"A\n" else 1.0, b"re " + sent)]
    with pytest.raises(NoReplyError):
        ask(pipe, b"A")
    assert [ask(pipe, what) for what in (b"B", b"C", b"D")] == ["re B", "re C", "re D"]


class SerialLike:
    """A port like a serial line: closing it does not stop what is still on its way."""

    reopen_cures = False

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.inbox = b""
        self.delays: dict[bytes, float] = {}
        self.identity = b"unit 7"

    def send(self, data: bytes) -> None:
        delay_s = self.delays.pop(data, 0.0)
        reply = self.identity + b"\n" if data == b"ID\n" else b"re " + data
        self.clock.schedule(self.clock.now() + delay_s, lambda: self.deliver(reply))

    def deliver(self, data: bytes) -> None:
        self.inbox += data

    def receive(self) -> bytes:
        received, self.inbox = self.inbox, b""
        return received

    def close(self) -> None:
        return None


def serial_with_identity(clock: VirtualClock) -> tuple[Transport, SerialLike]:
    port = SerialLike(clock)
    transport = Transport("lamp", lambda: port, clock)
    transport.open()

    def check() -> None:
        if ask(transport, b"ID") != "unit 7":
            raise DeviceRefusedError("lamp", "ID", "another unit")

    transport.after_reconnect = check
    return transport, port


@pytest.mark.parametrize("late_s", [2.1, 2.3, 2.6, 4.0])
def test_late_reply_on_a_line_that_cannot_be_reopened(clock: VirtualClock, late_s: float) -> None:
    transport, port = serial_with_identity(clock)
    port.delays = {b"A\n": late_s}
    with pytest.raises(NoReplyError):
        ask(transport, b"A")
    answers: list[str] = []
    for what in (b"B", b"C", b"D", b"E"):
        try:
            answers.append(ask(transport, what))
        except DeviceError:
            continue
        assert answers[-1] == f"re {what.decode()}"
        clock.sleep(1.0)
    assert answers[-1] == "re E"


def test_another_unit_after_a_reconnect_is_refused(clock: VirtualClock) -> None:
    transport, port = serial_with_identity(clock)
    transport.reconnect()
    port.identity = b"unit 8"
    for _ in range(2):
        with pytest.raises(DeviceRefusedError, match="another unit"):
            transport.reconnect()
    with pytest.raises(DeviceRefusedError, match="another unit"):
        ask(transport, b"A")
    port.identity = b"unit 7"
    assert ask(transport, b"A") == "re A"


def test_unasked_bytes_before_a_request_are_dropped(pipe: PipeTransport, script: Script) -> None:
    script.send(b"noise\n")
    script.answer = lambda _: [(0.0, b"4.2\n")]
    assert ask(pipe, b"T?") == "4.2"


def test_second_request_waits_for_its_turn(
    pipe: PipeTransport, script: Script, clock: VirtualClock
) -> None:
    script.answer = lambda sent: [(30.0 if sent == b"GO\n" else 0.0, b"ok\n")]
    move = pipe.begin(b"GO\n", line, command="GO", timeout_s=60.0)
    assert not move.ready()
    with pytest.raises(RefusedError, match=r"'T\?' while the answer to 'GO' is awaited"):
        ask(pipe, b"T?")
    assert script.heard == [b"GO\n"]
    assert clock.wait_until(move.ready, deadline_s=None, what="move")
    assert move.value == "ok"
    assert clock.now() == pytest.approx(30.0)
    assert ask(pipe, b"T?") == "ok"


def test_a_move_whose_answer_has_come_does_not_block(
    pipe: PipeTransport, script: Script, clock: VirtualClock
) -> None:
    script.answer = lambda sent: [(3.0 if sent == b"GO\n" else 0.0, b"re " + sent)]
    move = pipe.begin(b"GO\n", line, command="GO", timeout_s=60.0)
    clock.sleep(5.0)
    assert ask(pipe, b"T?") == "re T?"
    assert move.ready()
    assert move.value == "re GO"


def test_begun_request_keeps_its_deadline(pipe: PipeTransport, clock: VirtualClock) -> None:
    move = pipe.begin(b"GO\n", line, command="GO", timeout_s=60.0)
    clock.sleep(59.0)
    assert not move.ready()
    clock.sleep(2.0)
    with pytest.raises(NoReplyError):
        move.ready()


def test_virtual_time_stops_at_the_deadline_of_a_begun_request(
    pipe: PipeTransport, clock: VirtualClock
) -> None:
    move = pipe.begin(b"GO\n", line, command="GO", timeout_s=60.0)
    with pytest.raises(NoReplyError):
        clock.wait_until(move.ready, deadline_s=None, what="move")
    assert clock.now() == pytest.approx(60.0)


def test_peer_closes_while_asked(pipe: PipeTransport, script: Script, clock: VirtualClock) -> None:
    script.answer = lambda _: [(0.5, b"")]
    with pytest.raises(NoReplyError, match="closed the connection"):
        ask(pipe, b"T?")
    assert clock.now() == pytest.approx(0.5), "the deadline need not be waited for"
    script.answer = lambda _: [(0.0, b"4.2\n")]
    assert ask(pipe, b"T?") == "4.2"
    assert script.opened == 2


def test_peer_that_has_closed_before_is_called_again(pipe: PipeTransport, script: Script) -> None:
    script.answer = lambda _: [(0.0, b"4.2\n")]
    script.send(b"")
    assert ask(pipe, b"T?") == "4.2"
    assert script.heard == [b"T?\n"]


def test_closing_ends_a_request_and_is_idempotent(pipe: PipeTransport, script: Script) -> None:
    move = pipe.begin(b"GO\n", line, command="GO", timeout_s=60.0)
    pipe.close()
    pipe.close()
    with pytest.raises(NoReplyError, match="was closed"):
        move.ready()
    with pytest.raises(RefusedError, match="not connected"):
        ask(pipe, b"T?")
    assert script.ended == 1


def test_flush_gives_up_an_answer(pipe: PipeTransport, script: Script) -> None:
    script.answer = lambda sent: [(5.0 if sent == b"GO\n" else 0.0, b"re " + sent)]
    move = pipe.begin(b"GO\n", line, command="GO", timeout_s=60.0)
    pipe.flush()
    assert ask(pipe, b"SHUT") == "re SHUT"
    with pytest.raises(NoReplyError):
        move.ready()


def test_write_poll_and_read(pipe: PipeTransport, script: Script, clock: VirtualClock) -> None:
    script.answer = lambda _: [(1.0, b"later")]
    pipe.write(b"X", command="X")
    assert not pipe.poll()
    assert pipe.read_available() == b""
    clock.sleep(1.0)
    assert pipe.poll()
    assert pipe.read_available() == b"later"
    assert not pipe.poll()


def test_nothing_is_heard_or_sent_without_a_connection(pipe: PipeTransport) -> None:
    pipe.close()
    for act in (pipe.poll, pipe.read_available, lambda: pipe.write(b"X", command="X")):
        with pytest.raises(RefusedError, match="not connected"):
            act()
    pipe.flush()


def test_a_babbling_instrument_is_not_waited_for_without_end(
    pipe: PipeTransport, script: Script, clock: VirtualClock
) -> None:
    with pytest.raises(NoReplyError, match="no reply"):
        ask(pipe, b"T?")

    def babble() -> None:
        script.send(b"x")
        clock.schedule(clock.now() + 0.1, babble)

    clock.schedule(clock.now(), babble)
    with pytest.raises(NoReplyError, match="without being asked"):
        ask(pipe, b"T?")


class DeadLine:
    def outgoing(self, data: bytes) -> bytes:
        return data

    def incoming(self, data: bytes) -> bytes:
        raise ConnectionResetError("unplugged")


class Flip:
    def outgoing(self, data: bytes) -> bytes:
        return data.lower()

    def incoming(self, data: bytes) -> bytes:
        return bytes(b ^ 0x80 for b in data)


def test_tap_changes_what_passes(pipe: PipeTransport, script: Script) -> None:
    script.answer = lambda _: [(0.0, b"4.2\n")]
    pipe.tap = Flip()
    with pytest.raises(GarbledReplyError):
        ask(pipe, b"T?")
    assert script.heard == [b"t?\n"]
    pipe.tap = DeadLine()
    with pytest.raises(NoReplyError, match="unplugged"):
        ask(pipe, b"T?")
    pipe.tap = None
    assert ask(pipe, b"T?") == "4.2"


def test_nobody_at_the_address(clock: VirtualClock) -> None:
    def dial() -> SerialLike:
        raise OSError("no such port")

    transport = Transport("lamp", dial, clock)
    with pytest.raises(NoReplyError, match="lamp: 'connect': no such port"):
        transport.open()


def test_opening_closes_again_after_a_failure(pipe: PipeTransport, script: Script) -> None:
    with pytest.raises(ValueError, match="wrong"), pipe.opening():
        raise ValueError("wrong")
    assert script.ended == 1


def test_interrupt_in_a_query_leaves_the_line_in_doubt(
    pipe: PipeTransport, script: Script, clock: VirtualClock
) -> None:
    script.answer = lambda sent: [(1.0, b"re " + sent)]

    def interrupt() -> None:
        raise KeyboardInterrupt

    clock.schedule(0.5, interrupt)
    with pytest.raises(KeyboardInterrupt):
        ask(pipe, b"A")
    assert ask(pipe, b"B") == "re B"
    assert script.opened == 2


def test_wait_for_asks_until_ready(
    pipe: PipeTransport, script: Script, clock: VirtualClock
) -> None:
    script.answer = lambda _: [(0.01, b"1\n" if clock.now() >= 0.3 else b"0\n")]
    clock.schedule(0.3, lambda: None)
    assert pipe.wait_for(lambda: ask(pipe, b"?") == "1", what="blade", timeout_s=1.0)
    assert clock.now() == pytest.approx(0.3, abs=0.03)


def test_wait_for_ends_at_its_time_limit(
    pipe: PipeTransport, script: Script, clock: VirtualClock
) -> None:
    script.answer = lambda _: [(0.0, b"0\n")]
    assert not pipe.wait_for(lambda: ask(pipe, b"?") == "1", what="blade", timeout_s=1.0)
    assert clock.now() == pytest.approx(1.0)
