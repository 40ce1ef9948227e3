"""NKT SuperK EXTREME: telegrams of the Interbus.

Frames, registers and status bits: NKT's Software Development Kit as pyLabLib and QMI use it.
"""

import binascii
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.wire import Send, Session
from labctl_sim.world import LASER_DEFAULTS, LaserHead, World

_READ, _WRITE = 4, 5
_NOT_UNDERSTOOD, _CRC_ERROR, _BUSY, _ACKNOWLEDGE, _DATAGRAM = 0, 1, 2, 3, 8
_TYPE, _SERIAL, _STATUS = 0x61, 0x65, 0x66
_INLET, _EMISSION, _PICKER, _WATCHDOG, _POWER = 0x11, 0x30, 0x34, 0x36, 0x37
_EMITTING, _INTERLOCK_OFF = 0x0001, 0x0002
_SIZES = {_EMISSION: 1, _WATCHDOG: 1, _PICKER: 2, _POWER: 2}
_ON = 3


class SuperK:
    """The laser with one module on the bus.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; ``module`` and ``intensity_percent`` are used.
        truth: What differs from ``truth_defaults``: ``key_turned`` says whether the interlock is
            closed and reset, ``base_rate_hz`` is the rate of the seed, and ``LASER_DEFAULTS``.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **LASER_DEFAULTS,
        "threshold_rel": 0.1,
        "base_rate_hz": 80e6,
        "inlet_temperature_c": 23.4,
        "start_time_s": 0.1,
        "key_turned": True,
        "serial": "18260432",
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self.module = int(settings.get("module") or 15)
        reference = 0.01 * float(settings.get("intensity_percent") or 100.0)
        self._head = LaserHead(name, world, self.truth, reference)
        ratio = round(float(self.truth["base_rate_hz"]) / world.laser.rep_rate_hz)
        self._registers = {
            _EMISSION: _ON if self._head.on else 0,
            _PICKER: max(ratio, 1),
            _WATCHDOG: 0,
            _POWER: round(1000.0 * reference),
        }
        self._key = bool(self.truth["key_turned"])
        self._refusals = 0
        self._cancel: Callable[[], None] | None = None
        self._bark: Callable[[], None] | None = None

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_interlock(self) -> None:
        """Open the interlock until cleared."""
        self._key = False
        self._shine(False)

    def fault_busy(self, times: int = 1) -> None:
        """Answer the next telegrams as busy."""
        self._refusals += times

    def clear_faults(self) -> None:
        """Close and reset the interlock; emission stays off."""
        self._key, self._refusals = bool(self.truth["key_turned"]), 0

    def answer(self, kind: int, register: int, data: bytes) -> tuple[int, bytes]:
        """Carry out a telegram; gives the type of the answer and its data."""
        self._feed()
        if self._refusals:
            self._refusals -= 1
            return _BUSY, b""
        if kind == _READ:
            return self._read(register)
        if kind == _WRITE and len(data) == _SIZES.get(register, -1):
            return self._write(register, int.from_bytes(data, "little"))
        return _NOT_UNDERSTOOD, b""

    def _read(self, register: int) -> tuple[int, bytes]:
        if register in _SIZES:
            value, size = self._registers[register], _SIZES[register]
            return _DATAGRAM, value.to_bytes(size, "little")
        tenths = round(10.0 * float(self.truth["inlet_temperature_c"]))
        known = {
            _TYPE: b"\x60",
            _SERIAL: str(self.truth["serial"]).encode(),
            _STATUS: self._status().to_bytes(2, "little"),
            _INLET: tenths.to_bytes(2, "little", signed=True),
        }
        found = known.get(register)
        return (_NOT_UNDERSTOOD, b"") if found is None else (_DATAGRAM, found)

    def _status(self) -> int:
        return _EMITTING * self._head.on | _INTERLOCK_OFF * (not self._key)

    def _write(self, register: int, value: int) -> tuple[int, bytes]:
        if register == _EMISSION:
            return self._switch(value)
        if register == _POWER:
            value = min(value, 1000)
            self._head.set_intensity(1e-3 * value)
        if register == _PICKER and value:
            self._head.set_rep_rate(float(self.truth["base_rate_hz"]) / value)
        self._registers[register] = value
        self._feed()
        return _ACKNOWLEDGE, b""

    def _switch(self, value: int) -> tuple[int, bytes]:
        if value not in (0, _ON) or (value == _ON and not self._key):
            return _NOT_UNDERSTOOD, b""
        self._registers[_EMISSION] = value
        if self._cancel is not None:
            self._cancel()
        if value:
            self._cancel = self.world.after(
                float(self.truth["start_time_s"]), lambda: self._shine(True)
            )
        else:
            self._shine(False)
        return _ACKNOWLEDGE, b""

    def _shine(self, on: bool) -> None:
        if not on:
            self._registers[_EMISSION] = 0
        self._head.emit(on and self._key)

    def _feed(self) -> None:
        """Begin to wait for the next telegram anew."""
        if self._bark is not None:
            self._bark()
            self._bark = None
        if self._registers[_WATCHDOG]:
            seconds = float(self._registers[_WATCHDOG])
            self._bark = self.world.after(seconds, lambda: self._shine(False))


class _Session:
    """One client: telegrams one after the other."""

    def __init__(self, device: SuperK, send: Send) -> None:
        self._device, self._send = device, send
        self._partial = b""

    def receive(self, data: bytes) -> None:
        """Carry out whole telegrams; what stands between them is lost."""
        *frames, self._partial = (self._partial + data).split(b"\x0a")
        for frame in frames:
            body = _plain(frame.rpartition(b"\x0d")[2])
            if len(body) >= 6 and body[0] == self._device.module:
                self._answer(body)

    def closed(self) -> None:
        """Nothing is kept for a client."""
        self._partial = b""

    def _answer(self, body: bytes) -> None:
        module, host, kind, register = body[:4]
        if binascii.crc_hqx(body, 0):
            answer, data = _CRC_ERROR, b""
        else:
            answer, data = self._device.answer(kind, register, body[4:-2])
        reply = bytes((host, module, answer, register)) + data
        reply += binascii.crc_hqx(reply, 0).to_bytes(2, "big")
        self._send(b"\x0d" + _framed(reply) + b"\x0a")


def _plain(frame: bytes) -> bytes:
    pieces = frame.split(b"\x5e")
    restored = [bytes((piece[0] - 0x40 & 0xFF,)) + piece[1:] for piece in pieces[1:] if piece]
    return pieces[0] + b"".join(restored)


def _framed(body: bytes) -> bytes:
    for byte in b"\x5e\x0a\x0d":
        body = body.replace(bytes((byte,)), bytes((0x5E, byte + 0x40)))
    return body
