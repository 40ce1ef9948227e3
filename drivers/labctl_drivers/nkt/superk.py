"""NKT SuperK EXTREME white-light laser (Interbus, serial over USB, 115200 baud).

Source: NKT's Software Development Kit, instruction manual; registers and status bits as in
pyLabLib's driver. The codec is ours, so that deadlines are those of the clock.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from pydantic import Field

from labctl.errors import DeviceRefusedError, GarbledReplyError, LabctlError, RefusedError
from labctl.roles import INTENSITY, Identity, Laser, Limits, SettableSpec, Settings
from labctl.transport import Transport
from labctl.units import Hertz, Percent, Seconds
from labctl_drivers.nkt._superk_wire import Kind, decode_reply, encode

__all__ = ["SuperK", "SuperKSettings"]

_TYPE, _SERIAL, _STATUS = 0x61, 0x65, 0x66
_INLET, _EMISSION, _PICKER, _WATCHDOG, _POWER = 0x11, 0x30, 0x34, 0x36, 0x37
_EXTREME = 0x60
_ON, _OFF = 3, 0
_EMITTING = 0x0001
_INTERLOCKS = {
    0x0002: "the interlock is open or was not reset",
    0x0004: "the interlock has no power",
    0x0008: "the interlock loop is open",
    0x0010: "it is disabled",
    0x0020: "its supply is too low",
    0x0040: "it is too hot or too cold",
}
_LARGEST_RATIO = 0xFFFF
_SAME_REL = 1e-3


class SuperKSettings(Settings):
    """Keys of a SuperK EXTREME in the set-up file.

    Attributes:
        module: Its address on the bus.
        base_rate: Repetition rate of the seed, which the pulse picker divides.
        intensity: Power level, percent, at which the fluence of the set-up holds; none: as it is.
        rep_rate: Repetition rate behind the pulse picker; none: as it is.
        watchdog: It goes dark after so long a time without any telegram; 0: never. Longer waits
            than this need a monitor on ``laser.emitting``.
        reply_timeout: Longest time to an answer, s.
    """

    module: int = Field(15, ge=1, le=0x3F)
    base_rate: Hertz = Field(80e6, gt=0)
    intensity: Percent | None = Field(None, gt=0, le=100)
    rep_rate: Hertz | None = Field(None, gt=0)
    watchdog: Seconds = Field(0.0, ge=0, le=255)
    reply_timeout: Seconds = Field(1.0, gt=0)


class SuperK(Laser):
    """Driver of the laser; it is dark from ``connect`` on until it is told to emit."""

    settings_type = SuperKSettings
    baud_rate: ClassVar[int] = 115200
    settables = {
        "intensity": INTENSITY,
        "rep_rate": SettableSpec("Hz", Limits(1e3, 1e9), 10.0, 1e3),
    }
    readables = {
        **Laser.readables,
        "intensity": "%",
        "rep_rate": "Hz",
        "inlet_temperature": "degC",
    }

    def __init__(
        self, name: str, link: Transport, settings: SuperKSettings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self.reference_percent = settings.intensity
        self._serial = ""

    def identity(self) -> Identity:
        """Ask the serial number."""
        return Identity("NKT Photonics", "SuperK EXTREME", self._ask_serial())

    def snapshot(self) -> dict[str, Any]:
        """Return state, level, rate and temperature."""
        return {
            "serial": self._serial,
            "emitting": self.is_emitting(),
            "interlock": self.interlock() or "closed",
            "status_bits": self._number(_STATUS, 2),
            "intensity_percent": self.read_intensity(),
            "rep_rate_hz": self.read_rep_rate(),
            "inlet_temperature_c": self.read_inlet_temperature(),
            "watchdog_s": self._number(_WATCHDOG, 1),
        }

    def interlock(self) -> str:
        """Return what of its safety keeps it dark."""
        status = self._number(_STATUS, 2)
        return "; ".join(text for bit, text in _INTERLOCKS.items() if status & bit)

    def is_emitting(self) -> bool:
        """Ask the status."""
        return bool(self._number(_STATUS, 2) & _EMITTING)

    def rep_rate_hz(self) -> float | None:
        """Return the repetition rate behind the pulse picker, Hz."""
        return self.read_rep_rate()

    def read_intensity(self) -> float:
        """Return the power level, percent."""
        return 0.1 * self._number(_POWER, 2)

    def read_rep_rate(self) -> float:
        """Return the repetition rate behind the pulse picker, Hz."""
        return self._settings.base_rate / max(self._number(_PICKER, 2), 1)

    def read_inlet_temperature(self) -> float:
        """Return the temperature at the inlet, degC."""
        tenths = self._number(_INLET, 2)
        return 0.1 * (tenths - 0x10000 if tenths & 0x8000 else tenths)

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _write_emission(self, wanted: bool) -> None:
        self._write(_EMISSION, _ON if wanted else _OFF, 1)
        self._link.wait_for(lambda: self.is_emitting() == wanted, what="emission", timeout_s=0.5)

    def _write_intensity(self, percent: float) -> None:
        self._write(_POWER, round(10.0 * percent), 2)

    def _write_rep_rate(self, rep_rate_hz: float) -> None:
        base_hz = self._settings.base_rate
        ratio = round(base_hz / rep_rate_hz)
        if not 1 <= ratio <= _LARGEST_RATIO or (
            abs(base_hz / ratio - rep_rate_hz) > _SAME_REL * rep_rate_hz
        ):
            what = f"rep_rate = {rep_rate_hz / 1e6:g} MHz"
            raise RefusedError(self.name, what, f"it has {base_hz / 1e6:g} MHz over 1, 2, 3 …")
        self._write(_PICKER, ratio, 2)

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            kind = self._number(_TYPE, 1)
            if kind != _EXTREME:
                what = f"a module of type {kind:#04x}, not {_EXTREME:#04x}"
                raise DeviceRefusedError(self.name, "module type", what, "check 'module'")
            self._serial = self._ask_serial()
            self._prepare()
        self._link.after_reconnect = self._check_unit

    def _prepare(self) -> None:
        # Dark first: whoever connects does not know what stands in the beam.
        self._write(_EMISSION, _OFF, 1)
        self._write(_WATCHDOG, round(self._settings.watchdog), 1)
        wanted = {"intensity": self._settings.intensity, "rep_rate": self._settings.rep_rate}
        for quantity, value in wanted.items():
            if value is not None:
                settable = self.settable(quantity)
                settable.start(value)
                settable.confirm(value)

    def _check_unit(self) -> None:
        if (found := self._ask_serial()) != self._serial:
            what = f"another unit answers: {found}, was {self._serial}"
            raise DeviceRefusedError(self.name, "serial number", what, "check the cables")

    def _close(self) -> None:
        with suppress(LabctlError):
            self._write(_EMISSION, _OFF, 1)
        self._link.close()

    def _ask_serial(self) -> str:
        return self._ask(_SERIAL, Kind.READ, Kind.DATAGRAM).decode("ascii", "replace").strip("\0 ")

    def _number(self, register: int, size: int) -> int:
        data = self._ask(register, Kind.READ, Kind.DATAGRAM)
        if len(data) != size:
            command = f"read register {register:#04x}"
            raise GarbledReplyError(self.name, command, f"{data.hex(' ')}: not {size} bytes")
        return int.from_bytes(data, "little")

    def _write(self, register: int, value: int, size: int) -> None:
        self._ask(register, Kind.WRITE, Kind.ACKNOWLEDGE, value.to_bytes(size, "little"))
        if register != _EMISSION and self._number(register, size) != value:
            what = "the register holds another value afterwards"
            command = f"register {register:#04x} = {value}"
            raise DeviceRefusedError(self.name, command, what, "see its manual")

    def _ask(self, register: int, kind: Kind, answer: Kind, data: bytes = b"") -> bytes:
        module = self._settings.module
        return self._link.query(
            encode(module, kind, register, data),
            lambda received: decode_reply(received, module, answer, register),
            command=f"{kind.name.lower()} register {register:#04x}",
            timeout_s=self._settings.reply_timeout,
        )
