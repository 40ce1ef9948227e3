"""A line to a served set-up on this computer, so that faults can be injected from outside."""

import json
import os
import secrets
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from labctl.errors import ConfigError, LabctlError
from labctl.host import Rig

__all__ = ["Translate", "inject", "listening"]

Translate = Callable[[str, str, dict[str, Any]], dict[str, Any]]
"""Instrument, kind and parameters as a set-up file has them → parameters of the simulator."""

_LOOPBACK = "127.0.0.1"


@contextmanager
def listening(rig: Rig, translate: Translate) -> Generator[None]:
    """Take faults for ``rig`` while the block runs; its address is left in a file of the user's."""
    key = secrets.token_bytes(16)
    with Listener((_LOOPBACK, 0), authkey=key) as listener:
        address: Any = listener.address
        _leave({"port": address[1], "key": key.hex(), "pid": os.getpid()})
        thread = threading.Thread(
            target=_serve, args=(listener, rig, translate), name="labctl-sim-control", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            _place().unlink(missing_ok=True)
            _end(address[1], key)
            thread.join()


def inject(instrument: str, kind: str, parameters: dict[str, Any]) -> None:
    """Let an instrument of the set-up that is being served fail.

    Raises:
        LabctlError: Nothing is being served, or the set-up refuses.
    """
    try:
        found = json.loads(_place().read_text(encoding="utf-8"))
        request = {"instrument": instrument, "kind": kind, "parameters": parameters}
        answer = _ask(int(found["port"]), bytes.fromhex(found["key"]), request)
    except (OSError, ValueError, EOFError, AuthenticationError) as error:
        message = "no simulated set-up is being served; start one with: labctl sim serve SETUP"
        raise LabctlError(message) from error
    if answer:
        raise LabctlError(answer)


def _serve(listener: Listener, rig: Rig, translate: Translate) -> None:
    while True:
        try:
            with listener.accept() as connection:
                request = json.loads(connection.recv_bytes())
                if not request:
                    return
                connection.send_bytes(_answer(rig, translate, request).encode())
        except (OSError, EOFError, ValueError, AuthenticationError):
            continue


def _answer(rig: Rig, translate: Translate, request: dict[str, Any]) -> str:
    instrument, kind = request["instrument"], request["kind"]
    try:
        rig.inject(instrument, kind, **translate(instrument, kind, request["parameters"]))
    except ConfigError as error:
        return str(error)
    except (KeyError, ValueError, TypeError) as error:
        return str(error.args[0] if error.args else error)
    return ""


def _ask(port: int, key: bytes, request: dict[str, Any]) -> str:
    with Client((_LOOPBACK, port), authkey=key) as connection:
        connection.send_bytes(json.dumps(request).encode())
        return connection.recv_bytes().decode()


def _end(port: int, key: bytes) -> None:
    with Client((_LOOPBACK, port), authkey=key) as connection:
        connection.send_bytes(b"{}")


def _leave(found: dict[str, Any]) -> None:
    path = _place()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    # The key lets others steer the simulation, so the file is the user's alone.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(found, file)


def _place() -> Path:
    return user_state_path("labctl") / "served.json"
