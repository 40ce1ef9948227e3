"""Several instruments on one serial line: all hear what is sent, each answers for itself."""

from collections.abc import Sequence

from labctl_sim.wire._session import Opener, Send, Session


class _Line:
    """The sessions of all instruments on the line with one client."""

    def __init__(self, openers: Sequence[Opener], send: Send) -> None:
        self._sessions = [opener(send) for opener in openers]

    def receive(self, data: bytes) -> None:
        """Let everybody hear."""
        for session in self._sessions:
            session.receive(data)

    def closed(self) -> None:
        """Tell everybody."""
        for session in self._sessions:
            session.closed()


def on_one_line(openers: Sequence[Opener]) -> Opener:
    """Put instruments on one line; with a single one it is its own line."""

    def open_session(send: Send) -> Session:
        return openers[0](send) if len(openers) == 1 else _Line(openers, send)

    return open_session
