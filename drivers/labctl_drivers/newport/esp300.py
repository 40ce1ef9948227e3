"""Newport ESP300 and ESP301 motion controllers (serial, GPIB) with a linear stage as a delay.

Facts: user's manuals, section 3. A stage does not know where it stands after power-up: home it by
the front panel. Nothing here homes it, since that drives to an end.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import Field

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import DelaySettings, DelayStage, Identity, Limits
from labctl.transport import Transport
from labctl.units import Seconds
from labctl_drivers.newport import _esp300_wire as wire

__all__ = ["Esp300", "Esp300Settings"]

T = TypeVar("T")

_MILLIMETER = 2.0
"""Answer of ``SN?``: the unit of all positions."""
_MOST_TROUBLES = 12


class Esp300Settings(DelaySettings):
    """Keys of an ESP300 in the set-up file.

    Attributes:
        axis: Which of its axes carries the stage.
        reply_timeout: Longest time to an answer, s.
    """

    axis: int = Field(default=1, ge=1, le=3)
    reply_timeout: Seconds = 2.0


class Esp300(DelayStage):
    """Driver of one axis of an ESP300 or ESP301."""

    settings_type = Esp300Settings

    def __init__(
        self, name: str, link: Transport, settings: Esp300Settings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, settings, limits)
        self._link, self._settings = link, settings
        self._version = self._stage = ""

    def identity(self) -> Identity:
        """Ask version of the controller, and model and serial number of the stage."""
        version = self._ask("VE?", wire.parse_text)
        stage = self._ask(self._own("ID?"), wire.parse_text)
        return Identity("Newport", version.split(" ")[0], stage, version)

    def snapshot(self) -> dict[str, Any]:
        """Return position, delay, and whether the motor is on."""
        position_mm = self.read_position()
        return {
            "controller": self._version,
            "stage": self._stage,
            "axis": self._settings.axis,
            "position_mm": position_mm,
            "zero_mm": self._settings.zero,
            "delay_ps": (position_mm - self._settings.zero) / self._mm_per_ps(),
            "passes": self._settings.passes,
            "motor_on": self._ask(self._own("MO?"), wire.parse_flag),
        }

    def read_position(self) -> float:
        """Return the position, mm."""
        return self._ask(self._own("TP"), wire.parse_number)

    def is_moving(self) -> bool:
        """Ask whether a started move still goes on.

        Raises:
            DeviceRefusedError: It has ended by an error of the axis.
        """
        if not self._ask(self._own("MD?"), wire.parse_flag):
            return True
        self._raise_trouble(self._own("MD?"))
        return False

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            self._clear_troubles()
            identity = self.identity()
            self._version, self._stage = identity.firmware, identity.serial
            self._require_millimeters()
            self._switch_on()
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._link.close()

    def _write_position_mm(self, millimeters: float) -> None:
        self._order(self._own(f"PA{millimeters:.5f}"))

    def _check_unit(self) -> None:
        found = self.identity()
        if (found.firmware, found.serial) != (self._version, self._stage):
            what = f"another unit answers: {found.firmware}, {found.serial}"
            raise DeviceRefusedError(self.name, "VE?", what, "check the cables")
        self._switch_on()

    def _require_millimeters(self) -> None:
        unit = self._ask(self._own("SN?"), wire.parse_number)
        if unit != _MILLIMETER:
            what = f"the unit of its positions is number {unit:g}, not millimeters (2)"
            raise DeviceRefusedError(self.name, self._own("SN?"), what, "is it a linear stage?")

    def _switch_on(self) -> None:
        if not self._ask(self._own("MO?"), wire.parse_flag):
            self._order(self._own("MO"))
            if not self._ask(self._own("MO?"), wire.parse_flag):
                raise DeviceRefusedError(
                    self.name, self._own("MO"), "the motor stays off", "is the interlock closed?"
                )

    def _order(self, command: str) -> None:
        self._link.write(wire.encode(command), command=command)
        self._raise_trouble(command)

    def _raise_trouble(self, command: str) -> None:
        trouble = self._ask("TB?", wire.parse_trouble)
        if trouble.code:
            reply = f"error {trouble.code}: {trouble.text}"
            raise DeviceRefusedError(self.name, command, reply, trouble.remedy)

    def _clear_troubles(self) -> None:
        """Empty the queue of what happened before; it holds ten."""
        for _ in range(_MOST_TROUBLES):
            if not self._ask("TB?", wire.parse_trouble).code:
                return

    def _own(self, command: str) -> str:
        return f"{self._settings.axis}{command}"

    def _ask(self, question: str, decode: Callable[[bytes], T | None]) -> T:
        return self._link.query(
            wire.encode(question),
            decode,
            command=question,
            timeout_s=self._settings.reply_timeout,
        )
