"""One request in flight: what has come of its answer, and what became of it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from labctl.errors import (
    ConnectionLostError,
    DeviceError,
    DeviceRefusedError,
    GarbledReplyError,
    NoReplyError,
)
from labctl.transport._decode import Decoder, GarbledBytesError, RefusalError

__all__ = ["Request"]

T = TypeVar("T")

_LIMIT_BYTES = 1 << 22
_SHOWN_BYTES = 200


class Request(Generic[T]):
    """A command that was sent and whose answer is awaited.

    Made by ``Transport.begin``; ask ``ready()`` until it is true, then take ``value``.
    """

    def __init__(
        self,
        device: str,
        command: str,
        decode: Decoder[T],
        deadline_s: float,
        pump: Callable[[], None],
        at_end: Decoder[T] | None,
    ) -> None:
        """``pump`` brings bytes in by calling ``feed``, ``end`` or ``expire``."""
        self.device, self.command, self.deadline_s = device, command, deadline_s
        self._decode, self._pump, self._at_end = decode, pump, at_end
        self._received = b""
        self._values: list[T] = []
        self.error: DeviceError | None = None

    @property
    def done(self) -> bool:
        """Whether the answer, or an error, is there; does not look for new bytes."""
        return bool(self._values) or self.error is not None

    def ready(self) -> bool:
        """Look for new bytes; whether the answer is complete.

        Raises:
            NoReplyError: The deadline has passed or the connection has ended.
            GarbledReplyError: The bytes are no answer of this protocol.
            DeviceRefusedError: The answer is a refusal.
        """
        if not self.done:
            self._pump()
        if self.error is not None:
            raise self.error
        return bool(self._values)

    @property
    def value(self) -> T:
        """The decoded answer; only after ``ready()`` was true."""
        return self._values[0]

    def feed(self, data: bytes) -> None:
        """Take bytes and try to decode what is there."""
        self._received += data
        if len(self._received) > _LIMIT_BYTES:
            self.error = GarbledReplyError(self.device, self.command, "an endless reply")
            return
        self._try(self._decode)

    def end(self, why: str) -> None:
        """Take note that nothing more will come."""
        if self._at_end is not None and self._received:
            self._try(self._at_end)
        if not self.done:
            what = f"{why}{self._so_far()}"
            remedy = "check power and cable"
            self.error = ConnectionLostError(self.device, self.command, what, remedy)

    def expire(self, timeout_s: float) -> None:
        """Take note that the deadline has passed."""
        what = f"no reply within {timeout_s:g} s{self._so_far()}"
        self.error = self._no_reply(what, "is the instrument switched on and free?")

    def abandon(self, why: str) -> None:
        """Give up waiting."""
        self.error = self._no_reply(why, "ask again")

    def _try(self, decode: Decoder[T]) -> None:
        try:
            value = decode(self._received)
        except GarbledBytesError as error:
            reply = f"{_shown(self._received)}: {error}"
            remedy = "check cable, address and the settings of the line"
            self.error = GarbledReplyError(self.device, self.command, reply, remedy)
        except RefusalError as refusal:
            reply, remedy = refusal.reply, refusal.remedy
            self.error = DeviceRefusedError(self.device, self.command, reply, remedy)
        else:
            if value is not None:
                self._values.append(value)

    def _no_reply(self, what: str, remedy: str) -> NoReplyError:
        return NoReplyError(self.device, self.command, what, remedy)

    def _so_far(self) -> str:
        return f", only {_shown(self._received)}" if self._received else ""


def _shown(data: bytes) -> str:
    cut = f"{data[:_SHOWN_BYTES]!r}"
    return f"{cut} and {len(data) - _SHOWN_BYTES} bytes more" if len(data) > _SHOWN_BYTES else cut
