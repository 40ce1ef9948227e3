from pathlib import Path

import pytest

from labctl.clock import VirtualClock
from labctl.errors import RefusedError, StorageError
from labctl.transport import FlightRecorder, TapeTransport, read_tape


def whole(data: bytes) -> bytes | None:
    return data or None


def ask(tape: TapeTransport, data: bytes) -> bytes:
    return tape.query(data, whole, command=repr(data), timeout_s=1.0)


def test_conversation_is_played_back() -> None:
    tape = TapeTransport("cryo", [(b"03GPT", b"054.201"), (b"03GAS", b"01F")], VirtualClock())
    tape.open()
    assert [ask(tape, b"03GPT"), ask(tape, b"03GAS")] == [b"054.201", b"01F"]
    tape.check_finished()


def test_another_command_is_refused() -> None:
    tape = TapeTransport("cryo", [(b"03GPT", b"054.201")], VirtualClock())
    tape.open()
    with pytest.raises(RefusedError, match=r"sent b'03GST', the tape has b'03GPT'"):
        ask(tape, b"03GST")
    assert ask(tape, b"03GPT") == b"054.201"
    with pytest.raises(RefusedError, match="the tape has b''"):
        ask(tape, b"03GPT")


def test_leftovers_are_an_error() -> None:
    tape = TapeTransport("cryo", [(b"a", b"b"), (b"c", b"d")], VirtualClock())
    tape.open()
    ask(tape, b"a")
    with pytest.raises(RefusedError, match=r"goes on with b'c', 1 exchanges are left"):
        tape.check_finished()


def test_greeting_comes_with_the_connection() -> None:
    tape = TapeTransport("cryo", [(b"", b"hello")], VirtualClock())
    tape.open()
    assert tape.read_available() == b"hello"


def test_recorded_conversation_plays_again(tmp_path: Path) -> None:
    every_byte = bytes(range(256))
    pairs = [(b"a\r", b"x ok\r\n"), (every_byte, every_byte[::-1])]
    clock = VirtualClock()
    recorder = FlightRecorder(clock)
    original = TapeTransport("mono", pairs, clock, recorder)
    original.open()
    for sent, _ in pairs:
        ask(original, sent)
    recorder.save_tape("mono", tmp_path / "mono.tape")
    assert read_tape(tmp_path / "mono.tape") == pairs


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        '{"tape": 2}\n',
        '{"tape": 1}\nnot json\n',
        '{"tape": 1}\n[1]\n',
        '{"tape": 1}\n{"sent": "\\u20ac"}\n',
    ],
)
def test_what_is_no_tape(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.tape"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StorageError, match=r"x\.tape:[12]: not a"):
        read_tape(path)


def test_missing_tape(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        read_tape(tmp_path / "none")
