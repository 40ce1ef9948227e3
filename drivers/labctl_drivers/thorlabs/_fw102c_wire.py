r"""Codec of the FW102C filter wheel: CR ends a command; echo, value line and ``> `` answer.

Facts: FW102C manual and pyLabLib's driver. The prompt after ``pos=n`` comes when the wheel stands.
"""

from labctl.transport import GarbledBytesError
from labctl_drivers.thorlabs._echo_wire import lines_after_echo

__all__ = ["decode_number", "decode_order", "decode_text", "encode"]

_MODEL = "an FW102C or FW212C of firmware 1.06 or later"


def encode(command: str) -> bytes:
    """Return the bytes of a command."""
    return f"{command}\r".encode("ascii")


def decode_text(data: bytes, command: str) -> str | None:
    """Decode the value line after the echo.

    Raises:
        GarbledBytesError: Another echo, no value or several.
        RefusalError: The wheel does not know the command.
    """
    lines = lines_after_echo(data, command, _MODEL)
    if lines is not None and (len(lines) != 1 or not lines[0].isprintable()):
        raise GarbledBytesError("not one value")
    return None if lines is None else lines[0]


def decode_number(data: bytes, command: str) -> int | None:
    """Decode a whole number.

    Raises:
        GarbledBytesError: Anything else.
        RefusalError: The wheel does not know the command.
    """
    text = decode_text(data, command)
    if text is not None and not text.isdecimal():
        raise GarbledBytesError("not a whole number")
    return None if text is None else int(text)


def decode_order(data: bytes, command: str) -> str | None:
    """Decode the answer to an order: the echo alone.

    Raises:
        GarbledBytesError: Anything but the echo.
        RefusalError: The wheel does not know the command, or its argument.
    """
    lines = lines_after_echo(data, command, _MODEL)
    if lines:
        raise GarbledBytesError("a value where none belongs")
    return None if lines is None else ""
