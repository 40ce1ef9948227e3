"""HTTP: literal bytes whole, one by one, with trailing bytes; a standard client as third judge."""

import http.client
import threading

import pytest

from labctl_sim.wire import HttpRequest, HttpResponse, HttpSession, Send, Server, Session

GET = b"GET /v1/a%28%29?x=1 HTTP/1.1\r\nHost: h:1\r\n\r\n"
PUT = b"PUT /v1/b HTTP/1.1\r\nHost: h:1\r\nContent-Length: 3\r\n\r\n4.0"
CHUNKED = (
    b"PUT /v1/b HTTP/1.1\r\nHost: h:1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"1\r\n4\r\n2\r\n.0\r\n0\r\n\r\n"
)
LAST = b"GET /end HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n"

CASES = [
    pytest.param(GET, [HttpRequest("GET", "/v1/a()", b"", "h:1")], id="get"),
    pytest.param(PUT, [HttpRequest("PUT", "/v1/b", b"4.0", "h:1")], id="put"),
    pytest.param(CHUNKED, [HttpRequest("PUT", "/v1/b", b"4.0", "h:1")], id="chunked"),
    pytest.param(
        PUT + GET,
        [HttpRequest("PUT", "/v1/b", b"4.0", "h:1"), HttpRequest("GET", "/v1/a()", b"", "h:1")],
        id="two in a row",
    ),
]


class Desk:
    """Keeps requests and sent bytes."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.sent: list[bytes] = []
        self.session = HttpSession(self.sent.append, self.answer)

    def answer(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return HttpResponse(200, b"[1]") if request.path != "/gone" else HttpResponse(404)


@pytest.mark.parametrize(("data", "wanted"), CASES)
def test_requests_whole_and_byte_by_byte(data: bytes, wanted: list[HttpRequest]) -> None:
    for size in (len(data), 1):
        desk = Desk()
        for start in range(0, len(data), size):
            desk.session.receive(data[start : start + size])
        assert desk.requests == wanted
        assert b"".join(desk.sent).count(b"HTTP/1.1 200 \r\n") == len(wanted)


@pytest.mark.parametrize(("data", "wanted"), CASES)
def test_trailing_bytes_wait_for_the_rest(data: bytes, wanted: list[HttpRequest]) -> None:
    desk = Desk()
    desk.session.receive(data + LAST[:20])
    assert desk.requests == wanted
    desk.session.receive(LAST[20:])
    assert len(desk.requests) == len(wanted) + 1


def test_the_response_is_one_piece_with_its_length() -> None:
    desk = Desk()
    desk.session.receive(GET)
    (reply,) = desk.sent
    head, _, body = reply.partition(b"\r\n\r\n")
    assert body == b"[1]"
    assert b"content-length: 3" in head.lower()
    assert b"content-type: application/json" in head.lower()


def test_an_empty_response_has_length_zero() -> None:
    desk = Desk()
    desk.session.receive(b"GET /gone HTTP/1.1\r\nHost: h\r\n\r\n")
    assert desk.sent[0].startswith(b"HTTP/1.1 404 ")
    assert b"content-length: 0\r\n" in desk.sent[0].lower()


def test_connection_close_ends_it() -> None:
    desk = Desk()
    desk.session.receive(LAST)
    assert desk.sent[-1] == b""
    assert len(desk.sent) == 2


def test_nonsense_is_answered_and_ends_it() -> None:
    desk = Desk()
    desk.session.receive(b"\x00\x01 nonsense\r\n\r\n")
    assert desk.sent[0].startswith(b"HTTP/1.1 400 ")
    assert desk.sent[-1] == b""


def test_a_client_that_waits_for_permission_gets_it() -> None:
    desk = Desk()
    desk.session.receive(
        b"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )
    assert desk.sent[0].startswith(b"HTTP/1.1 100 ")
    desk.session.receive(b"12")
    assert desk.requests[0].body == b"12"


def test_the_standard_library_s_client_agrees() -> None:
    def opener(send: Send) -> Session:
        return HttpSession(send, lambda request: HttpResponse(200, request.body))

    server = Server(threading.RLock(), lambda error: None)
    port = server.listen("web", opener)
    server.start()
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)
    for body in (b"first", b"", b"x" * 100_000):
        client.request("PUT", "/v1/x", body)
        reply = client.getresponse()
        assert (reply.status, reply.read()) == (200, body)
    client.request("HEAD", "/v1/x")
    assert client.getresponse().read() == b""
    client.close()
    server.close()
