"""Talk between processes: authenticated, plain values, never code.

All of it stays on this computer, but for a ``Door`` that a set-up asks for.
"""

from labctl.channels._call import accept_from
from labctl.channels._channel import Channel, connect, listen
from labctl.channels._door import Door, call_door
from labctl.channels._packet import Arrays, Head, pack, unpack

__all__ = [
    "Arrays",
    "Channel",
    "Door",
    "Head",
    "accept_from",
    "call_door",
    "connect",
    "listen",
    "pack",
    "unpack",
]
