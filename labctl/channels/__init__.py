"""Talk between processes of this computer: local, authenticated, plain values, never code."""

from labctl.channels._call import accept_from
from labctl.channels._channel import Channel, connect, listen
from labctl.channels._packet import Arrays, Head, pack, unpack

__all__ = ["Arrays", "Channel", "Head", "accept_from", "connect", "listen", "pack", "unpack"]
