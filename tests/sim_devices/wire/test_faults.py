"""Faults between a simulator and the wire."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from labctl.clock import VirtualClock
from labctl_sim.wire import Faults, Send, Session
from labctl_sim.world import World


class Echoing:
    """Echoes, then answers each command; also a simulator with its own kinds."""

    def __init__(self) -> None:
        self.send: Send = lambda data: None
        self.heard: list[bytes] = []
        self.echo = False
        self.resets = 0
        self.cleared = 0
        self.left = 0

    def open(self, send: Send) -> Session:
        self.send = send
        return self

    def receive(self, data: bytes) -> None:
        self.heard.append(data)
        if self.echo:
            self.send(data)
        self.send(b"answer to " + data)

    def closed(self) -> None:
        self.left += 1

    def reset(self) -> None:
        self.resets += 1

    def fault_melt(self, at_k: float = 1000.0) -> None:
        self.heard.append(b"%g" % at_k)

    def clear_faults(self) -> None:
        self.cleared += 1


class Bench:
    def __init__(self, clock: VirtualClock, world: World) -> None:
        self.clock = clock
        self.device = Echoing()
        self.disconnects = 0
        self.faults = Faults(
            "device",
            self.device,
            world,
            generator=np.random.default_rng,
            disconnect=self._disconnect,
        )
        self.opener = self.faults.guard(self.device.open)
        self.sent: list[bytes] = []
        self.session = self.opener(self.sent.append)

    def _disconnect(self) -> None:
        self.disconnects += 1

    def ask(self, command: bytes) -> list[bytes]:
        self.sent.clear()
        self.session.receive(command)
        return list(self.sent)


@pytest.fixture
def bench(clock: VirtualClock, world: World) -> Bench:
    return Bench(clock, world)


def test_without_faults_everything_passes(bench: Bench) -> None:
    assert bench.ask(b"a") == [b"answer to a"]
    bench.session.closed()
    assert bench.device.left == 1


def test_drop_loses_one_reply_although_the_command_was_heard(bench: Bench) -> None:
    bench.faults.inject("drop")
    assert bench.ask(b"a") == []
    assert bench.device.heard == [b"a"]
    assert bench.ask(b"b") == [b"answer to b"]


def test_drop_counts_waits_and_looks_at_the_command(bench: Bench) -> None:
    bench.faults.inject("drop", times=2, after=1, command="x")
    got = [bool(bench.ask(text)) for text in (b"x1", b"y", b"x2", b"y", b"x3", b"x4")]
    assert got == [True, True, False, True, False, True]


def test_until_cleared(bench: Bench) -> None:
    bench.faults.inject("drop", times=None)
    assert [bench.ask(b"a") for _ in range(5)] == [[]] * 5
    bench.faults.inject("clear")
    assert bench.ask(b"a") == [b"answer to a"]
    assert bench.device.cleared == 1


def test_an_echo_is_not_a_reply(bench: Bench) -> None:
    bench.device.echo = True
    bench.faults.inject("drop")
    assert bench.ask(b"a\r") == [b"a\r"]
    assert bench.ask(b"b\r") == [b"b\r", b"answer to b\r"]


@pytest.mark.parametrize("mode", ["flip", "cut"])
def test_garbled_replies_differ_and_repeat_with_the_seed(
    clock: VirtualClock, world: World, mode: str
) -> None:
    def run() -> list[bytes]:
        bench = Bench(clock, world)
        bench.faults.inject("garble", times=20, mode=mode)
        return [b"".join(bench.ask(b"a")) for _ in range(20)]

    replies = run()
    assert all(reply != b"answer to a" for reply in replies)
    assert len(set(replies)) > 5
    assert run() == replies


def test_late_replies_keep_their_order(bench: Bench) -> None:
    bench.faults.inject("late", delay_s=2.0)
    assert bench.ask(b"a") == []
    bench.session.receive(b"b")
    assert bench.sent == []
    bench.clock.sleep(1.999)
    assert bench.sent == []
    bench.clock.sleep(0.002)
    assert bench.sent == [b"answer to a", b"answer to b"]
    assert bench.ask(b"c") == [b"answer to c"]


def test_hang_swallows_commands_for_a_while(bench: Bench) -> None:
    bench.faults.inject("hang", for_s=3.0)
    assert bench.ask(b"a") == []
    bench.clock.sleep(3.0)
    assert bench.ask(b"b") == [b"answer to b"]
    assert bench.device.heard == [b"b"]


def test_hang_lasts_until_cleared(bench: Bench) -> None:
    bench.faults.inject("hang")
    bench.clock.sleep(1e6)
    assert bench.ask(b"a") == []
    bench.faults.inject("clear")
    assert bench.ask(b"a") == [b"answer to a"]


def test_disconnect_keeps_new_clients_away(bench: Bench) -> None:
    bench.faults.inject("disconnect", for_s=5.0)
    assert bench.disconnects == 1
    sent: list[bytes] = []
    absent = bench.opener(sent.append)
    absent.receive(b"hello")
    absent.closed()
    assert sent == [b""]
    bench.clock.sleep(5.0)
    bench.opener(sent.append).receive(b"hello")
    assert sent[1:] == [b"answer to hello"]


def test_own_kinds_and_reset(bench: Bench) -> None:
    bench.faults.inject("melt", at_k=7.0)
    bench.faults.inject("reset")
    assert bench.device.heard == [b"7"]
    assert bench.device.resets == 1


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("dorp", {}, "device has no fault 'dorp'; did you mean 'drop'"),
        ("zzz", {}, "there are clear, disconnect, drop, garble, hang, late, melt, reset"),
        ("drop", {"time": 2}, "unexpected keyword argument 'time'.* takes times, after, command"),
        ("late", {}, "missing a required argument: 'delay_s'"),
        ("garble", {"mode": "burn"}, "mode is flip or cut, not 'burn'"),
    ],
)
def test_what_is_wrong_is_said(
    bench: Bench, kind: str, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        bench.faults.inject(kind, **parameters)


@pytest.mark.parametrize("end", ["clear", "release"])
def test_a_library_call_hangs_until_it_is_let_go(world: World, end: str) -> None:
    faults = Faults("camera", object(), world, generator=np.random.default_rng)
    faults.wait_awake()
    faults.inject("hang")
    caller = threading.Thread(target=faults.wait_awake)
    caller.start()
    caller.join(0.1)
    assert caller.is_alive()
    act: Callable[[], None] = getattr(faults, end)
    act()
    caller.join(5.0)
    assert not caller.is_alive()
