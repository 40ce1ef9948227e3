r"""Codec of the SC10 shutter controller: CR ends a command; echo, value line and ``> `` answer.

Facts: SC10 manual and InstrumentKit's driver.
"""

from enum import StrEnum

from labctl.transport import GarbledBytesError
from labctl_drivers.thorlabs._echo_wire import lines_after_echo

__all__ = ["MANUAL_MODE", "Command", "decode_flag", "decode_nothing", "decode_value", "encode"]

_MODEL = "an SC10"
MANUAL_MODE = 1


class Command(StrEnum):
    """The commands in use; ``ens`` without question mark changes the state to the other one."""

    IDENTITY = "id?"
    TOGGLE = "ens"
    ENABLED = "ens?"
    CLOSED = "closed?"
    INTERLOCK = "interlock?"
    MODE = "mode?"
    SET_MANUAL_MODE = "mode=1"


def encode(command: Command) -> bytes:
    """Return the bytes of a command."""
    return f"{command}\r".encode("ascii")


def decode_value(data: bytes, command: Command) -> str | None:
    """Decode the value line after the echo.

    Raises:
        GarbledBytesError: Another echo, no value or several.
        RefusalError: The controller does not know the command.
    """
    lines = lines_after_echo(data, command, _MODEL)
    if lines is None:
        return None
    if len(lines) != 1 or not lines[0].isprintable():
        raise GarbledBytesError("not one value")
    return lines[0]


def decode_flag(data: bytes, command: Command) -> bool | None:
    """Decode a value that is 0 or 1.

    Raises:
        GarbledBytesError: Anything else.
        RefusalError: The controller does not know the command.
    """
    value = decode_value(data, command)
    if value not in (None, "0", "1"):
        raise GarbledBytesError("neither 0 nor 1")
    return None if value is None else value == "1"


def decode_nothing(data: bytes, command: Command) -> str | None:
    """Decode the answer to an order: the echo alone.

    Raises:
        GarbledBytesError: Anything but the echo.
        RefusalError: The controller does not know the command.
    """
    lines = lines_after_echo(data, command, _MODEL)
    if lines:
        raise GarbledBytesError("a value where none belongs")
    return None if lines is None else ""
