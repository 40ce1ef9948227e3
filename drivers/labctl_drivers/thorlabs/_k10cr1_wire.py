"""What APT messages say of a K10CR1 rotation mount: steps, status bits, moves.

Facts: Thorlabs APT Controllers Host-Controller Communications Protocol, and QMI's driver of the
mount. Integers are little-endian.
"""

import struct

from labctl.transport import GarbledBytesError
from labctl_drivers.thorlabs._apt_wire import Message, encode_short

__all__ = [
    "CHANNEL",
    "GET_HARDWARE",
    "GET_POSITION",
    "GET_STATUS",
    "GET_VELOCITY",
    "HOMED",
    "HOMING",
    "MOVING",
    "STOP_UPDATES",
    "UNASKED",
    "angle_of",
    "encode_home",
    "encode_move",
    "encode_stop",
    "fault_text",
    "read_speed",
    "read_steps",
    "steps_of",
]

GET_HARDWARE, STOP_UPDATES = 0x0005, 0x0012
GET_POSITION, GET_VELOCITY, GET_STATUS = 0x0411, 0x0414, 0x0429
UNASKED = (0x0444, 0x0464, 0x0466, 0x0481, 0x0491)
"""Home found, move completed, stopped, updates: told without a question."""
CHANNEL = 1
MOVING = 0x2F0
HOMING, HOMED = 0x200, 0x400

_HOME, _MOVE, _STOP = 0x0443, 0x0453, 0x0465
_PROFILED = 2
_LONG = struct.Struct("<HHBBHi")
_STEPS_PER_DEG = 409600.0 / 3.0
_SPEED_PER_DEG_S = 7329109.0
_FAULTS = {
    0x4000: "motion error",
    0x1000000: "motor overload",
    0x4000000: "over-current",
    0x40000000: "error",
}


def steps_of(angle_deg: float) -> int:
    """Return microsteps from the home, 136 533.33 per deg."""
    return round(angle_deg * _STEPS_PER_DEG)


def angle_of(steps: int) -> float:
    """Return the angle from the home, deg; whole turns are kept."""
    return steps / _STEPS_PER_DEG


def encode_home() -> bytes:
    """Return the order to search for the home switch."""
    return encode_short(_HOME, CHANNEL)


def encode_stop() -> bytes:
    """Return the order to slow down and stop."""
    return encode_short(_STOP, CHANNEL, _PROFILED)


def encode_move(steps: int) -> bytes:
    """Return the order to move to an absolute position."""
    return _LONG.pack(_MOVE, 6, 0x50 | 0x80, 0x01, CHANNEL, steps)


def read_steps(message: Message) -> int:
    """Return the position behind the channel number.

    Raises:
        GarbledBytesError: The message has another length.
    """
    if len(message.data) != 6:
        raise GarbledBytesError("not six bytes of position")
    (steps,) = struct.unpack_from("<i", message.data, 2)
    return steps


def read_speed(message: Message) -> float:
    """Return the largest speed, deg/s, behind channel number, least speed and acceleration.

    Raises:
        GarbledBytesError: The message has another length.
    """
    if len(message.data) != 14:
        raise GarbledBytesError("not fourteen bytes of velocity parameters")
    (speed,) = struct.unpack_from("<i", message.data, 10)
    return speed / _SPEED_PER_DEG_S


def fault_text(status: int) -> str:
    """Return what the status bits complain of, or an empty string."""
    return ", ".join(text for bit, text in _FAULTS.items() if status & bit)
