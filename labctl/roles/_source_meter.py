"""Source-meter: a voltage with a limit of current, and the field that it makes at the dot."""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from labctl.clock import Clock
from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles._base import Instrument, Limits, SafeAction, Settable, SettableSpec, Settings
from labctl.roles._ramp import Ramp
from labctl.units import Amperes, Micrometers, Volts, VoltsPerSecond, format_quantity

__all__ = ["BiasSettings", "SourceMeter"]

_VOLTS_PER_KV_CM_UM = 0.1
"""1 kV/cm over 1 um."""
_COMPLIANCE_REL = 0.01
_LARGEST_A = 1.05


class BiasSettings(Settings):
    """Keys of a source-meter in the set-up file that do not depend on its maker.

    Attributes:
        compliance: Limit of current, A; set before the output ever goes on.
        gap: Distance of the electrodes at the dot as believed, um; None: no field can be set.
        gap_accuracy: Relative standard error of ``gap``; the error of every field.
        ramp_rate: How fast the voltage is changed, V/s.
        ramp_step: Largest step of the voltage, V.
        on_compliance: What a voltage that the limit of current does not allow means: ``flag`` the
            points that are taken at it, or ``refuse`` it (then the recipe's ``on_error`` decides).
    """

    compliance: Amperes = Field(default=1e-7, gt=0, le=_LARGEST_A)
    gap: Micrometers | None = Field(default=None, gt=0)
    gap_accuracy: float = Field(default=0.05, ge=0, lt=1)
    ramp_rate: VoltsPerSecond = Field(default=5.0, gt=0)
    ramp_step: Volts = Field(default=0.1, gt=0)
    on_compliance: Literal["flag", "refuse"] = "flag"


class SourceMeter(Instrument):
    """Base of source-meter drivers that bias electrodes. Safe means 0 V and output off.

    A voltage is never jumped to but taken up in steps, one each time that ``voltage_arrived`` is
    asked and the next one is due. The field at the dot is E = V / gap of parallel electrodes.
    """

    role: ClassVar[str] = "source_meter"
    settables = {
        "voltage": SettableSpec("V", Limits(-210.0, 210.0), 600.0, 0.02),
        "field": SettableSpec("kV/cm", Limits(-2000.0, 2000.0), 600.0, 0.2),
    }
    readables = {"voltage": "V", "current": "A", "in_compliance": "", "field": "kV/cm"}
    companions = dict.fromkeys(("voltage", "field"), ("voltage", "current", "in_compliance"))
    safe_actions = {"off": SafeAction("shut_off", "is_off")}

    def __init__(
        self,
        name: str,
        bias: BiasSettings,
        clock: Clock,
        limits: Mapping[str, Limits] | None = None,
    ) -> None:
        """Remember how to bias; ``clock`` says when the next step of a ramp is due."""
        super().__init__(name, limits)
        self.bias = bias
        self._clock = clock
        self._ramp: Ramp | None = None
        self._rouse: Callable[[], None] | None = None

    @abstractmethod
    def _write_level(self, volts: float) -> None:
        """Set the programmed voltage at once."""

    @abstractmethod
    def _write_output(self, on: bool) -> None:
        """Switch the output on or off."""

    @abstractmethod
    def _write_compliance(self, amperes: float) -> None:
        """Set the limit of current."""

    @abstractmethod
    def level_v(self) -> float:
        """Return the programmed voltage, V; what the output gives may be less."""

    @abstractmethod
    def compliance_a(self) -> float:
        """Return the limit of current, A."""

    @abstractmethod
    def output_on(self) -> bool:
        """Ask whether the output is on."""

    @abstractmethod
    def in_compliance(self) -> bool:
        """Ask whether the limit of current is reached now."""

    @abstractmethod
    def read_voltage(self) -> float:
        """Return the voltage at the output, V; 0 while it is off."""

    @abstractmethod
    def read_current(self) -> float:
        """Return the current, A; NaN while the output is off."""

    def read_in_compliance(self) -> float:
        """Return 1.0 while the limit of current is reached, else 0.0."""
        return float(self.in_compliance())

    def read_field(self) -> float:
        """Return the field that the voltage makes at the dot, kV/cm, with the believed gap."""
        return self.read_voltage() / self._volts_per_kv_cm()

    def set_compliance_a(self, amperes: float) -> None:
        """Set the limit of current, A, and read it back.

        Raises:
            RefusedError: It is no number, or not above 0 and at most 1.05 A.
            DeviceRefusedError: The instrument holds another one.
        """
        if not 0.0 < amperes <= _LARGEST_A:
            what = f"compliance = {format_quantity(amperes, 'A')}"
            raise RefusedError(self.name, what, f"above 0 and at most {_LARGEST_A} A")
        self._write_compliance(amperes)
        held_a = self.compliance_a()
        if not abs(held_a - amperes) <= _COMPLIANCE_REL * amperes:
            raise DeviceRefusedError(
                self.name,
                f"compliance {format_quantity(amperes, 'A')}",
                f"holds {format_quantity(held_a, 'A')}",
                "it depends on the range of current; choose another one",
            )

    def switch_on(self) -> None:
        """Switch the output on at 0 V, with the limit of current in force, and read back.

        Raises:
            DeviceRefusedError: It stays off, for example by its interlock.
        """
        self.set_compliance_a(self.bias.compliance)
        self._write_level(0.0)
        self._write_output(True)
        if not self.output_on():
            raise DeviceRefusedError(
                self.name, "output on", "it stays off", "is the interlock closed?"
            )

    def shut_off(self) -> None:
        """Go to 0 V at once and switch the output off."""
        self._end_ramp()
        self._write_level(0.0)
        self._write_output(False)

    def is_off(self) -> bool:
        """Ask whether the output is off and would come on with 0 V."""
        return not self.output_on() and self.level_v() == 0.0

    def start_voltage(self, volts: float) -> None:
        """Begin to ramp to a voltage; the output is switched on if it is off.

        Raises:
            RefusedError: Out of the limits.
        """
        self.check("voltage", volts)
        self._end_ramp()
        if not self.output_on():
            self.switch_on()
        ramp = Ramp(
            self.level_v(),
            volts,
            per_s=self.bias.ramp_rate,
            step=self.bias.ramp_step,
            now_s=self._clock.now(),
        )
        self._ramp = ramp
        if self._clock.virtual:
            # Virtual time must stop when a step is due even if nothing else happens then.
            self._rouse = self._clock.call_every(ramp.period_s, lambda: None)

    def voltage_arrived(self) -> bool:
        """Take the step that is due; True once the target is set and has been read back.

        Raises:
            DeviceRefusedError: The level is another one, the output is off, or the limit of
                current is reached and the set-up refuses that.
        """
        ramp = self._ramp
        if ramp is None:
            return True
        level = ramp.due(self._clock.now())
        if level is not None:
            self._write_level(level)
        if not ramp.done:
            return False
        self._end_ramp()
        self._confirm_level(ramp.target)
        return True

    def start_field(self, kv_cm: float) -> None:
        """Begin to ramp to the voltage that makes this field.

        Raises:
            RefusedError: Out of the limits of field or voltage, or the gap is not known.
        """
        self.check("field", kv_cm)
        self.start_voltage(kv_cm * self._volts_per_kv_cm())

    def field_arrived(self) -> bool:
        """Take the step that is due; True once the voltage is set and has been read back."""
        return self.voltage_arrived()

    def _settable(self, quantity: str) -> Settable:
        found = super()._settable(quantity)
        return _Level(found.name, found.spec, found.start, found.arrived, found.read)

    def _volts_per_kv_cm(self) -> float:
        if self.bias.gap is None:
            what = "a field needs the distance of the electrodes"
            raise RefusedError(self.name, what, "write it into the set-up, like 'gap: 5 um'")
        return self.bias.gap * _VOLTS_PER_KV_CM_UM

    def _confirm_level(self, volts: float) -> None:
        command, held_v = f"voltage {format_quantity(volts, 'V')}", self.level_v()
        if not self.output_on():
            raise DeviceRefusedError(self.name, command, "the output is off", "look at it")
        if not math.isclose(held_v, volts, abs_tol=self.settables["voltage"].tolerance):
            reply, remedy = f"holds {format_quantity(held_v, 'V')}", "is it under remote control?"
            raise DeviceRefusedError(self.name, command, reply, remedy)
        if self.bias.on_compliance == "refuse" and self.in_compliance():
            raise DeviceRefusedError(
                self.name,
                command,
                f"more than {format_quantity(self.bias.compliance, 'A')} would flow",
                "use less voltage, or look for a short",
            )

    def _end_ramp(self) -> None:
        self._ramp = None
        if self._rouse is not None:
            self._rouse()
            self._rouse = None


class _Level(Settable):
    """A voltage or field, whose level has been read back when it arrived.

    What is measured may be less: then the limit of current is reached, and the points say so.
    """

    def confirm(self, target: float) -> float:
        """Return what is measured."""
        del target
        return self.read()
