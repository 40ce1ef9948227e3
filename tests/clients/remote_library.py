"""A stand-in for a PicoQuant library in a client's process; the module answers behind a port."""

import base64
import json
import socket
import sys
from importlib import import_module
from typing import Any


class Remote:
    """Carries calls to the module as lines of JSON."""

    def __init__(self, host: str, port: str) -> None:
        self._file = socket.create_connection((host, int(port))).makefile("rwb")

    def __call__(self, method: str, arguments: list[Any]) -> Any:
        self._file.write(json.dumps([method, arguments]).encode() + b"\n")
        self._file.flush()
        code: int
        values: list[Any]
        code, values = json.loads(self._file.readline())
        return code, [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    coded = isinstance(value, str) and value.startswith("base64:")
    return base64.b64decode(value.partition(":")[2]) if coded else value


def library(model: str, host: str, port: str, folder: str) -> Any:
    """Build the library object; nothing else of the simulators is loaded."""
    sys.path.append(folder)
    face = import_module("labctl_sim.picoquant._face")
    functions = import_module("labctl_sim.picoquant._functions")
    table = getattr(functions, f"{model}_FUNCTIONS")
    return face.picoquant_library(model, table, Remote(host, port))
