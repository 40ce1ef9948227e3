"""A session with faults between it and the wire: replies lost, spoilt or late, a silent device."""

from collections.abc import Callable

import numpy as np

from labctl_sim.wire._leaving import Leaving
from labctl_sim.wire._rules import Rule, Rules, garble
from labctl_sim.wire._session import Opener, Send, Session, Timeline

_HEARD_LIMIT = 65536


class FaultySession:
    """Hands everything on between the wire and a session, except what the rules spoil.

    What a device merely echoes is not a reply and passes untouched.

    Args:
        timeline: The world.
        rules: The instrument's faults, shared by all its sessions.
        opener: Begins the session underneath.
        send: The wire.
        generator: Gives a fresh seeded generator for each garbled reply.
    """

    def __init__(
        self,
        timeline: Timeline,
        rules: Rules,
        opener: Opener,
        send: Send,
        generator: Callable[[], np.random.Generator],
    ) -> None:
        self._timeline = timeline
        self._rules = rules
        self._leaving = Leaving(timeline, send)
        self._generator = generator
        self._heard = bytearray()
        self._unechoed = bytearray()
        self._answered = False
        self._session = opener(self._reply)

    def receive(self, data: bytes) -> None:
        """Hand bytes to the session unless the device hangs."""
        if self._hangs():
            return
        if self._answered:
            self._answered = False
            self._heard.clear()
        self._heard += data
        self._unechoed += data
        del self._heard[:-_HEARD_LIMIT], self._unechoed[:-_HEARD_LIMIT]
        self._session.receive(data)

    def closed(self) -> None:
        """Tell the session that the client has gone."""
        self._session.closed()

    def _hangs(self) -> bool:
        return self._timeline.now() < self._rules.hung_until_s

    def _reply(self, data: bytes) -> None:
        if self._hangs():
            return
        if not data or self._unechoed.startswith(data):
            del self._unechoed[: len(data)]
            self._leaving.transmit(data, 0.0)
            return
        self._answered = True
        self._unechoed.clear()
        rule = self._rules.take(bytes(self._heard))
        if rule is None:
            self._leaving.transmit(data, 0.0)
        elif rule.kind != "drop":
            self._leaving.transmit(self._spoil(data, rule), rule.delay_s)

    def _spoil(self, data: bytes, rule: Rule) -> bytes:
        return garble(data, rule.mode, self._generator()) if rule.kind == "garble" else data


class AbsentSession:
    """What a client finds while the device is away: the connection ends at once."""

    def __init__(self, send: Send) -> None:
        send(b"")

    def receive(self, data: bytes) -> None:
        """Lose what comes."""

    def closed(self) -> None:
        """Nothing is left to do."""


def faulty_opener(
    timeline: Timeline,
    rules: Rules,
    opener: Opener,
    generator: Callable[[], np.random.Generator],
) -> Opener:
    """Put the faults of an instrument between its sessions and the wire."""

    def open_session(send: Send) -> Session:
        if timeline.now() < rules.away_until_s:
            return AbsentSession(send)
        return FaultySession(timeline, rules, opener, send, generator)

    return open_session
