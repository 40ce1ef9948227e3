"""The seam between a simulator and whatever carries its bytes; nothing here knows about sockets."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

Send: TypeAlias = Callable[[bytes], None]
"""Sends bytes to the client, at any later moment too; empty bytes end the connection."""


class Session(Protocol):
    """One client's conversation with a simulator. Both methods are called with the world locked."""

    def receive(self, data: bytes) -> None:
        """Take what has arrived: any part of a command, or several commands."""
        ...

    def closed(self) -> None:
        """Take note that the client has gone."""
        ...


Opener: TypeAlias = Callable[[Send], Session]
"""Begins a conversation with a new client."""


class Timeline(Protocol):
    """The part of the world that things on a wire need: the time, and actions that come later."""

    @property
    def now(self) -> Callable[[], float]:
        """Give the time in seconds."""
        ...

    def after(self, delay_s: float, action: Callable[[], None], /) -> Callable[[], None]:
        """Do ``action`` in ``delay_s`` seconds; the returned function cancels it."""
        ...
