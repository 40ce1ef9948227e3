"""attocube ANC300: open-loop stepper and scanner controller, USB, serial or TCP.

The facts and their sources stand beside the codec. pylablib's class is not used: it waits for its
replies on the wall clock, and its TCP connection loses its time-out, so that a wrong password
never returns. A wrong password is an error at once here.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import Identity, Limits, Positioner, PositionerSettings
from labctl.transport import Transport
from labctl.units import Seconds
from labctl_drivers.attocube import _anc300_wire as wire

__all__ = ["Anc300", "Anc300Settings"]

T = TypeVar("T")

_STEPPING = ("stp", "stp+", "stp-")
_OFFSET = ("off", "offs", "stp+", "stp-")
_NO_STEPS, _NO_OFFSET = ("ANM200",), ("ANM150",)
_STANDS_WITHIN_V = 0.05


class Anc300Settings(PositionerSettings):
    """Keys of an ANC300 in the set-up file.

    Attributes:
        password: Authorization code of its TCP console; leave it out on USB and serial lines,
            which have no login.
        reply_timeout: Longest time to an answer, s.
    """

    password: str = ""
    reply_timeout: Seconds = 3.0


class Anc300(Positioner):
    """Driver of the ANC300; it has no read-out, so positions are estimates from steps."""

    settings_type = Anc300Settings

    def __init__(
        self, name: str, link: Transport, settings: Anc300Settings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, link.clock, settings, limits)
        self._link, self._settings = link, settings
        self._unit: Identity | None = None
        self._modules: dict[str, str] = {}
        self._offset_word = "off"

    def identity(self) -> Identity:
        """Ask serial number and firmware."""
        firmware = self._talk(wire.VERSION, wire.parse_version)
        serial = self._talk(wire.CONTROLLER_SERIAL, wire.parse_serial)
        return Identity("attocube", "ANC300", serial, firmware)

    def snapshot(self) -> dict[str, Any]:
        """Return the axes with their modules and last measured capacitances."""
        found = super().snapshot()
        for axis in self.axes():
            capacitance_nf = self.capacitance_nf(axis)
            found["axes"][axis] |= {
                "module": self._modules.get(axis, ""),
                "mode": self._mode(axis),
                "capacitance_nf": capacitance_nf if capacitance_nf == capacitance_nf else None,
            }
        return found

    def has_readout(self, axis: str) -> bool:
        """Return False: the controller knows voltages only."""
        self._axis(axis)
        return False

    def step_voltage_v(self, axis: str) -> float:
        """Ask for the step voltage, V."""
        return self._of("getv", axis, wire.parse_voltage_v)

    def step_frequency_hz(self, axis: str) -> float:
        """Ask for the rate of steps, Hz."""
        return self._of("getf", axis, wire.parse_frequency_hz)

    def is_grounded(self, axis: str) -> bool:
        """Ask whether the piezo is grounded."""
        return self._mode(axis) == "gnd"

    def offset_v(self, axis: str) -> float:
        """Ask for the offset voltage that is on the piezo, V; 0 in modes without offset."""
        if self._mode(axis) not in _OFFSET:
            return 0.0
        return self._of("geta", axis, wire.parse_voltage_v)

    def start_capacitance(self, axis: str) -> None:
        """Start measuring the capacitance, about 1 s; the axis is grounded afterwards."""
        self._refuse_while_moving(axis, "measure its capacitance")
        self._order("setm", axis, "cap")

    def capacitance_nf(self, axis: str) -> float:
        """Ask for the last measured capacitance, nF; NaN if it never was."""
        return self._of("getc", axis, wire.parse_capacitance_nf)

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            self._enter()
            self._unit = self.identity()
            for axis in self.axes():
                self._check_module(axis)
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._forget_all()
        self._link.close()

    def _write_steps(self, axis: str, steps: int) -> None:
        if self._mode(axis) != "stp":
            self._order("setm", axis, "stp")
        self._order("stepu" if steps > 0 else "stepd", axis, str(abs(steps)))

    def _asks_moving(self, axis: str) -> bool:
        # The output is 0 V when an axis with nothing but steps stands; with an offset it never is.
        mode = self._mode(axis)
        if mode not in _STEPPING:
            return False
        output_v = self._of("geto", axis, wire.parse_voltage_v)
        rest_v = self._of("geta", axis, wire.parse_voltage_v) if mode in _OFFSET else 0.0
        return abs(output_v - rest_v) > _STANDS_WITHIN_V

    def _write_stop(self, axis: str) -> None:
        self._order("stop", axis)

    def _write_step_voltage(self, axis: str, volts: float) -> None:
        self._order("setv", axis, f"{volts:.3f}")

    def _write_step_frequency(self, axis: str, hertz: float) -> None:
        self._order("setf", axis, f"{hertz:.0f}")

    def _write_ground(self, axis: str) -> None:
        self._order("setm", axis, "gnd")

    def _write_offset(self, axis: str, volts: float) -> None:
        self._order("seta", axis, f"{volts:.6f}")
        if self._mode(axis) not in ("off", "offs"):
            self._enter_offset(axis)

    def _write_sweep(self, axis: str, volts: float) -> None:
        self._order("seta", axis, f"{volts:.6f}")

    def _write_output(self, output: int, high: bool) -> None:
        self._talk(f"setto {output} {int(high)}", wire.parse_nothing)

    def _enter_offset(self, axis: str) -> None:
        try:
            self._order("setm", axis, self._offset_word)
        except DeviceRefusedError:
            # Some firmware knows the word 'offs' only.
            self._offset_word = "offs" if self._offset_word == "off" else "off"
            self._order("setm", axis, self._offset_word)

    def _enter(self) -> None:
        if self._settings.password:
            self._link.query(
                wire.encode(self._settings.password),
                wire.decode_login,
                command="login",
                timeout_s=self._settings.reply_timeout,
                at_end=wire.login_at_end,
            )
        self._talk(wire.ECHO_OFF, wire.parse_nothing)

    def _check_unit(self) -> None:
        self._enter()
        found = self.identity()
        if found != self._unit:
            what = f"another unit answers: {found}, was {self._unit}"
            raise DeviceRefusedError(
                self.name, wire.CONTROLLER_SERIAL, what, "check the cables, then connect anew"
            )

    def _check_module(self, axis: str) -> None:
        serial = self._of("getser", axis, wire.parse_serial)
        module = self._modules[axis] = serial[:6]
        fine = self._stage.axes[self._axis(axis)].fine_range is not None
        lacks = "steps" if module in _NO_STEPS else "offset" if module in _NO_OFFSET else ""
        if lacks == "steps" or (lacks and fine):
            what = f"axis {axis} has a module {module}, which has no {lacks}"
            remedy = "correct 'number' or remove 'fine_range' in the set-up"
            raise DeviceRefusedError(self.name, "getser", what, remedy)

    def _mode(self, axis: str) -> str:
        return self._of("getm", axis, wire.parse_mode)

    def _of(self, word: str, axis: str, parse: Callable[[list[str]], T]) -> T:
        return self._talk(f"{word} {self._number(axis)}", parse)

    def _order(self, word: str, axis: str, value: str = "") -> None:
        self._talk(f"{word} {self._number(axis)} {value}".rstrip(), wire.parse_nothing)

    def _talk(self, command: str, parse: Callable[[list[str]], T]) -> T:
        return self._link.query(
            wire.encode(command),
            wire.decoder(command, parse),
            command=command,
            timeout_s=self._settings.reply_timeout,
        )
