"""The engine as a server of its own, and how windows find it, attach to it and ask it.

``python -m labctl.host.server REQUEST`` owns the instruments of one set-up. Windows find it by a
file that only the user may read, and talk to it over an authenticated loopback connection; see
``docs/spec/engine_channel.md`` for what travels. The engine goes on when they go.
"""

from labctl.channels import Arrays, Head, pack, unpack
from labctl.host.server._client import EngineClient, attach, start_engine
from labctl.host.server._engine import serve_engine
from labctl.host.server._rendezvous import place_of
from labctl.host.server._request import EngineRequest

__all__ = [
    "Arrays",
    "EngineClient",
    "EngineRequest",
    "Head",
    "attach",
    "pack",
    "place_of",
    "serve_engine",
    "start_engine",
    "unpack",
]
