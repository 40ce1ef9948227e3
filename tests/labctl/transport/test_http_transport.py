import time
from collections.abc import Callable

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.clock import VirtualClock
from labctl.errors import ConfigError, GarbledReplyError, NoReplyError, RefusedError
from labctl.transport import HttpReply, HttpTransport, PipePort

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
UNTIL_END = b"HTTP/1.0 200 OK\r\n\r\n{}"


class Server:
    """Sends prepared pieces as soon as a request is complete; knows what it was asked."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = [OK]
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections = 0
        self.ended = 0

    def dial(self) -> PipePort:
        self.connections += 1
        return PipePort(lambda send: Conversation(self, send))

    def transport(self) -> HttpTransport:
        link = HttpTransport("cryo", "http://host:47101", VirtualClock(), dial=self.dial)
        link.open()
        return link


class Conversation:
    def __init__(self, server: Server, send: Callable[[bytes], None]) -> None:
        self.server, self.send = server, send
        self.wire = h11.Connection(h11.SERVER)
        self.head: h11.Request | None = None
        self.body = b""

    def receive(self, data: bytes) -> None:
        self.wire.receive_data(data)
        while True:
            event = self.wire.next_event()
            if isinstance(event, h11.Request):
                self.head = event
            elif isinstance(event, h11.Data):
                self.body += event.data
            elif isinstance(event, h11.EndOfMessage) and self.head:
                headers = {k.decode(): v.decode() for k, v in self.head.headers}
                method, target = self.head.method.decode(), self.head.target.decode()
                self.server.asked.append((method, target, headers, self.body))
                for piece in self.server.pieces:
                    self.send(piece)
                return
            else:
                return

    def closed(self) -> None:
        self.server.ended += 1


@pytest.mark.parametrize("reply", [OK, CHUNKED], ids=["length", "chunked"])
@pytest.mark.parametrize("bytewise", [False, True])
def test_reply(reply: bytes, bytewise: bool) -> None:
    server = Server()
    server.pieces = [bytes([b]) for b in reply] if bytewise else [reply]
    answer = server.transport().request("GET", "/v1/x", timeout_s=5.0)
    assert answer == HttpReply(200, b'{"a":1}' if reply is OK else b"{}")


def test_reply_that_ends_with_the_connection() -> None:
    server = Server()
    server.pieces = [UNTIL_END, b""]
    assert server.transport().request("GET", "/", timeout_s=5.0) == HttpReply(200, b"{}")


def test_request_as_the_server_sees_it() -> None:
    server = Server()
    link = server.transport()
    link.request("PUT", "/v1/p/target", b"4.0", timeout_s=5.0)
    link.request("POST", "/v1/m/cooldown()", timeout_s=5.0)
    (put, path, headers, body), (post, call, _, nothing) = server.asked
    assert (put, path, body) == ("PUT", "/v1/p/target", b"4.0")
    assert headers["host"] == "host:47101"
    assert headers["content-length"] == "3"
    assert (post, call, nothing) == ("POST", "/v1/m/cooldown()", b"")
    assert (server.connections, server.ended) == (2, 2)


def test_silent_server_costs_no_wall_time() -> None:
    server = Server()
    server.pieces = []
    link = server.transport()
    began = time.perf_counter()
    with pytest.raises(NoReplyError, match="cryo: 'GET /x': no reply within 900 s"):
        link.request("GET", "/x", timeout_s=900.0)
    assert link.clock.now() == pytest.approx(900.0)
    assert time.perf_counter() - began < 1.0
    server.pieces = [OK]
    assert link.request("GET", "/x", timeout_s=5.0).status == 200


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        ([b""], NoReplyError),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b""], GarbledReplyError),
        ([b"054.201\r\n\r\n"], GarbledReplyError),
        ([b"\x15\x03\x01 TLS only \r\n\r\n"], GarbledReplyError),
    ],
    ids=["hung up", "cut", "another protocol", "tls"],
)
def test_bad_replies(pieces: list[bytes], error: type[Exception]) -> None:
    server = Server()
    server.pieces = pieces
    with pytest.raises(error):
        server.transport().request("GET", "/", timeout_s=5.0)
    assert server.ended == 1


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_a_reply_or_a_device_error(noise: bytes, cut: int) -> None:
    server = Server()
    server.pieces = [OK[:cut] + noise, b""]
    try:
        answer = server.transport().request("GET", "/", timeout_s=5.0)
    except (GarbledReplyError, NoReplyError):
        return
    assert 100 <= answer.status <= 999


def test_nobody_listens() -> None:
    link = HttpTransport("cryo", "http://127.0.0.1:1", VirtualClock())
    link.open()
    with pytest.raises(NoReplyError, match="connect"):
        link.request("GET", "/", timeout_s=5.0)


def test_closed_link_and_impossible_path_send_nothing() -> None:
    server = Server()
    link = server.transport()
    with pytest.raises(RefusedError, match="is not HTTP"):
        link.request("GET", "/a b\r\nX: y", timeout_s=5.0)
    link.close()
    with pytest.raises(RefusedError, match="not connected"):
        link.request("GET", "/", timeout_s=5.0)
    assert server.connections == 0


@pytest.mark.parametrize(
    "url", ["https://host", "host:47101", "http://", "http://h:x", "http://h/?q", "TCPIP::h::1"]
)
def test_impossible_address(url: str) -> None:
    with pytest.raises(ConfigError, match="http"):
        HttpTransport("cryo", url, VirtualClock())


def test_path_below_the_address() -> None:
    server = Server()
    link = HttpTransport("cryo", "http://host/api/", VirtualClock(), dial=server.dial)
    link.open()
    link.request("GET", "/v1", timeout_s=5.0)
    assert server.asked[0][1] == "/api/v1"
