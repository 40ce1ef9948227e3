"""The only place that touches pyvisa: opens a resource as a port that never blocks.

pyvisa's own reads wait on the wall clock, so bytes are taken where they lie: from the socket that
pyvisa-py has opened, from a serial driver that counts what it holds, or byte by byte with the
immediate time-out from any other resource. All framing is left to our codecs.
"""

import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from labctl.transport._port import Port, SocketPort

__all__ = ["SerialLine", "open_visa", "port_of"]

_OPEN_TIMEOUT_MS = 5000
_WRITE_TIMEOUT_MS = 5000
_PARITIES = ("none", "odd", "even")
_LARGEST_READ = 65536


@dataclass(frozen=True)
class SerialLine:
    """How a serial line is set; not used on other interfaces.

    Attributes:
        baud_rate: Bits per second.
        data_bits: 7 or 8.
        parity: ``none``, ``odd`` or ``even``.
        stop_bits: 1, 1.5 or 2.
    """

    baud_rate: int = 9600
    data_bits: int = 8
    parity: str = "none"
    stop_bits: float = 1

    def __post_init__(self) -> None:
        """Refuse what no serial line knows."""
        if self.parity not in _PARITIES or self.stop_bits not in (1, 1.5, 2):
            raise ValueError(f"no serial line has {self}")


def open_visa(resource: str, line: SerialLine) -> Port:
    """Open a VISA resource; plain sockets by pyvisa-py, all else by the installed library.

    Raises:
        OSError: It cannot be opened; says why.
    """
    import pyvisa

    library = "@py" if _is_socket(resource) else ""
    try:
        manager: Any = pyvisa.ResourceManager(library)
        opened: Any = manager.open_resource(resource, open_timeout=_OPEN_TIMEOUT_MS)
    except OSError:
        raise
    except Exception as error:  # pyvisa-py raises bare Exception where a host is not found
        raise OSError(f"{resource}: {error}") from error
    try:
        return port_of(opened, line)
    except BaseException:
        opened.close()
        raise


def _is_socket(resource: str) -> bool:
    name = resource.upper()
    return name.startswith("TCPIP") and name.endswith("::SOCKET")


def port_of(opened: Any, line: SerialLine) -> Port:
    """Return the port of an open resource, by the cheapest way to look for bytes."""
    sock = _socket_of(opened)
    if sock is not None:
        return _VisaSocketPort(opened, sock)
    if hasattr(opened, "bytes_in_buffer"):
        return _SerialPort(opened, line)
    return _BytewisePort(opened)


def _socket_of(opened: Any) -> socket.socket | None:
    sessions: Any = getattr(opened.visalib, "sessions", None)
    interface: Any = None if sessions is None else getattr(sessions[opened.session], "interface", 0)
    return interface if isinstance(interface, socket.socket) else None


class _VisaSocketPort(SocketPort):
    def __init__(self, opened: Any, sock: socket.socket) -> None:
        # pyvisa-py takes a refused connection for an open one.
        refusal = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if refusal:
            raise OSError(refusal, f"{opened.resource_name}: nobody listens at this address")
        super().__init__(sock)
        self._opened = opened

    def close(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._opened.close()


class _VisaPort:
    """Sends through VISA; errors of pyvisa become OSError."""

    reopen_cures = False

    def __init__(self, opened: Any) -> None:
        from pyvisa import constants, errors

        self._opened, self._failure = opened, errors.VisaIOError
        self._timed_out = constants.StatusCode.error_timeout
        opened.timeout = _WRITE_TIMEOUT_MS

    def send(self, data: bytes) -> None:
        try:
            self._opened.write_raw(data)
        except self._failure as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        try:
            self._opened.close()
        except self._failure as error:
            raise OSError(str(error)) from error


class _SerialPort(_VisaPort):
    """A serial line, whose driver counts the bytes that wait."""

    def __init__(self, opened: Any, line: SerialLine) -> None:
        from pyvisa import constants

        super().__init__(opened)
        opened.baud_rate, opened.data_bits = line.baud_rate, line.data_bits
        opened.parity = getattr(constants.Parity, line.parity)
        opened.stop_bits = constants.StopBits(round(10 * line.stop_bits))
        opened.flow_control = constants.ControlFlow.none
        opened.end_input = opened.end_output = constants.SerialTermination.none

    def receive(self) -> bytes:
        try:
            waiting = int(self._opened.bytes_in_buffer)
            return bytes(self._opened.read_bytes(waiting)) if waiting else b""
        except self._failure as error:
            raise OSError(str(error)) from error


class _BytewisePort(_VisaPort):
    """Any other resource: one byte at a time, each read without waiting."""

    def receive(self) -> bytes:
        self._opened.timeout = 0
        received = bytearray()
        try:
            while len(received) < _LARGEST_READ:
                received += self._opened.read_bytes(1)
        except self._failure as error:
            if error.error_code != self._timed_out:
                raise OSError(str(error)) from error
        finally:
            self._opened.timeout = _WRITE_TIMEOUT_MS
        return bytes(received)
