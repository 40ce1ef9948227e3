"""The engine as a server of its own, and how windows find it, attach to it and ask it.

``python -m labctl.host.server REQUEST`` owns the instruments of one set-up. Windows find it by a
file that only the user may read, and talk to it over an authenticated loopback connection; those of
other computers get in only where the set-up says so, with a token. ``docs/spec/engine_channel.md``
tells what travels. The engine goes on when they go.
"""

from labctl.channels import Arrays, Head, pack, unpack
from labctl.host.server._client import EngineClient, FarEngine, attach, attach_to, start_engine
from labctl.host.server._engine import serve_engine
from labctl.host.server._rendezvous import place_of
from labctl.host.server._request import EngineRequest
from labctl.host.server._token import read_token, token_in

__all__ = [
    "Arrays",
    "EngineClient",
    "EngineRequest",
    "FarEngine",
    "Head",
    "attach",
    "attach_to",
    "pack",
    "place_of",
    "read_token",
    "serve_engine",
    "start_engine",
    "token_in",
    "unpack",
]
