"""Three slip-stick axes beneath the sample, as both controllers drive them."""

from collections.abc import Mapping
from typing import Any

from labctl_sim.world import PiezoAxis, PiezoTruth, World, truth_defaults

__all__ = ["AXES", "STAGE_DEFAULTS", "StageFaults", "capacitance_nf", "stage_axes"]

AXES = ("x", "y", "z")
_OWN = {
    "x_step_um": 0.12,
    "x_down_ratio": 0.93,
    "y_step_um": 0.11,
    "y_down_ratio": 1.08,
    "z_step_um": 0.08,
    "z_down_ratio": 0.89,
}
"""Steps at 30 V and 300 K differ between axes; the rest is the same for all."""
STAGE_DEFAULTS: Mapping[str, float | int | bool | str] = {
    **{k: v for k, v in truth_defaults(PiezoTruth).items() if f"x_{k}" not in _OWN},
    **_OWN,
    "drift": True,
}


def stage_axes(world: World, name: str, truth: Mapping[str, Any]) -> dict[str, PiezoAxis]:
    """Put a stage beneath the sample; ``drift`` off: whoever sits there keeps the dot in place."""
    world.attach_stage(drift=bool(truth["drift"]))
    return {axis: PiezoAxis(world, name, axis, _truth(axis, truth)) for axis in AXES}


def _truth(axis: str, truth: Mapping[str, Any]) -> PiezoTruth:
    names = truth_defaults(PiezoTruth)
    return PiezoTruth(**{name: truth.get(f"{axis}_{name}", truth.get(name)) for name in names})


def capacitance_nf(world: World, axis: str) -> float:
    """Capacitance of a piezo: about 1 uF when warm, a fifth of it at 4 K (assumed)."""
    warm_share = min(world.thermal.sample_k() / 300.0, 1.0)
    return (1000.0 + 37.0 * AXES.index(axis)) * (0.2 + 0.8 * warm_share)


class StageFaults:
    """Faults of the mechanics, whatever controller drives them."""

    piezos: Mapping[str, PiezoAxis]

    def fault_end_stop(self, axis: str = "x", upper: bool = True) -> None:
        """Let an axis run against something above or below where it stands, until cleared."""
        self._piezo(axis).block(1 if upper else -1)

    def fault_stick(self, axis: str = "x") -> None:
        """Let an axis stick on its next way, until it is stepped the other way, or cleared."""
        self._piezo(axis).stick()

    def fault_glitch(self, axis: str = "x", by_um: float = 5.0) -> None:
        """Let an axis slip at once."""
        self._piezo(axis).jump(by_um)

    def heal(self) -> None:
        """End all faults of the mechanics."""
        for piezo in self.piezos.values():
            piezo.heal()

    def _piezo(self, axis: str) -> PiezoAxis:
        if axis not in self.piezos:
            raise ValueError(f"there is no axis {axis!r}; there are {', '.join(self.piezos)}")
        return self.piezos[axis]
