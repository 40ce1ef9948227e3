"""The windows that look on: each is let in by the key, told everything, and never waited for."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import AuthenticationError
from time import monotonic

from labctl.channels import Channel, Head, listen, unpack
from labctl.errors import LabctlError
from labctl.host.server._outbox import Outbox

__all__ = ["Audience", "Window"]

_MOST_BYTES = 16_000_000
"""No question of a window is longer, not even the text of a large recipe."""


class Window:
    """One window that is attached: what it asks, and what it is sent."""

    def __init__(self, channel: Channel, audience: "Audience") -> None:
        """Take over a channel; ``start`` begins."""
        self._channel, self._audience = channel, audience
        self.outbox = Outbox()
        self._sending = threading.Thread(target=self._send, name="to a window", daemon=True)
        self._hearing = threading.Thread(target=self._receive, name="from a window", daemon=True)

    def start(self) -> None:
        """Begin to send and to listen."""
        self._sending.start()
        self._hearing.start()

    def close(self) -> None:
        """Hang up."""
        self.outbox.close()
        self._channel.hang_up()

    def join(self) -> None:
        """Wait until both threads have ended."""
        self._hearing.join(2.0)

    def _send(self) -> None:
        with suppress(OSError):
            while (packet := self.outbox.take()) is not None:
                self._channel.send_packet(packet)
        self._audience.leave(self)

    def _receive(self) -> None:
        # What is no packet comes from no window of ours, which then hangs up.
        with suppress(OSError, EOFError, LabctlError):
            while True:
                head, _ = unpack(self._channel.receive_packet(_MOST_BYTES))
                self._audience.asked(self, head)
        self._audience.leave(self)
        self._sending.join()
        self._channel.close()


class Audience:
    """All windows. Whoever tells them something only puts it into their outboxes."""

    def __init__(self, key: bytes, asked: Callable[[Window, Head], None]) -> None:
        """Listen on loopback; ``asked`` is given what a window wants, on that window's thread."""
        self.asked = asked
        self._listener, self.port = listen(key)
        self._windows: list[Window] = []
        self._lock = threading.Lock()
        self._closing = False
        self._empty_since_s = monotonic()
        self._gone_drops = 0
        self._thread = threading.Thread(target=self._accept, name="windows", daemon=True)

    def start(self, welcome: Callable[[Window], None]) -> None:
        """Let windows in; ``welcome`` sends each what there is, and enters it."""
        self._welcome = welcome
        self._thread.start()

    def admit(self, channel: Channel) -> None:
        """Let in whoever calls over this channel, and has proved that it may."""
        window = Window(channel, self)
        if not self._closing:
            self._welcome(window)
        window.start()
        if self._closing:
            # It came too late to be hung up on with the others.
            self.leave(window)

    def enter(self, window: Window) -> None:
        """Tell this window, too, from now on."""
        with self._lock:
            self._windows.append(window)

    def leave(self, window: Window) -> None:
        """Forget a window that has gone."""
        window.close()
        with self._lock:
            if window in self._windows:
                self._windows.remove(window)
                self._gone_drops += window.outbox.dropped
                self._empty_since_s = monotonic()

    def tell(self, packet: bytes) -> None:
        """Send what must arrive; a window that does not read at all is given up."""
        for window in self._all():
            if not window.outbox.put(packet):
                self.leave(window)

    def show(self, topic: str, packet: bytes) -> None:
        """Send display data, of which only the newest counts."""
        for window in self._all():
            window.outbox.show(topic, packet)

    def dropped(self) -> int:
        """Return how many display packets were dropped so far, because newer ones came."""
        return self._gone_drops + sum(window.outbox.dropped for window in self._all())

    def count(self) -> int:
        """Return how many windows are attached."""
        return len(self._all())

    def lonely_s(self) -> float:
        """Return for how long no window has been attached, s of life."""
        return 0.0 if self._all() else monotonic() - self._empty_since_s

    def close(self) -> None:
        """Hang up on everybody."""
        self._closing = True
        with suppress(OSError):
            self._knock()
        self._thread.join(2.0)
        self._listener.close()
        windows = self._all()
        for window in windows:
            self.leave(window)
        for window in windows:
            window.join()

    def _knock(self) -> None:
        # Closing a listener does not wake the thread that waits in it.
        socket.create_connection(("127.0.0.1", self.port)).close()

    def _all(self) -> tuple[Window, ...]:
        with self._lock:
            return tuple(self._windows)

    def _accept(self) -> None:
        while not self._closing:
            # Who does not know the key, or hangs up, is none of our windows.
            with suppress(OSError, EOFError, AuthenticationError):
                self.admit(Channel(self._listener.accept()))
        # What knocked to end the waiting, or came too late.
        for window in self._all():
            self.leave(window)
