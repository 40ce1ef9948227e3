"""The process of a vendor library, as it is within: builds what calls the library, obeys it."""

import faulthandler
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from labctl.channels import Channel, connect
from labctl.errors import DeviceError, RefusedError
from labctl.transport._library_link import LibraryLink
from labctl.transport._recorder import plain_argument
from labctl.transport.isolated._room import Room
from labctl.transport.isolated._values import decode, encode

__all__ = ["main"]


class _Servant:
    """Carries out the orders of the driver's side, all of them on one thread."""

    def __init__(self, channel: Channel, room: Room) -> None:
        self._channel, self._room = channel, room
        self._log: list[list[Any]] = []
        self._device = ""
        self._target: Any = None

    def serve(self) -> None:
        while "end" not in (order := self._order()):
            self._carry_out(order)

    def _order(self) -> Any:
        return decode(self._channel.receive_packet())

    def _carry_out(self, order: Mapping[str, Any]) -> None:
        number = order["number"]
        try:
            packet = self._told(number=number, returned=self._result(order))
        except (DeviceError, RefusedError) as error:
            packet = self._told(number=number, failed=error)
        # A mistake in a driver belongs to its caller, and must not look like a crash.
        except Exception as error:
            traceback.print_exc()
            what = f"{type(error).__name__}: {error}"
            failed = DeviceError(self._device, str(order.get("method", "open")), what)
            packet = self._told(number=number, failed=failed)
        self._channel.send_packet(packet)

    def _result(self, order: Mapping[str, Any]) -> Any:
        if "open" in order:
            return self._open(order["open"])
        found = getattr(self._target, order["method"])
        return found(*order["arguments"], **order["named"]) if "arguments" in order else found

    def _open(self, order: Mapping[str, Any]) -> None:
        sys.path[:] = order["path"]
        self._device, stand_in = order["device"], order["stand_in"]
        library = resolve_name(stand_in)(self._ask_world) if stand_in else None
        link = LibraryLink(library, self._note, entered=self._enter)
        kind = resolve_name(order["kind"])
        self._target = kind(self._device, link, *order["arguments"], **order["named"])

    def _note(self, function: str, arguments: tuple[Any, ...], result: Any) -> None:
        self._log.append([function, [plain_argument(a) for a in arguments], plain_argument(result)])

    def _enter(self, function: str) -> None:
        self._channel.send_packet(self._told(entered=function))

    def _ask_world(self, method: str, arguments: list[Any]) -> Any:
        self._channel.send_packet(self._told(asked=[method, arguments]))
        answer = self._order()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def _told(self, **fields: Any) -> bytes:
        """Return a message, with what was called since the last one."""
        packet = encode({"log": self._log, **fields}, self._room)
        self._log = []
        return packet


def _end_with_parent() -> None:
    """Wait until the driver's process is gone, which ends the input.

    Whatever the library does at that moment, the system closes its instrument then, so that
    others can have it.
    """
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Be the child; a crash writes its traceback to the output, which the parent keeps."""
    faulthandler.enable()
    key = sys.stdin.readline().strip()
    threading.Thread(target=_end_with_parent, name="end of the driver", daemon=True).start()
    channel = connect(int(sys.argv[1]), key.encode())
    with suppress(EOFError, OSError):
        _Servant(channel, Room(Path(sys.argv[2]))).serve()
    # Without the clearing up of Python and of the library: the instrument is closed already.
    os._exit(0)
