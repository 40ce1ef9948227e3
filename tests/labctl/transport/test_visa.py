import os
import socket
import sys
import time
from collections.abc import Callable, Generator

import pytest
from pyvisa import constants, errors

from labctl.clock import EventQueue, RealClock, VirtualClock
from labctl.errors import ConfigError, GarbledReplyError, NoReplyError
from labctl.transport import GarbledBytesError, VisaTransport
from labctl.transport._port import SocketPort
from labctl.transport._visa_port import SerialLine, port_of


def line(data: bytes) -> str | None:
    text, end, behind = data.partition(b"\n")
    if behind:
        raise GarbledBytesError("two lines")
    return text.decode("latin-1") if end else None


def ask(transport: VisaTransport, what: bytes, timeout_s: float = 2.0) -> str:
    return transport.query(what, line, command=what.decode(), timeout_s=timeout_s)


class Peer:
    """The instrument's end of a loopback connection; answers while virtual time rests."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.answer: Callable[[bytes], bytes] = lambda _: b""
        self.connections: list[socket.socket] = []

    def settle(self) -> None:
        """Wait for what the client has sent and answer it, as the simulated set-up does."""
        if not self.connections:
            return
        connection = self.connections[-1]
        connection.settimeout(0.0)
        try:
            data = connection.recv(100)
        except OSError:
            return
        reply = self.answer(data) if data else b""
        if reply:
            connection.sendall(reply)

    def accept(self) -> None:
        connection, _ = self.server.accept()
        self.connections.append(connection)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


@pytest.fixture
def peer(server: socket.socket) -> Generator[Peer]:
    found = Peer(server)
    yield found
    found.close()


@pytest.fixture
def resource(server: socket.socket) -> str:
    return f"TCPIP::127.0.0.1::{server.getsockname()[1]}::SOCKET"


@pytest.fixture
def visa(resource: str, peer: Peer) -> Generator[VisaTransport]:
    transport = VisaTransport("cryostat", resource, VirtualClock(EventQueue(peer.settle)))
    transport.open()
    peer.accept()
    yield transport
    transport.close()


def test_answer_through_a_socket(visa: VisaTransport, peer: Peer) -> None:
    peer.answer = lambda data: b"re " + data + b"\n"
    assert ask(visa, b"T?") == "re T?"


def test_silent_socket_costs_no_wall_time(visa: VisaTransport) -> None:
    began = time.perf_counter()
    with pytest.raises(NoReplyError, match="no reply within 600 s"):
        ask(visa, b"T?", timeout_s=600.0)
    assert visa.clock.now() == pytest.approx(600.0)
    assert time.perf_counter() - began < 1.0


def test_large_answer_is_read_at_one_moment(visa: VisaTransport, peer: Peer) -> None:
    peer.answer = lambda _: b"x" * 150_000 + b"\n"
    assert len(ask(visa, b"T?")) == 150_000
    assert visa.clock.now() == 0.0


def test_polling_costs_microseconds(visa: VisaTransport) -> None:
    rounds = 2000
    began = time.perf_counter()
    for _ in range(rounds):
        visa.poll()
    assert (time.perf_counter() - began) / rounds < 200e-6


def test_small_requests_leave_at_once(server: socket.socket) -> None:
    sock = socket.create_connection(server.getsockname())
    port = SocketPort(sock)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    port.close()


def test_peer_that_hangs_up(visa: VisaTransport, peer: Peer) -> None:
    peer.connections[-1].close()
    peer.server.close()
    with pytest.raises(NoReplyError, match=r"cryostat: 'connect': .*nobody listens"):
        ask(visa, b"T?")


def test_peer_that_hangs_up_in_mid_answer(visa: VisaTransport, peer: Peer) -> None:
    def half(_: bytes) -> bytes:
        peer.connections[-1].sendall(b"half")
        peer.connections[-1].shutdown(socket.SHUT_RDWR)
        return b""

    peer.answer = half
    with pytest.raises(NoReplyError, match="closed the connection, only b'half'"):
        ask(visa, b"T?")


def test_answer_after_the_deadline_meets_a_closed_connection(
    visa: VisaTransport, peer: Peer
) -> None:
    with pytest.raises(NoReplyError):
        ask(visa, b"A")
    peer.connections[-1].sendall(b"re A\n")
    peer.answer = lambda data: b"re " + data + b"\n"
    visa.after_reconnect = peer.accept
    assert [ask(visa, b"B"), ask(visa, b"C")] == ["re B", "re C"]


def test_refused_connection_is_reported_at_once(server: socket.socket, resource: str) -> None:
    server.close()
    transport = VisaTransport("cryostat", resource, VirtualClock())
    began = time.perf_counter()
    with pytest.raises(NoReplyError, match=r"nobody listens.*address in the set-up"):
        transport.open()
    if sys.platform != "win32":
        assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize("resource", ["nonsense", "ASRLnowhere::INSTR"])
def test_impossible_address(resource: str) -> None:
    with pytest.raises(NoReplyError, match="connect"):
        VisaTransport("lamp", resource, VirtualClock()).open()


def test_impossible_line() -> None:
    with pytest.raises(ConfigError, match="parity='both'"):
        VisaTransport("lamp", "ASRL1::INSTR", VirtualClock(), parity="both")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_serial_line() -> None:
    import tty

    master, slave = os.openpty()
    tty.setraw(slave)
    transport = VisaTransport("shutter", f"ASRL{os.ttyname(slave)}::INSTR", RealClock())
    try:
        transport.open()
        transport.write(b"id?\r", command="id?")
        assert os.read(master, 10) == b"id?\r"
        request = transport.begin(b"x\r", line, command="x", timeout_s=5.0)
        assert not request.ready()
        os.write(master, b"SC10\n")
        transport.clock.wait_until(request.ready, deadline_s=5.0, what="x")
        assert request.value == "SC10"
        assert not transport.poll()
    finally:
        transport.close()
        os.close(master)
        os.close(slave)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_serial_line_that_is_unplugged() -> None:
    master, slave = os.openpty()
    transport = VisaTransport("shutter", f"ASRL{os.ttyname(slave)}::INSTR", VirtualClock())
    transport.open()
    os.close(slave)
    os.close(master)
    with pytest.raises(NoReplyError, match="check power"):
        ask(transport, b"id?")
    with pytest.raises(NoReplyError, match="'connect'"):
        ask(transport, b"id?")
    transport.close()


class FakeResource:
    """A resource of a VISA library that gives no access to its socket."""

    def __init__(self) -> None:
        self.visalib = object()
        self.timeout: float = -1
        self.inbox = b""
        self.sent: list[tuple[bytes, float]] = []
        self.failure = constants.StatusCode.error_timeout

    def write_raw(self, data: bytes) -> None:
        self.sent.append((data, self.timeout))

    def read_bytes(self, count: int) -> bytes:
        if not self.inbox:
            assert self.timeout == 0, "would block"
            raise errors.VisaIOError(self.failure)
        first, self.inbox = self.inbox[:count], self.inbox[count:]
        return first

    def close(self) -> None:
        return None


def test_any_other_resource_is_read_bytewise_without_waiting() -> None:
    resource = FakeResource()
    port = port_of(resource, SerialLine())
    port.send(b"*IDN?")
    assert resource.sent == [(b"*IDN?", 5000)]
    assert port.receive() == b""
    resource.inbox = b"PM100\n"
    assert port.receive() == b"PM100\n"
    resource.failure = constants.StatusCode.error_connection_lost
    with pytest.raises(OSError, match="VI_ERROR_CONN_LOST"):
        port.receive()
    assert not port.reopen_cures


def test_garbled_bytes_open_the_line_anew(visa: VisaTransport, peer: Peer) -> None:
    peer.answer = lambda _: b"one\ntwo\n"
    with pytest.raises(GarbledReplyError, match="two lines"):
        ask(visa, b"T?")
    peer.answer = lambda _: b"three\n"
    visa.after_reconnect = peer.accept
    assert ask(visa, b"T?") == "three"
