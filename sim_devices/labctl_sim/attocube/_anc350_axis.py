"""One axis of an ANC350: regulation towards a target by steps, with a noisy sensor."""

from labctl_sim.attocube._stage import capacitance_nf
from labctl_sim.world import PiezoAxis, World

__all__ = ["ClosedAxis"]

_LOOP_S = 0.05
_TICK_S = 0.01
_CAPACITANCE_S = 1.0


class ClosedAxis:
    """An axis with sensor; positions in nm.

    Attributes:
        enabled: Whether the output is on; off grounds the piezo.
        target_nm: Where the regulation leads.
        reached: Whether it has led there.
        trouble: What is wrong with the sensor: "", "error" or "disconnected".
    """

    def __init__(
        self,
        world: World,
        name: str,
        axis: str,
        piezo: PiezoAxis,
        *,
        noise_um: float,
        scale_ratio: float,
    ) -> None:
        self._world, self._name, self._axis, self._piezo = world, name, axis, piezo
        self._noise_um, self._scale = noise_um, scale_ratio
        self.trouble = ""
        self.reset()

    def reset(self) -> None:
        """Power on: output off, default numbers."""
        self._loop = 0
        self._queue: list[int] = []
        self._piezo.halt()
        self._piezo.offset(0.0)
        self.enabled = self.reached = False
        self.amplitude_mv, self.hertz, self.offset_mv = 30_000, 1000, 0
        self.target_nm, self.precision_nm, self.capacitance_pf = 0, 1000, 0
        self._regulating = self._jogging = False

    @property
    def moving(self) -> bool:
        """Whether it steps, or is on its way to the target."""
        return self._piezo.moving or (self._regulating and not self.reached)

    def end(self, sign: int) -> bool:
        """Whether it stands at the end of travel on that side."""
        return self._piezo.at_end() == sign

    def position_nm(self) -> int:
        """Read the sensor; its noise stands on a grid of 10 ms of the point."""
        if self.trouble:
            return 0
        tick = int((self._world.now() - self._world.point_began_s) / _TICK_S + 1e-6)
        chance = self._world.generator(self._name, "sensor", self._axis, tick)
        um = self._scale * self._piezo.um() + self._noise_um * chance.standard_normal()
        return round(1000.0 * um)

    def enable(self, wanted: bool) -> None:
        """Switch the output."""
        if not wanted:
            self.stop()
        self.enabled = wanted
        self._piezo.offset(1e-3 * self.offset_mv if wanted else 0.0)

    def set_offset(self, millivolts: int) -> None:
        """Put an offset on the piezo."""
        self.offset_mv = millivolts
        if self.enabled:
            self._piezo.offset(1e-3 * millivolts)

    def stop(self) -> None:
        """End steps and regulation."""
        self._loop += 1
        self._queue.clear()
        self._regulating = self._jogging = False
        self._piezo.halt()

    def move(self) -> None:
        """Regulate towards the target, and on."""
        self.stop()
        self._regulating, self.reached = True, False
        self._regulate(self._loop)

    def jog(self, sign: int) -> None:
        """Step on and on."""
        self.stop()
        self._jogging = True
        self._piezo.step(None, 1e-3 * self.amplitude_mv, self.hertz, sign, self.stop)

    def step(self, sign: int) -> None:
        """Make one step; further ones wait for their turn."""
        self._regulating = False
        self._queue.append(sign)
        if not self._piezo.moving:
            self._next_step()

    def measure(self) -> None:
        """Measure the capacitance."""

        def done() -> None:
            self.capacitance_pf = round(1000.0 * capacitance_nf(self._world, self._axis))

        self._world.after(_CAPACITANCE_S, done)

    def _next_step(self) -> None:
        if self._queue:
            sign = self._queue.pop(0)
            self._piezo.step(1, 1e-3 * self.amplitude_mv, self.hertz, sign, self._next_step)

    def _regulate(self, loop: int) -> None:
        if loop != self._loop or not self._regulating:
            return
        off_nm = self.target_nm - self.position_nm()
        sign = 1 if off_nm > 0 else -1
        self.reached = abs(off_nm) <= self.precision_nm
        if self.reached:
            self._world.after(_LOOP_S, lambda: self._regulate(loop))
            return
        if self.end(sign):
            self._regulating = False
            return
        volts = 1e-3 * self.amplitude_mv
        wanted = abs(off_nm) / 1000.0 / max(self._piezo.step_um(volts, sign), 1e-6)
        steps = max(1, min(round(wanted), int(_LOOP_S * self.hertz)))
        self._piezo.step(steps, volts, self.hertz, sign, lambda: self._regulate(loop))
