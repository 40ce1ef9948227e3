"""Positioner: a stage of slip-stick axes with coarse steps, a position, and fine motion."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial, partialmethod
from typing import Any, ClassVar

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles._base import SafeAction, Settable, SettableSpec
from labctl.roles._limits import Limits
from labctl.roles._positioner_axis import AXES, LineMarker
from labctl.roles._positioner_motion import CoarseMotion
from labctl.roles._positioner_positions import Positions
from labctl.units import format_quantity

__all__ = ["Positioner"]

_POSITION = SettableSpec("um", Limits(-50_000.0, 50_000.0), 600.0, 0.1)
_FINE = SettableSpec("um", Limits(0.0, 1000.0), 10.0, 0.02)
_VOLTAGE = SettableSpec("V", Limits(0.0, 150.0), 5.0, 0.01)
_FREQUENCY = SettableSpec("Hz", Limits(1.0, 10_000.0), 5.0, 0.5)


def _for_each(specs: Mapping[str, SettableSpec]) -> dict[str, SettableSpec]:
    return {form.format(axis): spec for form, spec in specs.items() for axis in AXES}


class Positioner(Positions):
    """Base of stage drivers: axes x, y, z of one controller. Positions in um, voltages in V.

    Coarse motion is made of slip-stick steps, whose size nobody knows well; fine motion is the
    bending of the same piezo by an offset voltage, without any slip. They are different things:
    ``x`` is the coarse position, ``fine_x`` the offset from it. Grounding an axis takes its
    offset away, and coarse motion begins without one.

    Where a sensor reads the position, it alone says where the axis is. Without one the position
    is an estimate from steps and their believed size (``position_known``), and its zero is where
    the axis stood on connecting. Every target is met from below, after a run-up of ``backlash``.

    Step voltage and frequency are settables of each axis (``step_voltage_x`` …), so that rules of
    the set-up can limit them; every command that steps is checked against these limits, too.
    """

    role: ClassVar[str] = "positioner"
    settables = {
        **_for_each({"{}": _POSITION, "fine_{}": _FINE}),
        **_for_each({"step_voltage_{}": _VOLTAGE, "step_frequency_{}": _FREQUENCY}),
    }
    readables = {
        **{name: spec.unit for name, spec in settables.items()},
        **{f"offset_{axis}": "V" for axis in AXES},
    }
    calibrated_by = {"x": ("step_sizes",), "y": ("step_sizes",)}
    safe_actions = {
        "stop": SafeAction("stop_all", "all_stopped"),
        "ground": SafeAction("ground_all", "all_grounded"),
    }

    # Fine motion

    def check_fine_position(self, axis: str, um: float) -> None:
        """Refuse a displacement that the fine motion could not take, um; nothing moves.

        Raises:
            RefusedError: The axis has no fine motion, or it lies outside the range.
        """
        range_um, _ = self._fine(axis)
        self.check(f"fine_{axis}", um)
        if um > range_um:
            what = f"fine_{axis} = {format_quantity(um, 'um')} is out of range"
            raise RefusedError(self.name, what, f"allowed: 0 to {range_um:g} um")

    def start_fine_position(self, axis: str, um: float) -> None:
        """Put the fine motion at a displacement, um, by the offset voltage.

        Raises:
            RefusedError: The axis has no fine motion, it lies outside the range, or the axis
                moves; nothing was sent.
            DeviceRefusedError: Another voltage is set afterwards.
        """
        self.check_fine_position(axis, um)
        range_um, full_v = self._fine(axis)
        self._refuse_while_moving(axis, "fine motion")
        volts = um / range_um * full_v
        # A sensor sees the fine motion, too: from now on it is elsewhere, and not by itself.
        self._held.discard(axis)
        self._write_offset(axis, volts)
        held_v = self.offset_v(axis)
        if abs(held_v - volts) > self._tolerance("step_voltage_x"):
            reply = f"has an offset of {held_v:g} V instead of {volts:g} V"
            raise DeviceRefusedError(self.name, f"fine_{axis}", reply, "narrow its limits")
        self._fine_s[axis] = self._clock.now() + self._stage.fine_dwell
        self._keep_beat()

    def fine_arrived(self, axis: str) -> bool:
        """Tell whether the dwell time after a fine motion is over."""
        if self._clock.now() < self._fine_s.get(self._axis(axis), 0.0):
            return False
        self._fine_s.pop(axis, None)
        self._keep_beat()
        return True

    def read_fine_position(self, axis: str) -> float:
        """Return the displacement that belongs to the offset voltage, um; 0 when grounded."""
        range_um, full_v = self._fine(axis)
        return self.offset_v(axis) / full_v * range_um

    # Lines on the fly

    def line_marker(self) -> LineMarker:
        """Return the cable by which the beginning of a line is marked in a stream of photons.

        Raises:
            RefusedError: There is none.
        """
        marker = self._stage.line_marker
        if marker is None:
            what = "no trigger output is cabled to the time tagger, so lines cannot be marked"
            hint = "write 'line_marker: {output: 1, marker: 4}' in the set-up if there is a cable"
            raise RefusedError(self.name, what, hint)
        return marker

    def mark_line(self, on: bool) -> None:
        """Put the trigger output of ``line_marker`` on a level; the marker is its rising edge.

        Raises:
            RefusedError: There is no cable, or the controller has no such output.
        """
        self._write_output(self.line_marker().output, on)

    def sweep_fine_position(self, axis: str, um: float) -> None:
        """Put the fine motion at a displacement of a sweep, um: one order, without read-back.

        Begin with ``start_fine_position``, and read back where the sweep ends.

        Raises:
            RefusedError: It lies outside the range; nothing was sent.
        """
        self.check_fine_position(axis, um)
        range_um, full_v = self._fine(axis)
        self._write_sweep(axis, um / range_um * full_v)

    def _write_output(self, output: int, high: bool) -> None:
        """Put a trigger output on a level; a driver whose controller has some overrides this."""
        del high
        what = f"its controller has no trigger output {output} that labctl can set"
        raise RefusedError(self.name, what, "remove 'line_marker' from the set-up")

    def _write_sweep(self, axis: str, volts: float) -> None:
        """Send the offset voltage of an axis whose output is an offset already."""
        self._write_offset(axis, volts)

    # The settables and readables by name

    start_x = partialmethod(Positions.start_position, "x")
    start_y = partialmethod(Positions.start_position, "y")
    start_z = partialmethod(Positions.start_position, "z")
    x_arrived = partialmethod(Positions.position_arrived, "x")
    y_arrived = partialmethod(Positions.position_arrived, "y")
    z_arrived = partialmethod(Positions.position_arrived, "z")
    read_x = partialmethod(Positions.read_position, "x")
    read_y = partialmethod(Positions.read_position, "y")
    read_z = partialmethod(Positions.read_position, "z")

    start_fine_x = partialmethod(start_fine_position, "x")
    start_fine_y = partialmethod(start_fine_position, "y")
    start_fine_z = partialmethod(start_fine_position, "z")
    fine_x_arrived = partialmethod(fine_arrived, "x")
    fine_y_arrived = partialmethod(fine_arrived, "y")
    fine_z_arrived = partialmethod(fine_arrived, "z")
    read_fine_x = partialmethod(read_fine_position, "x")
    read_fine_y = partialmethod(read_fine_position, "y")
    read_fine_z = partialmethod(read_fine_position, "z")

    def _at_once(self, axis: str) -> bool:
        return axis in self._stage.axes

    def _ask(self, question: str, axis: str) -> float:
        value: float = getattr(self, question)(self._axis(axis))
        return value

    start_step_voltage_x = partialmethod(CoarseMotion.set_step_voltage, "x")
    start_step_voltage_y = partialmethod(CoarseMotion.set_step_voltage, "y")
    start_step_voltage_z = partialmethod(CoarseMotion.set_step_voltage, "z")
    step_voltage_x_arrived = partialmethod(_at_once, "x")
    step_voltage_y_arrived = partialmethod(_at_once, "y")
    step_voltage_z_arrived = partialmethod(_at_once, "z")
    read_step_voltage_x = partialmethod(_ask, "step_voltage_v", "x")
    read_step_voltage_y = partialmethod(_ask, "step_voltage_v", "y")
    read_step_voltage_z = partialmethod(_ask, "step_voltage_v", "z")

    start_step_frequency_x = partialmethod(CoarseMotion.set_step_frequency, "x")
    start_step_frequency_y = partialmethod(CoarseMotion.set_step_frequency, "y")
    start_step_frequency_z = partialmethod(CoarseMotion.set_step_frequency, "z")
    step_frequency_x_arrived = partialmethod(_at_once, "x")
    step_frequency_y_arrived = partialmethod(_at_once, "y")
    step_frequency_z_arrived = partialmethod(_at_once, "z")
    read_step_frequency_x = partialmethod(_ask, "step_frequency_hz", "x")
    read_step_frequency_y = partialmethod(_ask, "step_frequency_hz", "y")
    read_step_frequency_z = partialmethod(_ask, "step_frequency_hz", "z")

    read_offset_x = partialmethod(_ask, "offset_v", "x")
    read_offset_y = partialmethod(_ask, "offset_v", "y")
    read_offset_z = partialmethod(_ask, "offset_v", "z")

    def snapshot(self) -> dict[str, Any]:
        """Return what each axis is set to, where it is, and how that is known."""
        return {
            "ground_after_move": self._stage.ground_after_move,
            "axes": {axis: self._snapshot_of(axis) for axis in self.axes()},
        }

    def _snapshot_of(self, axis: str) -> dict[str, Any]:
        facts = self.facts(axis)
        known = facts.has_readout or facts.step_up_um is not None
        fine = facts.fine_range_um is not None
        return {
            "position_um": self.read_position(axis) if known else None,
            "position_known": self.position_known(axis),
            "fine_um": self.read_fine_position(axis) if fine else None,
            "offset_v": self.offset_v(axis) if fine else None,
            "fine_range_um": facts.fine_range_um,
            "step_voltage_v": self.step_voltage_v(axis),
            "step_frequency_hz": self.step_frequency_hz(axis),
            "step_up_um": facts.step_up_um,
            "step_down_um": facts.step_down_um,
            "grounded": self.is_grounded(axis),
        }

    def _settable(self, quantity: str) -> Settable:
        found = super()._settable(quantity)
        if quantity not in AXES:
            return found
        axis = self._axis(quantity)
        spec = replace(found.spec, tolerance=self._tolerance_um(axis))
        recover = partial(self.recover, axis) if self.has_readout(axis) else None
        return replace(found, spec=spec, recover=recover)

    def _tolerance_um(self, axis: str) -> float:
        """Return how far the read-back may be off: an estimate is good to one step."""
        sizes = None if self.has_readout(axis) else self._sizes(axis)
        return self._stage.tolerance if sizes is None else max(sizes.up_um, sizes.down_um)

    def _fine(self, axis: str) -> tuple[float, float]:
        own = self._stage.axes[self._axis(axis)]
        if own.fine_range is None:
            hint = "write its fine_range in the set-up, if its module can offset"
            raise RefusedError(self.name, f"axis {axis} has no fine motion", hint)
        return own.fine_range, own.fine_voltage
