"""A scripted instrument at the other end of a pipe, and a loopback server."""

import socket
from collections.abc import Callable, Generator
from functools import partial

import pytest

from labctl.clock import VirtualClock
from labctl.transport import PipeTransport


class Script:
    """Answers by a function; delays are events on the clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.answer: Callable[[bytes], list[tuple[float, bytes]]] = lambda _: []
        self.heard: list[bytes] = []
        self.opened = 0
        self.ended = 0
        self.send: Callable[[bytes], None] = lambda _: None

    def open(self, send: Callable[[bytes], None]) -> "Script":
        self.opened += 1
        self.send = send
        return self

    def receive(self, data: bytes) -> None:
        self.heard.append(data)
        send = self.send
        for delay_s, reply in self.answer(data):
            if delay_s == 0.0:
                send(reply)
            else:
                self.clock.schedule(self.clock.now() + delay_s, partial(send, reply))

    def closed(self) -> None:
        self.ended += 1


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def script(clock: VirtualClock) -> Script:
    return Script(clock)


@pytest.fixture
def pipe(clock: VirtualClock, script: Script) -> Generator[PipeTransport]:
    transport = PipeTransport("lamp", script.open, clock)
    transport.open()
    yield transport
    transport.close()


@pytest.fixture
def server() -> Generator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5.0)
        yield listener
