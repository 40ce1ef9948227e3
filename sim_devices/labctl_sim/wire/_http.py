"""HTTP/1.1 as a session: requests in, one response each, no sockets (parsed by h11)."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

import h11

from labctl_sim.wire._session import Send


@dataclass(frozen=True)
class HttpRequest:
    """A whole request; the path is without the query and with percent signs decoded.

    ``host`` is what the client called the server, as in ``127.0.0.1:47101``.
    """

    method: str
    path: str
    body: bytes = b""
    host: str = ""


@dataclass(frozen=True)
class HttpResponse:
    """What goes back."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"


class HttpSession:
    """Answers requests at once, several on one connection if the client wants that.

    Args:
        send: Where the bytes go; each response is one call.
        answer: Makes the response to a request.
    """

    def __init__(self, send: Send, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self._send = send
        self._answer = answer
        self._wire = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._body = bytearray()

    def receive(self, data: bytes) -> None:
        """Take bytes; answer every request that is complete."""
        try:
            self._wire.receive_data(data)
            while self._step():
                pass
        except h11.RemoteProtocolError as error:
            if self._wire.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                self._respond(HttpResponse(error.error_status_hint, str(error).encode()))
            self._send(b"")

    def closed(self) -> None:
        """Forget the half request that may be left."""
        self._body.clear()

    def _step(self) -> bool:
        event = self._wire.next_event()
        if isinstance(event, h11.Request):
            self._request = event
            self._body.clear()
            if self._wire.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                self._send(self._wire.send(go_on) or b"")
        elif isinstance(event, h11.Data):
            self._body += event.data
        elif isinstance(event, h11.EndOfMessage) and self._request is not None:
            self._respond(self._answer(_whole(self._request, bytes(self._body))))
            self._finish()
        else:
            return False
        return True

    def _respond(self, response: HttpResponse) -> None:
        headers = [("Content-Length", str(len(response.body)))]
        if response.body:
            headers.append(("Content-Type", response.content_type))
        head = h11.Response(status_code=response.status, headers=headers)
        parts = [self._wire.send(head)]
        if response.body and not self._head_only():
            parts.append(self._wire.send(h11.Data(data=response.body)))
        parts.append(self._wire.send(h11.EndOfMessage()))
        self._send(b"".join(part for part in parts if part))

    def _head_only(self) -> bool:
        return self._request is not None and self._request.method == b"HEAD"

    def _finish(self) -> None:
        self._request = None
        if self._wire.our_state is h11.MUST_CLOSE:
            self._send(b"")
        elif self._wire.our_state is h11.DONE and self._wire.their_state is h11.DONE:
            self._wire.start_next_cycle()


def _whole(head: h11.Request, body: bytes) -> HttpRequest:
    target = head.target.decode("ascii").partition("?")[0]
    hosts = [value.decode("ascii") for name, value in head.headers if name == b"host"]
    host = hosts[0] if hosts else ""
    return HttpRequest(head.method.decode("ascii"), unquote(target), body, host)
