"""attocube ANC350: closed-loop stepper controller with three axes.

The facts and their sources stand beside the codec. pylablib's class speaks the same telegrams but
is bound to its own USB library and waits on the wall clock, so it is the independent client in
the tests and not used here. Steps are sent one by one, as the protocol has no count of steps: one
each time the axis is asked whether it still moves.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import Identity, Limits, Positioner, PositionerSettings
from labctl.transport import Transport
from labctl.units import Seconds, Volts
from labctl_drivers.attocube import _anc350_wire as wire
from labctl_drivers.attocube._anc350_wire import Address, Status

__all__ = ["Anc350", "Anc350Settings"]

_LAST_CORRELATION = 0xFFFF


class Anc350Settings(PositionerSettings):
    """Keys of an ANC350 in the set-up file; its axes are numbered 0, 1, 2.

    Attributes:
        sensor_voltage: Supply of the sensors, V; lower warms a cold sample less and is noisier.
            Left as found if not given.
        reply_timeout: Longest time to an answer, s.
    """

    sensor_voltage: Volts | None = None
    reply_timeout: Seconds = 2.0


class Anc350(Positioner):
    """Driver of the ANC350; its sensors alone say where the axes are."""

    settings_type = Anc350Settings

    def __init__(
        self, name: str, link: Transport, settings: Anc350Settings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, link.clock, settings, limits)
        self._link, self._settings = link, settings
        self._unit: Identity | None = None
        self._correlation = 0
        self._left: dict[str, int] = {}

    def identity(self) -> Identity:
        """Ask the hardware ID, which the user can give; there is no serial number."""
        return Identity("attocube", "ANC350", f"hardware ID {self._get(Address.HARDWARE_ID)}")

    def snapshot(self) -> dict[str, Any]:
        """Return the axes and the supply of the sensors."""
        return {**super().snapshot(), "sensor_v": 1e-3 * self._get(Address.SENSOR_MV)}

    def has_readout(self, axis: str) -> bool:
        """Return True: every axis has a sensor."""
        self._axis(axis)
        return True

    def step_voltage_v(self, axis: str) -> float:
        """Ask for the step voltage, V."""
        return 1e-3 * self._of(Address.AMPLITUDE_MV, axis)

    def step_frequency_hz(self, axis: str) -> float:
        """Ask for the rate of steps, Hz."""
        return float(self._of(Address.FREQUENCY_HZ, axis))

    def is_grounded(self, axis: str) -> bool:
        """Ask whether the output is off, which grounds the piezo."""
        return not self._of(Address.OUTPUT, axis)

    def offset_v(self, axis: str) -> float:
        """Ask for the offset voltage that is on the piezo, V; 0 with the output off."""
        return 0.0 if self.is_grounded(axis) else 1e-3 * self._of(Address.OFFSET_MV, axis)

    def complaint(self, axis: str) -> str:
        """Return what the status says: sensor trouble, or an end of travel that stopped it."""
        status = Status(self._of(Address.STATUS, axis) & sum(Status))
        if Status.SENSOR_DISCONNECTED in status:
            return "its sensor is not connected"
        if Status.SENSOR_ERROR in status:
            return "its sensor reports an error"
        if self._of(Address.MOVING, axis):
            return ""
        ends = ((Address.END_UP, "upper"), (Address.END_DOWN, "lower"))
        return next((f"is at its {end} end of travel" for a, end in ends if self._of(a, axis)), "")

    def start_capacitance(self, axis: str) -> None:
        """Start measuring the capacitance, about 1 s."""
        self._refuse_while_moving(axis, "measure its capacitance")
        self._set(Address.MEASURE_CAPACITANCE, axis, 1)

    def capacitance_nf(self, axis: str) -> float:
        """Ask for the last measured capacitance, nF."""
        return 1e-3 * self._of(Address.CAPACITANCE_PF, axis)

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
                self._check_actuator(axis)
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._left.clear()
        self._forget_all()
        self._link.close()

    def _write_steps(self, axis: str, steps: int) -> None:
        self._set(Address.OUTPUT, axis, 1)
        self._left[axis] = steps
        self._send_step(axis)

    def _asks_moving(self, axis: str) -> bool:
        if self._of(Address.MOVING, axis):
            return True
        if not self._left.get(axis):
            return False
        self._send_step(axis)
        return True

    def _write_stop(self, axis: str) -> None:
        self._left.pop(axis, None)
        self._set(Address.STOP, axis, 0)

    def _write_step_voltage(self, axis: str, volts: float) -> None:
        self._set(Address.AMPLITUDE_MV, axis, round(1e3 * volts))

    def _write_step_frequency(self, axis: str, hertz: float) -> None:
        self._set(Address.FREQUENCY_HZ, axis, round(hertz))

    def _write_ground(self, axis: str) -> None:
        self._set(Address.OFFSET_MV, axis, 0)
        self._set(Address.OUTPUT, axis, 0)

    def _write_offset(self, axis: str, volts: float) -> None:
        self._set(Address.OUTPUT, axis, 1)
        self._set(Address.OFFSET_MV, axis, round(1e3 * volts))

    def _read_sensor_um(self, axis: str) -> float:
        return 1e-3 * self._of(Address.POSITION_NM, axis)

    def _write_target(self, axis: str, um: float) -> None:
        self._set(Address.OUTPUT, axis, 1)
        self._set(Address.PRECISION_NM, axis, max(1, round(500.0 * self._stage.tolerance)))
        self._set(Address.TARGET_NM, axis, round(1e3 * um))
        self._set(Address.MOVE, axis, 1)

    def _send_step(self, axis: str) -> None:
        up = self._left[axis] > 0
        self._set(Address.STEP_UP if up else Address.STEP_DOWN, axis, 1)
        self._left[axis] -= 1 if up else -1

    def _enter(self) -> None:
        """End the updates that come unasked, and supply the sensors as the set-up says."""
        self._talk(Address.UPDATES, 0, 0)
        if self._settings.sensor_voltage is not None:
            self._talk(Address.SENSOR_MV, 0, round(1e3 * self._settings.sensor_voltage))

    def _check_actuator(self, axis: str) -> None:
        if not self._of(Address.CONNECTED, axis):
            what = f"no actuator is connected as axis {self._number(axis)}"
            remedy = f"check the cable of {axis} and its 'number' in the set-up"
            raise DeviceRefusedError(self.name, "connected?", what, remedy)

    def _check_unit(self) -> None:
        self._enter()
        found = self.identity()
        if found != self._unit:
            what = f"another unit answers: {found}, was {self._unit}"
            raise DeviceRefusedError(self.name, "hardware ID?", what, "check the cables")

    def _get(self, address: Address) -> int:
        return self._talk(address, 0, None)

    def _of(self, address: Address, axis: str) -> int:
        return self._talk(address, self._number(axis), None)

    def _set(self, address: Address, axis: str, value: int) -> None:
        self._talk(address, self._number(axis), value)

    def _talk(self, address: Address, index: int, value: int | None) -> int:
        number = self._correlation = self._correlation % _LAST_CORRELATION + 1
        asks = value is None
        text = f"{address.name} {index}?" if asks else f"{address.name} {index} = {value}"
        data = wire.get(address, index, number) if asks else wire.put(address, index, number, value)
        return self._link.query(
            data,
            wire.decoder(address, index, number),
            command=text,
            timeout_s=self._settings.reply_timeout,
        )
