"""The process of a vendor library, as the driver's side has it."""

import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from labctl.channels import Channel, accept_from, listen
from labctl.errors import ConnectionLostError, LabctlError
from labctl.transport._recorded_library import Record
from labctl.transport.isolated._room import Room
from labctl.transport.isolated._values import decode, encode
from labctl.transport.isolated._watchdog import Watchdog

__all__ = ["Isolation", "LibraryProcess", "StandIn"]

_CHILD = "labctl.transport.isolated"
_START_S = 60.0
"""Until Python has started and the library is loaded, on a computer with much to do."""
_END_S = 2.0
_LOOK_S = 0.2
"""On Windows, only a wait that ends by itself lets an interrupt of the terminal through."""
_LAST_WORDS = 2000
_REMEDY = (
    "it is loaded anew by the next connection; if this comes back, switch the instrument off and"
    " on, and install the vendor's newest library"
)


@dataclass(frozen=True)
class StandIn:
    """A simulated library that another process can build for itself.

    Attributes:
        build: ``module:function``; the function is given ``call`` and returns the library object.
        call: Answers method and plain arguments with plain values; called in this process.
        gone: Told when the process that had the library has ended.
    """

    build: str
    call: Callable[[str, list[Any]], Any]
    gone: Callable[[], None]


@dataclass(frozen=True)
class Isolation:
    """That a library is to live in a process of its own.

    Attributes:
        longest_call_s: A function that has not returned after so much wall time is given up, s;
            drivers allow more for the functions that are known to be slow.
        stand_in: Takes the place of the vendor's library.
    """

    longest_call_s: float = 5.0
    stand_in: StandIn | None = None


class LibraryProcess:
    """A child process with one library in it; one call at a time.

    Attributes:
        pid: Of the child.
    """

    def __init__(
        self,
        device: str,
        isolation: Isolation,
        record: Record | None,
        slow_s: Mapping[str, float],
    ) -> None:
        """Start it.

        Args:
            device: Name of the instrument.
            isolation: What the set-up says.
            record: Told of every call into the library.
            slow_s: By the end of a function's name: longest time of a function, s.

        Raises:
            ConnectionLostError: It ended, or did not begin.
        """
        self._device, self._isolation, self._record = device, isolation, record
        self._slow_s = slow_s
        self._number = 0
        self._lock = threading.Lock()
        self._lost = ""
        self._output, self._room = tempfile.TemporaryFile(), Room()
        self._messages: SimpleQueue[bytes | None] = SimpleQueue()
        self._process, self._channel = self._started()
        self.pid = self._process.pid
        # Messages come in on a thread of their own, so that no interrupt cuts one in two.
        self._reader = threading.Thread(
            target=self._receive, name=f"library of {device}", daemon=True
        )
        self._reader.start()

    def ask(self, order: Mapping[str, Any], what: str, first_s: float | None = None) -> Any:
        """Have something done in the child; returns what comes out.

        Args:
            order: For the child.
            what: What is done, in words, for errors outside of any function of the library.
            first_s: Longest time until a function is entered, s; None: the usual one.

        Raises:
            ConnectionLostError: The library has crashed or hangs; the process is gone.
            LabctlError: Whatever the driver's class raises there.
        """
        usual_s = self._isolation.longest_call_s
        with self._lock:
            watchdog = Watchdog(usual_s, self._slow_s, usual_s if first_s is None else first_s)
            if self._lost:
                raise ConnectionLostError(self._device, what, self._lost, _REMEDY)
            # Answers to calls that an interrupt broke off are known by their number.
            self._number += 1
            try:
                self._send({**order, "number": self._number})
                return self._answer(self._number, watchdog)
            except (EOFError, OSError) as error:
                self._crashed()
                command = watchdog.function or what
                raise ConnectionLostError(self._device, command, self._lost, _REMEDY) from error

    def end(self) -> None:
        """End the child, which has closed its instrument; safe to call twice."""
        with self._lock:
            if not self._lost:
                with suppress(OSError):
                    self._send({"end": True})
                self._give_up("the library's process was ended")

    def _started(self) -> "tuple[subprocess.Popen[bytes], Channel]":
        key = secrets.token_hex(32)
        listener, port = listen(key.encode())
        ends_s = monotonic() + _START_S
        with listener:
            process = subprocess.Popen(
                [sys.executable, "-m", _CHILD, str(port), str(self._room.path)],
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,  # Ctrl-C is none of its business
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            with suppress(OSError):  # it has died; that is seen below
                if process.stdin is not None:
                    # It stays open: its end tells the child that this process is gone.
                    process.stdin.write(key.encode() + b"\n")
                    process.stdin.flush()
            channel = accept_from(
                listener, port, alive=lambda: process.poll() is None and monotonic() < ends_s
            )
        if channel is None:
            process.kill()
            what = f"it has not begun (status {process.wait()})"
            self._give_back(process)
            raise ConnectionLostError(self._device, "start the library's process", what, _REMEDY)
        return process, channel

    def _receive(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._messages.put(self._channel.receive_packet())
        self._messages.put(None)

    def _send(self, value: object) -> None:
        self._channel.send_packet(encode(value))

    def _answer(self, number: int, watchdog: Watchdog) -> Any:
        while True:
            message = self._next(watchdog)
            for function, arguments, result in message["log"]:
                if self._record is not None:
                    self._record(function, tuple(arguments), result)
            if "entered" in message:
                watchdog.entered(message["entered"])
            elif "asked" in message:
                method, arguments = message["asked"]
                watchdog.pardon(self._answer_world(method, arguments))
            elif message["number"] == number:
                if "failed" in message:
                    raise message["failed"]
                return message["returned"]

    def _next(self, watchdog: Watchdog) -> Any:
        while (left_s := watchdog.left_s()) > 0.0:
            try:
                packet = self._messages.get(timeout=min(left_s, _LOOK_S))
            except Empty:
                continue
            if packet is None:
                raise EOFError
            return decode(packet, self._room)
        self._process.kill()
        what = f"it has not returned within {watchdog.limit_s:g} s; its process was ended"
        self._give_up(what)
        raise EOFError

    def _answer_world(self, method: str, arguments: list[Any]) -> float:
        """Let the simulated instrument answer its library; returns the time that this took, s."""
        began_s, stand_in = monotonic(), self._isolation.stand_in
        if stand_in is None:
            raise EOFError
        answer: dict[str, Any] = {"error": "interrupted"}
        try:
            answer = {"value": stand_in.call(method, arguments)}
        # Whatever goes wrong in the world is told to the child's library, as in this process.
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        finally:
            self._send(answer)
        return monotonic() - began_s

    def _crashed(self) -> None:
        if not self._lost:
            self._give_up("")

    def _give_up(self, why: str) -> None:
        code = self._ended()
        self._lost = why or f"the library's process has crashed ({_name_of(code)})"
        self._channel.hang_up()
        self._reader.join()
        self._channel.close()
        self._tell_last_words(code)
        self._give_back(self._process)
        if self._isolation.stand_in is not None:
            # Where a simulated world is gone, too, there is nobody to be told.
            with suppress(LabctlError):
                self._isolation.stand_in.gone()

    def _ended(self) -> int:
        try:
            return self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        try:
            return self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            # It is caught in the system's own driver; nothing but a restart ends it.
            return 0

    def _give_back(self, process: "subprocess.Popen[bytes]") -> None:
        self._output.close()
        self._room.close()
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()

    def _tell_last_words(self, code: int) -> None:
        self._output.seek(0)
        said = self._output.read().decode(errors="replace")[-_LAST_WORDS:]
        if said and code and self._record is not None:
            self._record("(the library's process)", (said,), self._lost)


def _name_of(code: int) -> str:
    """Return what a status means: the signal, on Windows the exception."""
    if -code in {int(one) for one in signal.Signals}:
        return signal.Signals(-code).name
    return f"status {code}" if code < 0x80000000 else f"exception {code:#x}"
