"""SCPI as an instrument understands it: short and long words, paths that go on, an error queue.

IEEE 488.2 and SCPI-99, vol. 1, chapter 6: a header after a semicolon goes on where the one before
was, unless it begins with a colon or a star.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping

Handler = Callable[[str], str | None]
_WORD = re.compile(r"([A-Z]+)([a-z]+)")
_PIECE = re.compile(r"""(?:"[^"]*"|'[^']*'|[^;"'])+""")
_QUEUE = 10


class ScpiError(Exception):
    """An entry for the error queue."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text
        super().__init__(f"{code},{text}")


class Scpi:
    """Finds the handler of a header; keeps what went wrong.

    Args:
        handlers: Header as the manual prints it, such as ``SOURce[:LEVel]`` or ``OUTPut?``, to
            what is done with its argument.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = [(_pattern(header), handler) for header, handler in handlers.items()]
        self.errors: deque[ScpiError] = deque()

    def run(self, line: str) -> str | None:
        """Carry out a line; gives the answers with semicolons between them, None if there are none.

        An error ends the line, but the answers before it are sent.
        """
        answers: list[str] = []
        path = ""
        for piece in _PIECE.findall(line):
            header, _, argument = piece.strip().partition(" ")
            if not header:
                continue
            whole = header if header[0] in ":*" else path + header
            path = path if header[0] == "*" else whole[: whole.rfind(":") + 1]
            try:
                answer = self._handler(whole.lstrip(":"))(argument.strip())
            except ScpiError as error:
                self.note(error)
            else:
                answers += [] if answer is None else [answer]
        return ";".join(answers) if answers else None

    def note(self, error: ScpiError) -> None:
        """Put an error into the queue; the last place says that there were more."""
        if len(self.errors) < _QUEUE:
            self.errors.append(error)
        else:
            self.errors[-1] = ScpiError(-350, "Queue overflow")

    def _handler(self, header: str) -> Handler:
        for pattern, handler in self._handlers:
            if pattern.fullmatch(header):
                return handler
        raise ScpiError(-113, "Undefined header")


def number(text: str, low: float, high: float) -> float:
    """Read a number in a range.

    Raises:
        ScpiError: It is none, or out of the range.
    """
    try:
        value = float(text)
    except ValueError:
        raise ScpiError(-104, "Data type error") from None
    if not low <= value <= high:
        raise ScpiError(-222, "Parameter data out of range")
    return value


def flag(text: str) -> bool:
    """Read ON, OFF, 1 or 0.

    Raises:
        ScpiError: It is none of them.
    """
    words = {"1": True, "ON": True, "0": False, "OFF": False}
    if text.upper() not in words:
        raise ScpiError(-104, "Data type error")
    return words[text.upper()]


def _pattern(header: str) -> re.Pattern[str]:
    text = header.replace("*", r"\*").replace("?", r"\?").replace("[", "(?:").replace("]", ")?")
    # "(?:" contains a question mark of its own, which must not be escaped: brackets come last.
    return re.compile(_WORD.sub(r"\1(?:\2)?", text), re.IGNORECASE)
