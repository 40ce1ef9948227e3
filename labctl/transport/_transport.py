"""Transport: one connection to one instrument, one request in flight, deadlines in clock time."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from labctl.clock import Clock
from labctl.errors import (
    ConnectionLostError,
    DeviceError,
    DeviceRefusedError,
    NoReplyError,
    RefusedError,
)
from labctl.transport._decode import Decoder
from labctl.transport._port import Port
from labctl.transport._recorder import FlightRecorder
from labctl.transport._request import Request

__all__ = ["Tap", "Transport"]

T = TypeVar("T")
Cancel = Callable[[], None]

_QUIET_S = 0.25
_BACK_OFF_S = (0.0, 0.0, 10.0)
"""After so many failures the connection is not tried again before so long, s."""
_LONGEST_NOISE_S = 10.0


class Tap(Protocol):
    """Stands in the line and may change what passes; the hook for injected faults."""

    def outgoing(self, data: bytes) -> bytes:
        """Return what is sent instead of ``data``; raises OSError for a dead line."""
        ...

    def incoming(self, data: bytes) -> bytes:
        """Return what is received instead of ``data``; raises OSError for a dead line."""
        ...


class Transport:
    """Carries requests to an instrument and its answers back; never asks twice at once.

    No text protocol here numbers its answers, so an answer that comes after its deadline would
    be taken for the next one. After any doubt (no answer, a garbled one) the connection is
    therefore brought into a known state before the next request: reopened where that loses what
    is still under way, drained until it is quiet, and the instrument's identity asked again.

    Attributes:
        name: The instrument's name in the set-up.
        clock: The time that deadlines are measured in.
        after_reconnect: Set by the driver: asks who answers and restores its settings; raises
            if another unit answers. Its own requests pass.
        tap: Hook for injected faults.
    """

    def __init__(
        self,
        name: str,
        dial: Callable[[], Port],
        clock: Clock,
        recorder: FlightRecorder | None = None,
    ) -> None:
        """``dial`` opens a port or raises OSError."""
        self.name, self.clock = name, clock
        self.recorder = recorder or FlightRecorder(clock)
        self.after_reconnect: Callable[[], None] | None = None
        self.tap: Tap | None = None
        self._dial = dial
        self._port: Port | None = None
        self._request: Request[Any] | None = None
        self._alarm: Cancel | None = None
        self._inbox = b""
        self._doubt = False
        self._failures, self._failed_s = 0, 0.0
        self._lock = threading.RLock()

    def open(self) -> None:
        """Make the connection; does nothing if there is one.

        Raises:
            NoReplyError: Nobody answers at this address.
        """
        with self._lock:
            if self._port is None:
                self._open_port()

    @contextmanager
    def opening(self) -> Generator[None]:
        """Open, carry out what a driver needs before use, and close again if that fails."""
        self.open()
        try:
            yield
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection up; never fails, safe to call twice."""
        with self._lock:
            self._drop_request("the connection was closed")
            self._close_port()
            self._doubt = False

    def reconnect(self) -> None:
        """Open the connection anew and check who answers.

        Raises:
            DeviceError: Nobody answers, or another unit.
        """
        with self._lock:
            self._failures = 0
            self._recover(reopen=True)

    def flush(self) -> None:
        """Bring a connection in doubt back to a known state; an answer under way is given up.

        It is tried now, however often that has failed before.
        """
        with self._lock:
            self._failures = 0
            if self._request is not None:
                self._drop_request("given up")
                self._doubt = True
            if self._doubt and self._port is not None:
                self._recover(reopen=self._port.reopen_cures)

    def write(self, data: bytes, *, command: str) -> None:
        """Send bytes that are not answered.

        Raises:
            RefusedError: An answer is still awaited.
            NoReplyError: The connection is gone.
        """
        with self._lock:
            self._prepare(command)
            self._send(data, command)

    def poll(self) -> bool:
        """Return whether bytes are waiting; costs microseconds, never blocks."""
        with self._lock:
            if self._request is not None:
                raise self._busy("look for bytes")
            if self._port is None:
                raise self._unconnected("look for bytes")
            try:
                self._inbox += self._receive()
            except OSError as error:
                raise self._gone("look for bytes", error) from error
            return bool(self._inbox)

    def read_available(self) -> bytes:
        """Return the bytes that have come, empty if none have."""
        with self._lock:
            self.poll()
            received, self._inbox = self._inbox, b""
            return received

    def begin(
        self,
        data: bytes,
        decode: Decoder[T],
        *,
        command: str,
        timeout_s: float,
        at_end: Decoder[T] | None = None,
    ) -> Request[T]:
        """Drop what came late, send a request and return it; nothing here waits for the answer.

        Args:
            data: The bytes to send.
            decode: Gets every byte since the request; see ``Decoder``.
            command: How errors name it.
            timeout_s: Longest time to the complete answer, s of the clock.
            at_end: Decodes what had come when the peer closed the connection.

        Raises:
            RefusedError: Another answer is still awaited; nothing was sent.
            NoReplyError: The connection is gone and cannot be made again.
        """
        with self._lock:
            request = self._begin(data, decode, command, timeout_s, at_end)
            if self.clock.virtual:
                # Virtual time must stop at the deadline even if nothing else happens then.
                self._alarm = self.clock.call_every(timeout_s, lambda: None)
            return request

    def query(
        self,
        data: bytes,
        decode: Decoder[T],
        *,
        command: str,
        timeout_s: float,
        at_end: Decoder[T] | None = None,
    ) -> T:
        """Send a request and let clock time pass until its answer is there.

        Raises:
            RefusedError: Another answer is still awaited; nothing was sent.
            NoReplyError: No complete answer before the deadline, or the connection is gone.
            GarbledReplyError: The bytes are no answer of this protocol.
            DeviceRefusedError: The answer is a refusal.
        """
        with self._lock:
            request = self._begin(data, decode, command, timeout_s, at_end)
            what = f"{self.name}: reply to {str(command)!r}"
            try:
                while not request.done:
                    self.clock.wait_until(
                        request.ready, deadline_s=request.deadline_s, what=what, device_call=True
                    )
                    request.ready()
            except BaseException:
                # An interrupt leaves an answer under way that nobody will fetch.
                self._doubt = self._doubt or not request.done
                self._drop_request("given up")
                raise
            return request.value

    def wait_for(self, ready: Callable[[], bool], *, what: str, timeout_s: float) -> bool:
        """Let clock time pass until ``ready()``, which may ask the instrument.

        For what follows an order within a second, such as the blade of a shutter; moves that take
        longer are started by the driver and waited for by the engine.

        Returns:
            Whether it became ready within ``timeout_s`` s of the clock.
        """
        with self._lock:
            return self.clock.wait_until(
                ready,
                deadline_s=self.clock.now() + timeout_s,
                what=f"{self.name}: {what}",
                device_call=True,
            )

    def _begin(
        self,
        data: bytes,
        decode: Decoder[T],
        command: str,
        timeout_s: float,
        at_end: Decoder[T] | None,
    ) -> Request[T]:
        self._prepare(command)
        # An interrupt from here on would leave an answer under way that nobody awaits.
        self._doubt = True
        self._send(data, command)
        deadline_s = self.clock.now() + timeout_s

        def pump() -> None:
            self._pump(request, timeout_s)

        request = Request(self.name, str(command), decode, deadline_s, pump, at_end)
        self._request, self._doubt = request, False
        return request

    def _prepare(self, command: str) -> None:
        if self._request is not None:
            with suppress(DeviceError):
                self._request.ready()
        if self._request is not None:
            raise self._busy(command)
        if self._port is None and not self._doubt:
            raise self._unconnected(command)
        if not self._doubt:
            try:
                self._drain()
            except OSError:
                self._doubt = True
        if self._doubt:
            self._recover(reopen=self._port is None or self._port.reopen_cures)

    def _pump(self, request: Request[Any], timeout_s: float) -> None:
        with self._lock:
            if request is not self._request:
                return
            try:
                data = self._receive()
                if data:
                    request.feed(data)
            except OSError as error:
                self._close_port()
                request.end(str(error))
            if not request.done and self.clock.now() >= request.deadline_s:
                request.expire(timeout_s)
            if request.done:
                self._release()
                self._doubt = self._port is None or _in_doubt(request.error)

    def _drop_request(self, why: str) -> None:
        request = self._request
        self._release()
        if request is not None and not request.done:
            request.abandon(why)

    def _release(self) -> None:
        self._request = None
        if self._alarm is not None:
            self._alarm()
            self._alarm = None

    def _recover(self, *, reopen: bool) -> None:
        self._drop_request("the connection was made anew")
        self._doubt = True
        if reopen:
            self._close_port()
        self._check_patience()
        try:
            if self._port is None:
                self._open_port()
            self._wait_for_quiet()
        except ConnectionLostError:
            self._failures, self._failed_s = self._failures + 1, self.clock.now()
            raise
        self._failures, self._doubt = 0, False
        if self.after_reconnect is not None:
            self._check_identity(self.after_reconnect)

    def _check_patience(self) -> None:
        """Refuse to try a lost connection again and again: whoever asks, and however often."""
        back_off_s = _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)]
        left_s = self._failed_s + back_off_s - self.clock.now()
        if self._failures and left_s > 1e-9:
            what = f"the connection is lost, it is tried again in {left_s:.1f} s"
            raise ConnectionLostError(self.name, "connect", what, "check power and cable")

    def _check_identity(self, check: Callable[[], None]) -> None:
        self.after_reconnect = None
        try:
            check()
        except BaseException:
            self._doubt = True
            raise
        finally:
            self.after_reconnect = check

    def _wait_for_quiet(self) -> None:
        give_up_s = self.clock.now() + _LONGEST_NOISE_S
        try:
            while self.clock.wait_until(
                self._hears,
                deadline_s=self.clock.now() + _QUIET_S,
                what=f"{self.name}: quiet line",
                device_call=True,
            ):
                self._drain()
                if self.clock.now() > give_up_s:
                    what = f"sends for {_LONGEST_NOISE_S:g} s without being asked"
                    raise NoReplyError(self.name, "wait for quiet", what, "switch it off and on")
        except OSError as error:
            raise self._gone("wait for quiet", error) from error

    def _hears(self) -> bool:
        self._inbox += self._receive()
        return bool(self._inbox)

    def _drain(self) -> None:
        self._receive()
        self._inbox = b""

    def _send(self, data: bytes, command: str) -> None:
        self.recorder.sent(self.name, data, str(command))
        try:
            if self.tap is not None:
                data = self.tap.outgoing(data)
            if data and self._port is not None:
                self._port.send(data)
        except OSError as error:
            raise self._gone(command, error) from error

    def _receive(self) -> bytes:
        data = self._port.receive() if self._port is not None else b""
        if self.tap is not None:
            data = self.tap.incoming(data)
        if data:
            self.recorder.received(self.name, data)
        return data

    def _gone(self, command: str, error: OSError) -> ConnectionLostError:
        self._close_port()
        self._doubt = True
        return ConnectionLostError(self.name, str(command), str(error), "check power and cable")

    def _busy(self, command: str) -> RefusedError:
        pending = self._request.command if self._request is not None else ""
        what = f"{str(command)!r} while the answer to {pending!r} is awaited"
        return RefusedError(self.name, what, "one request at a time; wait until it has ended")

    def _unconnected(self, command: str) -> RefusedError:
        return RefusedError(self.name, f"{str(command)!r}: not connected", "connect first")

    def _open_port(self) -> None:
        try:
            self._port = self._dial()
        except OSError as error:
            remedy = "check power, cable and the address in the set-up"
            raise ConnectionLostError(self.name, "connect", str(error), remedy) from error
        self.recorder.note(self.name, "opened")

    def _close_port(self) -> None:
        port, self._port, self._inbox = self._port, None, b""
        if port is not None:
            with suppress(OSError):
                port.close()
            self.recorder.note(self.name, "closed")


def _in_doubt(error: DeviceError | None) -> bool:
    # A refusal is a complete answer; after anything else, bytes may still be on their way.
    return error is not None and not isinstance(error, DeviceRefusedError)
