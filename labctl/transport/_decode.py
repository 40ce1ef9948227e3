"""What a codec tells a transport about the bytes that have come so far."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

__all__ = ["Decoder", "GarbledBytesError", "RefusalError"]

T = TypeVar("T")

Decoder: TypeAlias = Callable[[bytes], T | None]
"""Takes every byte since the request; None while the reply is incomplete."""


class GarbledBytesError(ValueError):
    """The bytes cannot become a reply of this protocol, whatever follows."""


class RefusalError(Exception):
    """The reply is complete and says no."""

    def __init__(self, reply: str, remedy: str = "") -> None:
        """Keep the instrument's words and what to do about them."""
        self.reply, self.remedy = reply, remedy
        super().__init__(reply)
