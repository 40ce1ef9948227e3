"""Units on one serial line: each hears its own answers, whatever the others do."""

import pytest

from labctl.clock import VirtualClock
from labctl.errors import NoReplyError
from labctl.transport import FlightRecorder, GarbledBytesError, Request, SharedLine, Transport


class Line:
    """The far end of a line; counts how often it was opened."""

    reopen_cures = False

    def __init__(self) -> None:
        self.opened = 0
        self.open = False
        self.sent: list[bytes] = []
        self.waiting = b""
        self.broken = False

    def dial(self) -> "Line":
        self.opened += 1
        self.open, self.broken = True, False
        return self

    def send(self, data: bytes) -> None:
        if self.broken:
            raise OSError("the plug is out")
        self.sent.append(data)

    def receive(self) -> bytes:
        if self.broken:
            raise OSError("the plug is out")
        received, self.waiting = self.waiting, b""
        return received

    def close(self) -> None:
        self.open = False


def whole_line(data: bytes) -> str | None:
    if data.count(b"\n") > 1:
        raise GarbledBytesError("two lines")
    return data.decode().strip() if data.endswith(b"\n") else None


class Bench:
    def __init__(self) -> None:
        self.far = Line()
        self.clock = VirtualClock()
        self.line = SharedLine(self.far.dial)
        self.recorder = FlightRecorder(self.clock)
        self.a, self.b = (self.unit(name) for name in "AB")

    def unit(self, address: str) -> Transport:
        return self.line.transport(f"unit_{address}", address, self.clock, self.recorder)

    def begin(self, unit: Transport, data: bytes) -> Request[str]:
        return unit.begin(data, whole_line, command=data.decode(), timeout_s=5.0)


def test_the_connection_is_open_while_one_unit_uses_it() -> None:
    bench = Bench()
    bench.a.open()
    bench.b.open()
    assert bench.far.opened == 1
    bench.a.close()
    assert bench.far.open
    bench.b.close()
    assert not bench.far.open
    bench.b.open()
    assert (bench.far.opened, bench.far.open) == (2, True)
    bench.b.close()


def test_answers_find_their_unit_in_any_order_and_in_any_pieces() -> None:
    for size in range(1, 20):
        bench = Bench()
        bench.a.open()
        bench.b.open()
        slow, quick = bench.begin(bench.a, b"Ama"), bench.begin(bench.b, b"Bgp")
        data = b"BPO12\r\nAPO34\r\n"
        for start in range(0, len(data), size):
            bench.far.waiting += data[start : start + size]
            slow.ready()
            quick.ready()
        assert (quick.value, slow.value) == ("BPO12", "APO34")
        assert bench.far.sent == [b"Ama", b"Bgp"]


def test_a_unit_that_moves_keeps_no_other_from_being_asked() -> None:
    bench = Bench()
    bench.a.open()
    bench.b.open()
    move = bench.begin(bench.a, b"Ama")
    for number in range(3):
        question = bench.begin(bench.b, b"Bgp")
        bench.far.waiting = b"B%d\r\n" % number
        assert question.ready()
        assert question.value == f"B{number}"
    assert not move.ready()
    bench.far.waiting = b"A1\r\n"
    assert move.ready()


def test_an_answer_cut_short_spoils_only_its_own_unit_and_not_for_ever() -> None:
    bench = Bench()
    bench.a.open()
    bench.b.open()
    cut = bench.begin(bench.a, b"Agp")
    bench.far.waiting = b"APO1"
    bench.clock.sleep(6.0)
    with pytest.raises(NoReplyError, match="only b'APO1'"):
        cut.ready()
    again = bench.begin(bench.a, b"Agp")
    bench.far.waiting = b"APO12\r\n"
    assert again.ready()
    assert again.value == "APO12"


def test_words_of_a_unit_that_nobody_uses_are_dropped() -> None:
    bench = Bench()
    bench.a.open()
    question = bench.begin(bench.a, b"Agp")
    bench.far.waiting = b"7BO00\r\n\xffx\r\nA1\r\n"
    assert question.ready()
    assert question.value == "A1"


def test_a_lost_line_is_lost_for_all_and_opened_once_by_the_first_that_reconnects() -> None:
    bench = Bench()
    bench.a.open()
    bench.b.open()
    bench.far.broken = True
    for unit in (bench.a, bench.b):
        with pytest.raises(NoReplyError, match=r"plug is out|whole line was lost"):
            bench.begin(unit, b"?").ready()
    questions = [bench.begin(bench.a, b"Agp"), bench.begin(bench.b, b"Bgp")]
    assert bench.far.opened == 2
    bench.far.waiting = b"B1\r\nA2\r\n"
    assert [question.ready() for question in questions] == [True, True]
    assert [question.value for question in questions] == ["A2", "B1"]


def test_two_instruments_cannot_be_the_same_unit() -> None:
    bench = Bench()
    bench.a.open()
    with pytest.raises(NoReplyError, match="already unit A"):
        bench.unit("A").open()
    bench.a.close()
