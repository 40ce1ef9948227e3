"""The axes of a stage: what they are, and coarse motion by slip-stick steps."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Literal

from labctl.clock import Cancel, Clock
from labctl.errors import DeviceError, DeviceRefusedError, RefusedError
from labctl.roles._approach import POLL_S, Approach
from labctl.roles._base import Instrument
from labctl.roles._limits import Limits
from labctl.roles._positioner_axis import AXES, AxisFacts, AxisName, PositionerSettings, StepSizes
from labctl.roles._step_book import StepBook, length_um
from labctl.units import format_quantity

__all__ = ["CoarseMotion"]


class CoarseMotion(Instrument):
    """The part of ``Positioner`` that concerns axes, steps and grounding."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        settings: PositionerSettings,
        limits: Mapping[str, Limits] | None = None,
    ) -> None:
        """Know the axes that the set-up names; ``clock`` times what is asked again and again."""
        super().__init__(name, limits)
        self._clock, self._stage = clock, settings
        self._books = {axis: StepBook(own.step_sizes()) for axis, own in settings.axes.items()}
        self._wanted_v = {a: own.step_voltage for a, own in settings.axes.items()}
        self._wanted_hz = {a: own.step_frequency for a, own in settings.axes.items()}
        self._ways: dict[str, Approach] = {}
        self._places: dict[str, float] = {}
        self._held: set[str] = set()
        self._fine_s: dict[str, float] = {}
        self._beat: Cancel | None = None

    # What a driver writes

    @abstractmethod
    def has_readout(self, axis: str) -> bool:
        """Tell whether a sensor reads the position of this axis."""

    @abstractmethod
    def _write_steps(self, axis: str, steps: int) -> None:
        """Start steps, upwards if positive; ends a grounding."""

    @abstractmethod
    def _asks_moving(self, axis: str) -> bool:
        """Ask whether the axis still steps or regulates towards a target."""

    @abstractmethod
    def _write_stop(self, axis: str) -> None:
        """End steps and regulation."""

    @abstractmethod
    def step_voltage_v(self, axis: str) -> float:
        """Ask for the step voltage, V."""

    @abstractmethod
    def _write_step_voltage(self, axis: str, volts: float) -> None:
        """Send the step voltage."""

    @abstractmethod
    def step_frequency_hz(self, axis: str) -> float:
        """Ask for the rate of steps, Hz."""

    @abstractmethod
    def _write_step_frequency(self, axis: str, hertz: float) -> None:
        """Send the rate of steps."""

    @abstractmethod
    def _write_ground(self, axis: str) -> None:
        """Ground the piezo; it loses its offset voltage."""

    @abstractmethod
    def is_grounded(self, axis: str) -> bool:
        """Ask whether the piezo is grounded."""

    @abstractmethod
    def offset_v(self, axis: str) -> float:
        """Ask for the offset voltage that is on the piezo now, V; 0 when grounded."""

    @abstractmethod
    def _write_offset(self, axis: str, volts: float) -> None:
        """Put an offset voltage on the piezo; ends a grounding."""

    def _read_sensor_um(self, axis: str) -> float:
        """Ask the sensor, um; written by drivers with read-out."""
        raise RefusedError(self.name, f"axis {axis} has no read-out")

    def _write_target(self, axis: str, um: float) -> None:
        """Start the regulation towards a position; written by drivers with read-out."""
        raise RefusedError(self.name, f"axis {axis} has no read-out")

    def complaint(self, axis: str) -> str:
        """Return what the controller itself says is wrong with an axis, or an empty text."""
        self._axis(axis)
        return ""

    # Axes

    def axes(self) -> tuple[str, ...]:
        """Return the names of the axes that the set-up describes, in the order x, y, z."""
        return tuple(axis for axis in AXES if axis in self._stage.axes)

    def facts(self, axis: str) -> AxisFacts:
        """Return what is believed of an axis; step sizes at the set step voltage."""
        own, sizes = self._stage.axes[self._axis(axis)], self._sizes(axis)
        return AxisFacts(
            sizes.up_um if sizes else None,
            sizes.down_um if sizes else None,
            own.fine_range,
            self.has_readout(axis),
            self.limits(axis),
        )

    def set_step_sizes(self, axis: str, up_um: float, down_um: float) -> None:
        """Believe other step sizes, um, found at the step voltage that is set now.

        Raises:
            RefusedError: A size is not positive, or the axis moves.
        """
        self._refuse_while_moving(axis, "set step sizes")
        if not (0 < up_um < float("inf") and 0 < down_um < float("inf")):
            raise RefusedError(self.name, f"step sizes {up_um:g} and {down_um:g} um of {axis}")
        self._books[self._axis(axis)].sizes = StepSizes(up_um, down_um, self.step_voltage_v(axis))

    def use_calibration(self, name: str, result: Mapping[str, Any]) -> None:
        """Believe measured step sizes from now on; of axes that were not measured, as before."""
        del name
        for axis, found in result["axes"].items():
            sizes = StepSizes(found["up_um"], found["down_um"], found["at_v"])
            self._books[self._axis(axis)].sizes = sizes

    def position_known(self, axis: str) -> Literal["sensor", "steps"]:
        """Tell whether a sensor reads the position, or it is an estimate from steps."""
        return "sensor" if self.has_readout(self._axis(axis)) else "steps"

    def reckoned_um(self, axis: str) -> float | None:
        """Return where its steps have led an axis without read-out, um; asks nobody.

        None: it has a read-out, or the sizes of its steps were never given.
        """
        book = self._books[self._axis(axis)]
        known = book.sizes is not None and not self.has_readout(axis)
        return book.um(self._clock.now()) if known else None

    def read_position(self, axis: str) -> float:
        """Return the position, um: read by the sensor, else estimated.

        Raises:
            RefusedError: No sensor, and step sizes were never given.
        """
        if self.has_readout(self._axis(axis)):
            return self._read_sensor_um(axis)
        self._demand_sizes(axis)
        return self._books[axis].um(self._clock.now())

    # Coarse motion

    def start_steps(self, axis: str, steps: int) -> None:
        """Start steps, upwards if positive.

        Raises:
            RefusedError: The axis moves, a limit or rule forbids it, or the believed end lies
                outside the limits; nothing was sent.
        """
        self._ready_to_step(axis)
        sizes = self._sizes(axis)
        if sizes is not None:
            self.check(axis, self.read_position(axis) + length_um(sizes, steps))
        self._forget(axis)
        self._held.discard(axis)
        self._begin_steps(axis, steps)

    def is_moving(self, axis: str) -> bool:
        """Ask whether steps or regulation go on."""
        moving = self._asks_moving(self._axis(axis))
        if not moving:
            self._books[axis].end()
        return moving

    def stop(self, axis: str) -> None:
        """End whatever coarse motion the axis makes; the approach to a target is given up."""
        self._forget(axis)
        self._write_stop(self._axis(axis))
        self._books[axis].cut(self._clock.now())

    def stop_all(self) -> None:
        """End the motion of all axes; one that fails does not keep others going."""
        self._all(self.stop)

    def all_stopped(self) -> bool:
        """Ask whether all axes stand."""
        return not any(self.is_moving(axis) for axis in self.axes())

    def ground(self, axis: str) -> None:
        """Stop and ground an axis, and read back; its fine offset is gone.

        Raises:
            DeviceRefusedError: It is not grounded afterwards.
        """
        self.stop(axis)
        self._fine_s.pop(axis, None)
        self._write_ground(axis)
        if not self.is_grounded(axis):
            raise DeviceRefusedError(
                self.name, f"ground {axis}", "is not grounded", "look at the controller's front"
            )

    def ground_all(self) -> None:
        """Ground all axes; one that fails does not keep others from it."""
        self._all(self.ground)

    def all_grounded(self) -> bool:
        """Ask whether all axes are grounded."""
        return all(self.is_grounded(axis) for axis in self.axes())

    def set_step_voltage(self, axis: str, volts: float) -> None:
        """Set the step voltage, V, and read it back.

        Raises:
            RefusedError: A limit or a rule of the set-up forbids it; nothing was sent.
            DeviceRefusedError: Another voltage is set afterwards.
        """
        self.check(f"step_voltage_{self._axis(axis)}", volts)
        self._write_step_voltage(axis, volts)
        self._confirm(f"step_voltage_{axis}", volts)
        self._wanted_v[self._axis(axis)] = volts

    def set_step_frequency(self, axis: str, hertz: float) -> None:
        """Set the rate of steps, Hz, and read it back.

        Raises:
            RefusedError: A limit or a rule of the set-up forbids it; nothing was sent.
            DeviceRefusedError: Another rate is set afterwards.
        """
        self.check(f"step_frequency_{self._axis(axis)}", hertz)
        self._write_step_frequency(axis, hertz)
        self._confirm(f"step_frequency_{axis}", hertz)
        self._wanted_hz[self._axis(axis)] = hertz

    def _axis(self, axis: str) -> AxisName:
        for known in self._stage.axes:
            if known == axis:
                return known
        raise RefusedError(self.name, f"has no axis {axis!r}", f"axes: {', '.join(self.axes())}")

    def _sizes(self, axis: str) -> StepSizes | None:
        sizes = self._books[self._axis(axis)].sizes
        return None if sizes is None else sizes.at(self.step_voltage_v(axis))

    def _demand_sizes(self, axis: str) -> StepSizes:
        sizes = self._sizes(axis)
        if sizes is None or not (sizes.up_um > 0 and sizes.down_um > 0):
            hint = f"write step_up, step_down and step_voltage of axis {axis} in the set-up"
            raise RefusedError(
                self.name, f"the position of {axis} is not known without step sizes", hint
            )
        return sizes

    def _refuse_while_moving(self, axis: str, what: str) -> None:
        if self.is_moving(axis):
            raise RefusedError(self.name, f"axis {axis} moves: {what}", "wait, or stop it")

    def _ready_to_step(self, axis: str) -> None:
        """Refuse steps while the axis moves, or with what is set against a limit or rule.

        The set-up's voltage and rate, or those set last, are sent where the controller holds
        others: on the first motion, and after it has lost power.
        """
        self._refuse_while_moving(axis, "start to step")
        held_v, held_hz = self.step_voltage_v(axis), self.step_frequency_hz(axis)
        volts = self._wanted_v[self._axis(axis)]
        hertz = self._wanted_hz[self._axis(axis)]
        self.check(f"step_voltage_{axis}", held_v if volts is None else volts)
        self.check(f"step_frequency_{axis}", held_hz if hertz is None else hertz)
        if volts is not None and abs(volts - held_v) > self._tolerance("step_voltage_x"):
            self.set_step_voltage(axis, volts)
        if hertz is not None and abs(hertz - held_hz) > self._tolerance("step_frequency_x"):
            self.set_step_frequency(axis, hertz)

    def _tolerance(self, quantity: str) -> float:
        return self.settables[quantity].tolerance

    def _number(self, axis: str) -> int:
        """Return the number of an axis at its controller."""
        return self._stage.axes[self._axis(axis)].number

    def _forget_all(self) -> None:
        """Give up everything under way, when the connection is closed."""
        self._ways.clear()
        self._fine_s.clear()
        self._held.clear()
        self._keep_beat()

    def _begin_steps(self, axis: str, steps: int) -> None:
        voltage_v, frequency_hz = self.step_voltage_v(axis), self.step_frequency_hz(axis)
        self._write_steps(axis, steps)
        self._books[axis].begin(steps, self._clock.now(), frequency_hz, voltage_v)

    def _confirm(self, quantity: str, value: float) -> None:
        found, spec = self.read(quantity), self.settables[quantity]
        if abs(found - value) > spec.tolerance:
            raise DeviceRefusedError(
                self.name,
                f"{quantity} = {format_quantity(value, spec.unit)}",
                f"is {format_quantity(found, spec.unit)}",
                "set a narrower limit in the set-up",
            )

    def _all(self, do: Callable[[str], None]) -> None:
        failures: list[DeviceError] = []
        for axis in self.axes():
            try:
                do(axis)
            except DeviceError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _forget(self, axis: str) -> None:
        self._ways.pop(axis, None)
        self._keep_beat()

    def _keep_beat(self) -> None:
        """In virtual time, have the axes under way asked at a steady beat."""
        wanted = self._clock.virtual and bool(self._ways or self._fine_s)
        if wanted and self._beat is None:
            self._beat = self._clock.call_every(POLL_S, lambda: None)
        elif not wanted and self._beat is not None:
            self._beat()
            self._beat = None
