"""Princeton Instruments (Acton) SpectraPro, HRS and IsoPlane spectrographs, serial or TCP."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, TypeVar

from pydantic import Field

from labctl.errors import DeviceRefusedError, GarbledReplyError, LabctlError
from labctl.roles import Grating, Identity, Limits, Settings, Spectrograph
from labctl.transport import Request, Transport
from labctl.units import GroovesPerMm, Seconds
from labctl_drivers.princeton import _spectrapro_wire as wire

__all__ = ["SpectraPro", "SpectraProSettings"]

T = TypeVar("T")

_MIRROR_TIMEOUT_S = 30.0
_ECHO: Mapping[str, bool | None] = {"auto": None, "on": True, "off": False}


class SpectraProSettings(Settings):
    """Keys of a SpectraPro in the set-up file.

    Attributes:
        gratings: Groove density by number as the user believes it, 1/mm; checked on connecting.
        echo: Whether the line echoes each command; ``auto`` learns it from the first answer.
        motor_slit: Port whose entrance slit has a motor; None: slits are turned by hand.
        entrance_motor: Whether the entrance mirror has a motor.
        case: How words are written; some controllers know lower case only.
        reply_timeout: Longest time to the answer of a question, s.
    """

    gratings: Mapping[int, GroovesPerMm] = Field(default_factory=dict[int, float])
    echo: Literal["auto", "on", "off"] = "auto"
    motor_slit: Literal["front", "side"] | None = None
    entrance_motor: bool = False
    case: Literal["upper", "lower"] = "upper"
    reply_timeout: Seconds = 5.0


class SpectraPro(Spectrograph):
    """Driver of the SpectraPro command set; moves are answered when they have ended."""

    settings_type = SpectraProSettings

    def __init__(
        self,
        name: str,
        link: Transport,
        settings: SpectraProSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self._echo = _ECHO[settings.echo]
        self._gratings: Mapping[int, Grating] = {}
        self._unit: Identity | None = None
        self._move: Request[wire.Reply[str]] | None = None

    def identity(self) -> Identity:
        """Ask model and serial number; old controllers do not know the latter."""
        model, serial = self._ask(wire.MODEL, wire.parse_word), ""
        with suppress(DeviceRefusedError):
            serial = self._ask(wire.SERIAL, wire.parse_word)
        return Identity("Princeton Instruments", model, serial)

    def snapshot(self) -> dict[str, Any]:
        """Return position, grating and exit; the exit is None if its mirror has no motor."""
        unit = self._unit
        return {
            "model": unit.model if unit else "",
            "serial": unit.serial if unit else "",
            "wavelength_nm": self.read_wavelength(),
            "grating": self.read_grating(),
            "gratings": {
                str(number): {"lines_per_mm": found.lines_per_mm, "blaze_nm": found.blaze_nm}
                for number, found in self._gratings.items()
            },
            "exit": self._exit_or_none(),
            "entrance": self.read_entrance() if self._settings.entrance_motor else None,
            "slit_um": self.slit_or_none(),
        }

    def is_moving(self) -> bool:
        """Look whether the answer to the move has come.

        Raises:
            DeviceError: The move was refused or never answered.
        """
        move = self._move
        if move is None:
            return False
        try:
            return not move.ready()
        finally:
            if move.done:
                self._move = None

    def read_wavelength(self) -> float:
        """Return the centre wavelength, nm; refused while a move goes on."""
        return self._ask(wire.WAVELENGTH, wire.parse_wavelength)

    def read_grating(self) -> int:
        """Return the number of the grating in use; refused while a move goes on."""
        return self._ask(wire.GRATING, wire.parse_number)

    def read_exit(self) -> str:
        """Return ``front`` or ``side``; refused while a move goes on."""
        return self._ask(wire.MIRROR, wire.parse_mirror)

    def read_slit(self) -> float:
        """Return the width of the motorised entrance slit, um; refused while a move goes on."""
        port = self._settings.motor_slit
        if port is None:
            return super().read_slit()
        return self._ask(wire.ask_slit(port), wire.parse_micrometers)

    def slit_or_none(self) -> float | None:
        """Return the width of the entrance slit, um; None without a motor."""
        return None if self._settings.motor_slit is None else self.read_slit()

    def read_entrance(self) -> str:
        """Return ``front`` or ``side``, where light comes in; refused while a move goes on."""
        if not self._settings.entrance_motor:
            return super().read_entrance()
        return self._ask(wire.ask_mirror("ENT"), wire.parse_mirror)

    def gratings(self) -> Mapping[int, Grating]:
        """Return the installed gratings as listed on connecting."""
        return self._gratings

    def flush(self) -> None:
        """Give up a move's answer and clean the line; whatever fails shows at the next command."""
        self._move = None
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect, self._move = None, None
        self._echo = _ECHO[self._settings.echo]
        with self._link.opening():
            self._wake()
            self._unit = self.identity()
            self._gratings = self._ask(wire.GRATINGS, wire.parse_gratings)
            self._check_gratings()
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._move = None
        self._link.close()

    def _write_wavelength_nm(self, nanometers: float) -> None:
        self._start(wire.goto(nanometers), self.settables["wavelength"].timeout_s)

    def _write_grating(self, number: int) -> None:
        self._start(wire.select_grating(number), self.grating_timeout_s)

    def _write_exit(self, exit_name: str) -> None:
        self._start(wire.move_mirror(exit_name), _MIRROR_TIMEOUT_S)

    def _write_slit_um(self, micrometers: float) -> None:
        port = self._settings.motor_slit
        if port is None:
            super()._write_slit_um(micrometers)
        else:
            self._start(wire.move_slit(port, micrometers), self.settables["slit"].timeout_s)

    def _write_entrance(self, entrance: str) -> None:
        if self._settings.entrance_motor:
            self._start(wire.move_mirror(entrance, mirror="ENT"), _MIRROR_TIMEOUT_S)
        else:
            super()._write_entrance(entrance)

    def _wake(self) -> None:
        try:
            self._ask(wire.MODEL, wire.parse_word)
        except (GarbledReplyError, DeviceRefusedError):
            # After power-up the first command can meet garbage in either direction.
            self._ask(wire.MODEL, wire.parse_word)

    def _check_unit(self) -> None:
        # A controller that was switched off meanwhile may have taken up its echo again.
        self._echo = _ECHO[self._settings.echo]
        found = self.identity()
        if found != self._unit:
            raise DeviceRefusedError(
                self.name,
                wire.SERIAL,
                f"another unit answers: {found}, was {self._unit}",
                "check the cables, then connect anew",
            )

    def _check_gratings(self) -> None:
        wrong = [
            f"grating {number} is {self._grating_text(number)}, the set-up says {lines:g}/mm"
            for number, lines in self._settings.gratings.items()
            if number not in self._gratings or self._gratings[number].lines_per_mm != lines
        ]
        if wrong:
            remedy = "correct 'gratings' in the set-up, or the turret"
            raise DeviceRefusedError(self.name, wire.GRATINGS, "; ".join(wrong), remedy)

    def _grating_text(self, number: int) -> str:
        found = self._gratings.get(number)
        return "not installed" if found is None else f"{found.lines_per_mm:g}/mm"

    def _exit_or_none(self) -> str | None:
        try:
            return self.read_exit()
        except DeviceRefusedError:
            return None

    def _start(self, command: str, timeout_s: float) -> None:
        decode = wire.decoder(command, wire.parse_nothing, self._echo)
        data = wire.encode(command, lower=self._settings.case == "lower")
        self._move = self._link.begin(data, decode, command=command, timeout_s=timeout_s)

    def _ask(self, command: str, parse: Callable[[str], T]) -> T:
        reply = self._link.query(
            wire.encode(command, lower=self._settings.case == "lower"),
            wire.decoder(command, parse, self._echo),
            command=command,
            timeout_s=self._settings.reply_timeout,
        )
        if self._echo is None:
            self._echo = reply.echoed
        return reply.value
