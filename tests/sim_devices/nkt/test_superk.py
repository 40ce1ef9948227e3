"""SuperK EXTREME: telegrams whole, byte by byte, and with others behind."""

from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl_sim.nkt import SuperK
from labctl_sim.world import World


def ask(clock: VirtualClock, world: World, data: bytes, size: int | None = None) -> bytes:
    sent: list[bytes] = []
    session: Any = SuperK("laser", world, {}, {}).open(sent.append)
    step = size or len(data)
    for start in range(0, len(data), step):
        session.receive(data[start : start + step])
    clock.sleep(1.0)
    return b"".join(sent)


TELEGRAMS = [
    ("0d 0f 40 04 61 79 00 0a", "0d 40 0f 08 61 60 38 9a 0a"),
    ("0d 0f 40 05 37 58 02 8f 4f 0a", "0d 40 0f 03 37 51 4a 0a"),
    ("0d 0f 40 05 30 03 d5 63 0a", "0d 40 0f 03 30 21 ad 0a"),
    ("0d 0f 40 04 61 79 01 0a", "0d 40 0f 01 61"),
    ("0d 10 40 04 61 00 00 0a", ""),
    ("0f 40 04", ""),
]


@pytest.mark.parametrize(("telegram", "reply"), TELEGRAMS)
def test_telegrams(clock: VirtualClock, world: World, telegram: str, reply: str) -> None:
    data, wanted = bytes.fromhex(telegram), bytes.fromhex(reply)
    for size in (None, 1):
        answer = ask(clock, world, data, size)
        assert answer.startswith(wanted)
        assert bool(answer) == bool(wanted)
    if data.endswith(b"\x0a") and wanted:
        assert ask(clock, world, data + b"\x0d\x0f") == ask(clock, world, data)


def test_light_comes_a_moment_after_the_order(clock: VirtualClock, world: World) -> None:
    laser = SuperK("laser", world, {}, {})
    world.table.shutter_open = True
    assert laser.answer(5, 0x30, b"\x03") == (3, b"")
    assert world.table.laser_on is False
    clock.sleep(0.2)
    assert world.table.laser_on is True
    assert laser.answer(5, 0x30, b"\x00") == (3, b"")
    assert world.table.laser_on is False
    assert laser.answer(5, 0x30, b"\x02") == (0, b"")
    assert laser.answer(5, 0x99, b"\x02") == (0, b"")
    assert laser.answer(4, 0x99, b"") == (0, b"")
