"""Framing of the legacy Cryostation: two decimal digits of length, then so many characters."""

_DIGITS = 2
_LONGEST = 99


class UnframedError(Exception):
    """What came does not begin with two digits."""


class FrameReader:
    """Collects bytes and gives whole texts."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes, any part of a frame or several frames."""
        self._buffer += data

    def next_text(self) -> str | None:
        """Give the next whole text, None if there is none yet.

        Raises:
            UnframedError: The buffer did not begin with two digits; all of it has been dropped.
        """
        if len(self._buffer) < _DIGITS:
            return None
        digits = bytes(self._buffer[:_DIGITS])
        if not digits.isdigit():
            self._buffer.clear()
            raise UnframedError(repr(digits))
        end = _DIGITS + int(digits)
        if len(self._buffer) < end:
            return None
        text = self._buffer[_DIGITS:end].decode("ascii", "replace")
        del self._buffer[:end]
        return text


def frame(text: str) -> bytes:
    """Put the length before a text.

    Raises:
        ValueError: The text is longer than two digits can say.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"a reply has at most {_LONGEST} characters, this one {len(text)}")
    return f"{len(text):02d}{text}".encode("ascii")
