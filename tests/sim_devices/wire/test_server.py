"""The server thread: bytes in any parts, quiescence, errors, clean end."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from labctl_sim.wire import Send, Server, Session


class Upper:
    """Answers every line with its capitals."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.partial = b""
        self.left = False

    def receive(self, data: bytes) -> None:
        *lines, self.partial = (self.partial + data).split(b"\n")
        for line in lines:
            if line == b"boom":
                raise ZeroDivisionError("boom")
            if line == b"bye":
                self.send(b"")
            self.send(line.upper() + b"\n")

    def closed(self) -> None:
        self.left = True


class Bench:
    """A server with one instrument, and its clients."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self.lock = threading.RLock()
        self.server = Server(self.lock, self.errors.append)
        self.sessions: list[Upper] = []
        self.port = self.server.listen("upper", self.open)
        self.clients: list[socket.socket] = []

    def open(self, send: Send) -> Session:
        self.sessions.append(Upper(send))
        return self.sessions[-1]

    def connect(self) -> socket.socket:
        self.clients.append(socket.create_connection(("127.0.0.1", self.port), timeout=5.0))
        return self.clients[-1]

    def close(self) -> None:
        self.server.close()
        for client in self.clients:
            client.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    bench.server.start()
    yield bench
    bench.close()


def available(client: socket.socket) -> bytes:
    """Read what lies in the socket buffer, without waiting."""
    client.setblocking(False)
    try:
        return client.recv(1 << 20)
    except BlockingIOError:
        return b""
    finally:
        client.settimeout(5.0)


def test_after_quiescence_the_reply_lies_in_the_buffer(bench: Bench) -> None:
    client = bench.connect()
    for number in range(200):
        client.sendall(b"n%d\n" % number)
        bench.server.quiesce()
        assert available(client) == b"N%d\n" % number


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_commands_in_parts_and_several_at_once(bench: Bench, size: int) -> None:
    client = bench.connect()
    text = b"one\ntwo\nthree\nfo"
    got = b""
    for start in range(0, len(text), size):
        client.sendall(text[start : start + size])
        bench.server.quiesce()
        got += available(client)
    assert got == b"ONE\nTWO\nTHREE\n"


def test_a_client_that_leaves_at_once_does_no_harm(bench: Bench) -> None:
    for _ in range(5):
        bench.connect().close()
    bench.server.quiesce()
    client = bench.connect()
    client.sendall(b"still here\n")
    bench.server.quiesce()
    assert available(client) == b"STILL HERE\n"
    assert all(session.left for session in bench.sessions[:-1])
    assert bench.errors == []


def test_two_clients_have_two_sessions(bench: Bench) -> None:
    first, second = bench.connect(), bench.connect()
    first.sendall(b"a\n")
    second.sendall(b"b\n")
    bench.server.quiesce()
    assert (available(first), available(second)) == (b"A\n", b"B\n")


def test_an_exception_is_reported_and_closes_only_its_connection(bench: Bench) -> None:
    broken, sound = bench.connect(), bench.connect()
    broken.sendall(b"boom\n")
    sound.sendall(b"fine\n")
    bench.server.quiesce()
    assert broken.recv(10) == b""
    assert available(sound) == b"FINE\n"
    assert [str(error) for error in bench.errors] == ["boom"]
    assert bench.sessions[0].left


def test_empty_bytes_end_the_connection_after_what_was_sent(bench: Bench) -> None:
    client = bench.connect()
    client.sendall(b"x\nbye\n")
    bench.server.quiesce()
    assert client.recv(100) == b"X\n"
    assert client.recv(100) == b""


def test_disconnect_ends_all_connections_of_an_instrument(bench: Bench) -> None:
    client = bench.connect()
    bench.server.quiesce()
    bench.server.disconnect("upper")
    assert client.recv(10) == b""
    bench.server.quiesce()
    assert bench.sessions[0].left
    again = bench.connect()
    again.sendall(b"back\n")
    bench.server.quiesce()
    assert available(again) == b"BACK\n"


def test_sending_from_another_thread_with_the_lock_held(bench: Bench) -> None:
    client = bench.connect()
    bench.server.quiesce()
    with bench.lock:
        bench.sessions[0].send(b"later")
        assert available(client) == b"later"


def test_more_than_the_socket_buffer_arrives_whole(bench: Bench) -> None:
    client = bench.connect()
    bench.server.quiesce()
    data = bytes(range(256)) * 65536
    bench.sessions[0].send(data)
    got = bytearray()
    while len(got) < len(data):
        got += client.recv(1 << 20)
    assert bytes(got) == data


def blocked_session(gate: threading.Event) -> Callable[[Send], Session]:
    class Blocked(Upper):
        def receive(self, data: bytes) -> None:
            gate.wait(5.0)

    return Blocked


def test_a_busy_handler_is_named_after_the_watchdog_s_time() -> None:
    gate = threading.Event()
    server = Server(threading.RLock(), lambda error: None)
    port = server.listen("stuck", blocked_session(gate))
    server.start()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"x")
        with pytest.raises(TimeoutError, match=r"not quiet after 0\.2 s: stuck \(connection 1\)"):
            server.quiesce(0.2)
        gate.set()
        server.quiesce()
    server.close()


def test_holding_the_lock_while_waiting_is_a_time_out_not_a_deadlock(bench: Bench) -> None:
    client = bench.connect()
    bench.server.quiesce()
    with bench.lock:
        client.sendall(b"x\n")
        with pytest.raises(TimeoutError, match=r"upper \(connection 1\) is busy"):
            bench.server.quiesce(0.2)
    bench.server.quiesce()
    assert available(client) == b"X\n"


def test_close_ends_thread_and_sockets_and_can_be_called_twice() -> None:
    bench = Bench()
    bench.server.start()
    client = bench.connect()
    client.sendall(b"half a li")
    bench.server.quiesce()
    bench.close()
    bench.server.close()
    assert bench.sessions[0].left
    assert not [one for one in threading.enumerate() if one.name == "labctl-sim-wire"]
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", bench.port), timeout=1.0).close()
    bench.server.quiesce()


def test_a_taken_port_is_an_error_with_the_instrument_s_name(bench: Bench) -> None:
    other = Server(threading.RLock(), lambda error: None)
    with pytest.raises(OSError, match=f"camera: port {bench.port} cannot be opened"):
        other.listen("camera", bench.open, bench.port)
    other.close()


def test_starting_twice_is_refused(bench: Bench) -> None:
    with pytest.raises(RuntimeError, match="started before"):
        bench.server.start()
