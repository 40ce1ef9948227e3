"""A stage without any wire: steps of another size than believed, backlash, a sensor if wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labctl.clock import VirtualClock
from labctl.roles import AxisSettings, Identity, Limits, Positioner, PositionerSettings

UP_UM, DOWN_UM, BACKLASH_UM = 0.11, 0.09, 0.3
"""What steps really are, and what is lost on turning round."""


@dataclass
class FakeAxis:
    """One axis: what it was told, and where it really is."""

    um: float = 0.0
    steps: int = 0
    began_s: float = 0.0
    upwards: bool = True
    target_um: float | None = None
    volts: float = 30.0
    hertz: float = 1000.0
    offset_v: float = 0.0
    grounded: bool = True
    stuck_at_um: float | None = None
    complaint: str = ""
    readings: list[float] = field(default_factory=list[float])


def stage_settings(**more: Any) -> PositionerSettings:
    axis: dict[str, Any] = {
        "step_voltage": "30 V",
        "step_up": "0.1 um",
        "step_down": "0.1 um",
        "fine_range": "2 um",
    }
    axes = {name: AxisSettings(number=n, **axis) for n, name in enumerate("xyz", 1)}
    return PositionerSettings.model_validate({"axes": axes, **more})


class FakeStage(Positioner):
    """Axes that move in virtual time; ``closed`` ones have a sensor without noise."""

    interface = "hand"

    def __init__(
        self,
        clock: VirtualClock,
        settings: PositionerSettings | None = None,
        *,
        closed: bool = False,
        limits: Mapping[str, Limits] | None = None,
    ) -> None:
        super().__init__("stage", clock, settings or stage_settings(), limits)
        self.closed = closed
        self.real = {axis: FakeAxis() for axis in self.axes()}
        self.diary: list[str] = []

    def identity(self) -> Identity:
        return Identity("fake", "stage")

    def has_readout(self, axis: str) -> bool:
        return self.closed

    def step_voltage_v(self, axis: str) -> float:
        return self.real[axis].volts

    def step_frequency_hz(self, axis: str) -> float:
        return self.real[axis].hertz

    def is_grounded(self, axis: str) -> bool:
        return self.real[axis].grounded

    def offset_v(self, axis: str) -> float:
        return 0.0 if self.real[axis].grounded else self.real[axis].offset_v

    def complaint(self, axis: str) -> str:
        return self.real[axis].complaint

    def _open(self) -> None:
        self.diary.append("open")

    def _close(self) -> None:
        self.diary.append("close")

    def _write_steps(self, axis: str, steps: int) -> None:
        self.diary.append(f"steps {axis} {steps}")
        one = self.real[axis]
        one.grounded, one.steps, one.began_s = False, steps, self._clock.now()

    def _write_target(self, axis: str, um: float) -> None:
        self.diary.append(f"target {axis} {um:g}")
        one = self.real[axis]
        one.grounded, one.target_um, one.began_s = False, um, self._clock.now()

    def _asks_moving(self, axis: str) -> bool:
        one = self.real[axis]
        self._let_step(one)
        return one.steps != 0 or one.target_um is not None

    def _read_sensor_um(self, axis: str) -> float:
        one = self.real[axis]
        self._let_regulate(one)
        # A sensor sees the bent piezo, too.
        return one.readings.pop(0) if one.readings else one.um + self._bent_um(one)

    def _bent_um(self, one: FakeAxis) -> float:
        return 0.0 if one.grounded else one.offset_v / 60.0 * 2.0

    def _write_stop(self, axis: str) -> None:
        self.diary.append(f"stop {axis}")
        one = self.real[axis]
        self._let_step(one)
        self._let_regulate(one)
        one.steps, one.target_um = 0, None

    def _write_step_voltage(self, axis: str, volts: float) -> None:
        self.diary.append(f"voltage {axis} {volts:g}")
        self.real[axis].volts = volts

    def _write_step_frequency(self, axis: str, hertz: float) -> None:
        self.diary.append(f"frequency {axis} {hertz:g}")
        self.real[axis].hertz = hertz

    def _write_ground(self, axis: str) -> None:
        self.diary.append(f"ground {axis}")
        self.real[axis].grounded = True

    def _write_offset(self, axis: str, volts: float) -> None:
        self.diary.append(f"offset {axis} {volts:g}")
        self.real[axis].grounded, self.real[axis].offset_v = False, volts

    def _let_step(self, one: FakeAxis) -> None:
        if one.steps and self._clock.now() - one.began_s >= abs(one.steps) / one.hertz:
            self._move(one, one.steps * (UP_UM if one.steps > 0 else DOWN_UM))
            one.steps = 0

    def _let_regulate(self, one: FakeAxis) -> None:
        if one.target_um is None:
            return
        way_um = one.target_um - one.um - self._bent_um(one)
        reach_um = UP_UM * one.hertz * (self._clock.now() - one.began_s)
        one.began_s = self._clock.now()
        self._move(one, max(-reach_um, min(reach_um, way_um)))

    def _move(self, one: FakeAxis, um: float) -> None:
        if (um > 0) != one.upwards and um:
            one.upwards = um > 0
            um = 0.0 if self.closed else (abs(um) - BACKLASH_UM) * (1 if um > 0 else -1)
        one.um += um
        if one.stuck_at_um is not None:
            one.um = min(one.um, one.stuck_at_um)
