"""Positions of a stage: closed loop by its sensors, else by dead reckoning."""

from contextlib import suppress
from dataclasses import replace

from labctl.errors import DeviceError, DeviceRefusedError, RefusedError
from labctl.roles._approach import Approach, SensorWatch, Verdict, legs_to
from labctl.roles._positioner_motion import CoarseMotion
from labctl.roles._step_book import steps_for
from labctl.units import format_quantity

__all__ = ["Positions"]


class Positions(CoarseMotion):
    """The part of ``Positioner`` that brings axes to positions."""

    # Position

    def define_position(self, axis: str, um: float) -> None:
        """Say where an axis without read-out stands, um.

        Raises:
            RefusedError: It has a read-out, or moves.
        """
        if self.has_readout(self._axis(axis)):
            raise RefusedError(self.name, f"axis {axis} has a read-out, which says where it is")
        self._refuse_while_moving(axis, "define its position")
        self._books[axis].define(um)

    def check_position(self, axis: str, um: float) -> None:
        """Refuse a position that could not be gone to, um; nothing moves.

        Raises:
            RefusedError: A limit or rule forbids it, or there is no room for the run-up.
        """
        self.check(self._axis(axis), um)
        self._check_run_up(axis, legs_to(um, um, self._stage.backlash))

    def start_position(self, axis: str, um: float) -> None:
        """Start the way to a position, um, with a run-up from below.

        Raises:
            RefusedError: A limit or rule forbids it, there is no room for the run-up, the axis
                moves, or its step sizes were never given; nothing was sent.
        """
        self.check(self._axis(axis), um)
        self._ready_to_step(axis)
        if not self.has_readout(axis):
            self._demand_sizes(axis)
        here_um = self.read_position(axis)
        legs = legs_to(here_um, um, self._stage.backlash)
        self._check_run_up(axis, legs)
        self._places.setdefault(axis, here_um)
        self._set_out(axis, legs)

    def position_arrived(self, axis: str) -> bool:
        """Look how far it is and go on with the next leg; true once it has arrived.

        With a read-out, arrived means three readings in a row within ``tolerance``.

        Raises:
            DeviceRefusedError: It sticks short of its target, has jumped, or the controller
                complains; it has been stopped, and ``recover`` brings it back.
        """
        way = self._ways.get(self._axis(axis))
        if way is None:
            return True
        if not way.due(self._clock.now()):
            return False
        try:
            if self._leg_goes_on(axis, way):
                return False
        except DeviceError:
            with suppress(DeviceError):
                self.stop(axis)
            raise
        return self._next_leg(axis, way)

    def check_held(self, axis: str) -> None:
        """Check that an axis with read-out still stands where it last arrived.

        Raises:
            DeviceRefusedError: It has moved without being told to; ``recover`` brings it back.
        """
        if self._axis(axis) not in self._held or not self.has_readout(axis):
            return
        place = self._places[axis]
        um = self._read_sensor_um(axis)
        if abs(um - place) > self._stage.tolerance:
            raise self._lost(axis, f"stood at {place:.3f} um and is at {um:.3f} um by itself")

    def recover(self, axis: str) -> float:
        """Start the way back to the last known place, after an axis has stuck or jumped.

        It backs off by the run-up first, whatever side it stands on, which frees an axis that
        sticks. Then ask ``position_arrived``.

        Returns:
            The place that it goes to, um.

        Raises:
            RefusedError: No read-out, or it has never arrived anywhere.
        """
        place = self._places.get(self._axis(axis))
        if not self.has_readout(axis):
            hint = "find the place by an image, then define_position"
            raise RefusedError(self.name, f"axis {axis} has no read-out to recover by", hint)
        if place is None:
            hint = f"move {axis} to a position of your choice"
            raise RefusedError(self.name, f"no place of axis {axis} is known", hint)
        self.stop(axis)
        self._ready_to_step(axis)
        below = [place - self._stage.backlash] if self._stage.backlash else []
        self._set_out(axis, [*below, place])
        return place

    def _check_run_up(self, axis: str, legs: list[float]) -> None:
        low = self.limits(axis).low
        if legs[0] < low:
            what = f"{axis} = {format_quantity(legs[-1], 'um')} leaves no room for the run-up"
            hint = f"it begins at {legs[0]:g} um, the limit is {low:g} um"
            raise RefusedError(self.name, what, hint)

    def _set_out(self, axis: str, legs: list[float]) -> None:
        self._fine_s.pop(axis, None)
        self._held.discard(axis)
        way = self._ways[axis] = Approach(legs)
        try:
            self._start_leg(axis, way)
        except BaseException:
            self._forget(axis)
            raise
        self._keep_beat()

    def _start_leg(self, axis: str, way: Approach) -> None:
        um = way.legs[0]
        if self.has_readout(axis):
            way.watch = self._watch(axis, um, last=len(way.legs) == 1)
            self._write_target(axis, um)
            return
        sizes = self._demand_sizes(axis)
        steps = steps_for(sizes, um - self._books[axis].um(self._clock.now()))
        if steps:
            self._begin_steps(axis, steps)

    def _watch(self, axis: str, um: float, *, last: bool) -> SensorWatch:
        stage, sizes = self._stage, self._sizes(axis)
        speed = max(sizes.up_um, sizes.down_um) * self.step_frequency_hz(axis) if sizes else None
        watch = SensorWatch(um, stage.tolerance, stage.glitch, stage.stall_time, speed)
        return watch if last else replace(watch, agreeing=1)

    def _leg_goes_on(self, axis: str, way: Approach) -> bool:
        """Ask the axis; false once it stands at the end of its leg."""
        if way.watch is None:
            return self.is_moving(axis)
        wrong = self.complaint(axis)
        if wrong:
            raise self._lost(axis, wrong)
        before, um = way.watch.last, self._read_sensor_um(axis)
        verdict = way.watch.add(self._clock.now(), um)
        if verdict is Verdict.STUCK:
            raise self._lost(axis, f"sticks at {um:.3f} um, {way.watch.target_um - um:+.3f} um off")
        if verdict is Verdict.JUMPED and before is not None:
            raise self._lost(axis, f"has jumped from {before[1]:.3f} um to {um:.3f} um")
        return verdict is not Verdict.THERE

    def _next_leg(self, axis: str, way: Approach) -> bool:
        """Start the next leg; true if there is none and the axis has arrived."""
        target_um = way.target_um
        if len(way.legs) > 1:
            del way.legs[0]
            self._start_leg(axis, way)
            return False
        if way.watch is not None:
            # A loop that goes on regulating dithers during the measurement.
            self._write_stop(axis)
        self._forget(axis)
        if self._stage.ground_after_move:
            self.ground(axis)
        self._places[axis] = target_um
        self._held.add(axis)
        return True

    def _lost(self, axis: str, what: str) -> DeviceRefusedError:
        return DeviceRefusedError(
            self.name, f"position of {axis}", what, f"recover({axis!r}) brings it to a known place"
        )
