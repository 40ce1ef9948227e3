"""Waiting for a child process to call, or to die before it does."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener

from labctl.channels._channel import Channel

__all__ = ["accept_from"]

_LOOK_S = 0.05


def accept_from(listener: Listener, port: int, *, alive: Callable[[], bool]) -> Channel | None:
    """Wait for a caller who knows the key; None when ``alive()`` is false before one comes."""
    found: list[Channel] = []
    given_up = threading.Event()

    def wait() -> None:
        while not found and not given_up.is_set():
            # Somebody else's knock, or the one that ends the waiting.
            with suppress(OSError, EOFError, AuthenticationError):
                found.append(Channel(listener.accept()))

    waiting = threading.Thread(target=wait, name="call of the engine", daemon=True)
    waiting.start()
    try:
        while waiting.is_alive() and alive():
            waiting.join(_LOOK_S)
    finally:
        if waiting.is_alive():
            given_up.set()
            # Closing the listener would not wake the thread.
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
            waiting.join()
    return found[0] if found else None
