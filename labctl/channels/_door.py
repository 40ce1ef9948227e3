"""A listener that a set-up may open to other computers: only who knows its token gets in."""

import hmac
import ipaddress
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from time import monotonic

from labctl.channels._channel import Channel
from labctl.channels._greeting import (
    ANSWER_BYTES,
    HELLO_BYTES,
    PROOF_BYTES,
    Greeting,
    answer_to,
    is_hello,
)
from labctl.errors import LabctlError, RefusedError

__all__ = ["Door", "call_door"]

_ANSWER_S = 5.0
_DELAY_S = 1.0
"""So long a caller with a wrong token waits for the refusal; others wait for nothing."""
_MOST, _MOST_OF_ONE = 64, 16
"""Callers who have not proved themselves yet: in all, and of one address."""
_LOOK_S = 0.2
_CALL_S = 10.0


class Door:
    """Listens on an address of this computer; each caller is examined on a thread of its own.

    Attributes:
        refused: Number of callers that were sent away so far.
    """

    def __init__(
        self,
        token: bytes,
        admit: Callable[[Channel, str], None],
        refuse: Callable[[str, int], None],
    ) -> None:
        """Know the token; ``open`` begins to listen.

        Args:
            token: The secret.
            admit: Given the channel and the address of a caller who knows it.
            refuse: Given the address of one who does not, and how many that makes.
        """
        self._token, self._admit, self._refuse = token, admit, refuse
        self._closing, self._lock = threading.Event(), threading.Lock()
        self._waiting: dict[socket.socket, str] = {}
        self._threads: list[threading.Thread] = []
        self._accepting: threading.Thread | None = None
        self.refused = 0

    def open(self, host: str, port: int) -> int:
        """Begin to listen; returns the port.

        Raises:
            OSError: The address is not of this computer, or the port is taken.
        """
        six = ipaddress.ip_address(host).version == 6
        family = socket.AF_INET6 if six else socket.AF_INET
        line = socket.create_server((host, port), family=family)
        # A thread that waits for ever is not woken on every system when its socket is closed.
        line.settimeout(_LOOK_S)
        self._accepting = threading.Thread(
            target=self._accept, args=(line,), name="door", daemon=True
        )
        self._accepting.start()
        return int(line.getsockname()[1])

    def close(self) -> None:
        """Listen no more; callers who are being examined are sent away."""
        self._closing.set()
        if self._accepting is not None:
            # First of all: after it, nobody new is examined.
            self._accepting.join()
        with self._lock:
            for line in self._waiting:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _accept(self, line: socket.socket) -> None:
        with line:
            while not self._closing.is_set():
                try:
                    caller, (address, *_) = line.accept()
                except TimeoutError:
                    continue
                except OSError:
                    # The caller has gone, or this computer has no more room for one now.
                    self._closing.wait(_LOOK_S)
                    continue
                if self._has_room_for(address):
                    self._begin(caller, address)
                else:
                    caller.close()
                    self._count(address)

    def _begin(self, caller: socket.socket, address: str) -> None:
        thread = threading.Thread(
            target=self._examine, args=(caller, address), name="caller at the door", daemon=True
        )
        with self._lock:
            self._waiting[caller] = address
            self._threads = [*(one for one in self._threads if one.is_alive()), thread]
            # Under the lock: only threads that have begun can be joined.
            thread.start()

    def _has_room_for(self, address: str) -> bool:
        with self._lock:
            there = list(self._waiting.values())
        return len(there) < _MOST and there.count(address) < _MOST_OF_ONE

    def _examine(self, caller: socket.socket, address: str) -> None:
        try:
            known = _knows(caller, self._token)
        # It has hung up, or takes too long.
        except OSError:
            known = False
        if not known and not self._closing.is_set():
            self._count(address)
            self._closing.wait(_DELAY_S)
        with self._lock:
            del self._waiting[caller]
        if known and not self._closing.is_set():
            self._admit(_channel(caller), address)
        else:
            caller.close()

    def _count(self, address: str) -> None:
        with self._lock:
            self.refused += 1
            number = self.refused
        self._refuse(address, number)


def call_door(host: str, port: int, token: bytes) -> Channel:
    """Call an engine that listens for other computers.

    Raises:
        OSError: Nobody listens there, or answers in time.
        RefusedError: It does not take the token, or does not know it itself.
        LabctlError: Something else than an engine answers.
    """
    name = f"{host}:{port}"
    line = socket.create_connection((host, port), timeout=_CALL_S)
    try:
        hello = _exactly(line, HELLO_BYTES, _CALL_S)
        if not is_hello(hello):
            message = f"{name}: what answers there is no engine of labctl"
            raise LabctlError(message)
        answer, wanted = answer_to(hello, token)
        line.sendall(answer)
        if not hmac.compare_digest(_proof_of(line, name), wanted):
            raise RefusedError(name, "the engine does not know the token", "is it the right one?")
    except BaseException:
        line.close()
        raise
    return _channel(line)


def _proof_of(line: socket.socket, name: str) -> bytes:
    try:
        return _exactly(line, PROOF_BYTES, _CALL_S)
    except ConnectionError as error:
        hint = "give it the one that the set-up of the engine names"
        raise RefusedError(name, "the engine refuses the token", hint) from error


def _knows(caller: socket.socket, token: bytes) -> bool:
    greeting = Greeting(token)
    caller.settimeout(_ANSWER_S)
    caller.sendall(greeting.hello)
    proof = greeting.proof_for(_exactly(caller, ANSWER_BYTES, _ANSWER_S))
    if proof is None:
        return False
    caller.sendall(proof)
    return True


def _exactly(line: socket.socket, count: int, within_s: float) -> bytes:
    """Read so many bytes and not one more; raises OSError if they do not come in time."""
    end_s, found = monotonic() + within_s, b""
    while len(found) < count:
        line.settimeout(max(end_s - monotonic(), 0.001))
        more = line.recv(count - len(found))
        if not more:
            message = "the other side has hung up"
            raise ConnectionResetError(message)
        found += more
    return found


def _channel(line: socket.socket) -> Channel:
    line.settimeout(None)
    return Channel(Connection(line.detach()))
