"""FW102C and MFF101: byte tables, truths that cannot be."""

from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl_sim.thorlabs import Fw102c, Mff101
from labctl_sim.world import World


def ask(device: Any, clock: VirtualClock, data: bytes, size: int | None = None) -> bytes:
    sent: list[bytes] = []
    session = device.open(sent.append)
    step = size or len(data)
    for start in range(0, len(data), step):
        session.receive(data[start : start + step])
    clock.sleep(5.0)
    session.closed()
    return b"".join(sent)


IDENTITY = b"THORLABS FW102C/FW212C Filter Wheel version 1.07"
TEXTS = [
    (b"*idn?\r", b"*idn?\r" + IDENTITY + b"\r> "),
    (b"pos?\r", b"pos?\r1\r> "),
    (b"pos=4\r", b"pos=4\r> "),
    (b"pos=7\r", b"pos=7\rCommand error CMD_ARG_INVALID\r> "),
    (b"pos=0\r", b"pos=0\rCommand error CMD_ARG_INVALID\r> "),
    (b"pcount?\r", b"pcount?\r6\r> "),
    (b"pcount=12\r", b"pcount=12\r> "),
    (b"pcount=7\r", b"pcount=7\rCommand error CMD_ARG_INVALID\r> "),
    (b"speed=0\r", b"speed=0\r> "),
    (b"speed?\r", b"speed?\r1\r> "),
    (b"sensors=2\r", b"sensors=2\rCommand error CMD_ARG_INVALID\r> "),
    (b"save\r", b"save\r> "),
    (b"\r", b"\r> "),
    (b"foo\r", b"foo\rCommand error CMD_NOT_DEFINED\r> "),
]


@pytest.mark.parametrize(("command", "reply"), TEXTS)
def test_texts_of_the_wheel(
    clock: VirtualClock, world: World, command: bytes, reply: bytes
) -> None:
    def wheel() -> Fw102c:
        return Fw102c("wheel", world, {}, {"baud": 0})

    assert ask(wheel(), clock, command) == reply
    assert ask(wheel(), clock, command, 1) == reply
    # The prompt after a move comes when the wheel stands, behind the echo of what came meanwhile.
    echo = command if command == b"pos=4\r" else reply
    assert ask(wheel(), clock, command + b"po") == echo + b"po" + reply[len(echo) :]


MESSAGES = [
    ("29 04 01 00 50 01", "2a 04 06 00 81 50 01 00 01 00 00 80"),
    (
        "6a 04 01 02 50 01",
        "64 04 0e 00 81 50 01 00 00 00 00 00 00 00 00 00 02 00 00 80",
    ),
    ("6a 04 01 01 50 01", ""),
    ("6a 04 01 03 50 01", ""),
    ("23 02 00 00 50 01", ""),
    (
        "11 05 01 00 50 01",
        "12 05 22 00 81 50 01 00 58 02 00 00 00 00 00 00 02 00 01 00 c8 00 00 00"
        " 03 00 10 00 c8 00 00 00 00 00 00 00 00 00 00 00",
    ),
]


@pytest.mark.parametrize(("message", "reply"), MESSAGES)
def test_messages_of_the_mount(clock: VirtualClock, world: World, message: str, reply: str) -> None:
    order, wanted = bytes.fromhex(message), bytes.fromhex(reply)
    for data, size in ((order, None), (order, 1), (order + b"\x29\x04", None)):
        mount = Mff101("mirror", world, {}, {"tells_end_of_move": True})
        assert ask(mount, clock, data, size) == wanted


def test_the_transit_time_can_be_set(clock: VirtualClock, world: World) -> None:
    mount = Mff101("mirror", world, {}, {})
    slow = bytes.fromhex("10 05 22 00 d0 01 01 00 d0 07 00 00") + bytes(28)
    assert ask(mount, clock, slow) == b""
    session = mount.open(lambda _: None)
    session.receive(bytes.fromhex("6a 04 01 02 50 01"))
    clock.sleep(1.9)
    assert world.table.attenuation_rel == 0.0
    clock.sleep(0.2)
    assert mount.take(0x0429, 1, 0, b"").endswith(bytes.fromhex("02 00 00 80"))


@pytest.mark.parametrize(
    ("simulator", "truth", "words"),
    [
        (Fw102c, {"carries": "0, 1"}, "2 entries for 6 positions"),
        (Fw102c, {"carries": "0, grey, 1, 2, 3, 4"}, "'grey' is neither"),
        (Fw102c, {"carries": "0, -1, 1, 2, 3, 4"}, "'-1' is no optical density"),
        (Fw102c, {"acts_on": "sky"}, "'sky' is no path"),
        (Mff101, {"carries": "mirror"}, "1 entries for 2"),
    ],
)
def test_truths_that_cannot_be(simulator: Any, truth: dict[str, Any], words: str) -> None:
    settings = {"positions": list("abcdef")} if simulator is Fw102c else {}
    ((_, text),) = simulator.truth_problems(settings, truth)
    assert words in text


def test_truths_that_can_be() -> None:
    assert Fw102c.truth_problems({"positions": list("abcdef")}, {}) == []
    assert Fw102c.truth_problems({}, {"carries": "nothing, 1"}) == []
    assert Mff101.truth_problems({}, {"carries": "0.3, block", "acts_on": "detection"}) == []
