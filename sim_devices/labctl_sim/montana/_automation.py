"""Goals of the s-series and the states it goes through on the way to them.

Names of goals and states: Montana's scripting library and QMI; times and order of the phases are
assumed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from labctl_sim.montana._plant import Plant
from labctl_sim.wire import Timeline

_WARM_K = 285.0
_LOOK_EVERY_S = 10.0
_ACQUIRING_WITHIN_K = 5.0
_PURGE_S = 120.0
_BASE_WITHIN_K = 0.5


@dataclass
class Recipe:
    """What a cool-down begins with; settings of the client."""

    target_k: float = 0.0
    """0 means as cold as possible."""
    bakeout: bool = False
    bakeout_k: float = 325.0
    bakeout_s: float = 3600.0
    purge: bool = False
    purge_times: int = 3
    user_enabled: bool = False
    user_target_k: float = 0.0

    def wanted_k(self) -> float | None:
        """Give the temperature to hold; None for as cold as possible."""
        return (self.user_target_k if self.user_enabled else self.target_k) or None


class Automation:
    """Goal and state of one cryostat.

    Args:
        plant: The cryostat.
        timeline: The world.
        recipe: The client's settings, read whenever a phase begins.
        pump_down_s: How long the pump takes from air.
        vent_s: How long venting takes.
        base_k: The coldest temperature, to tell when it is reached.
    """

    def __init__(
        self,
        plant: Plant,
        timeline: Timeline,
        recipe: Recipe,
        *,
        pump_down_s: float,
        vent_s: float,
        base_k: float,
    ) -> None:
        self._plant = plant
        self._timeline = timeline
        self._recipe = recipe
        self._pump_down_s = pump_down_s
        self._vent_s = vent_s
        self._base_k = base_k
        self._evacuated = plant.goal == "cooldown"
        self._cancel: Callable[[], None] | None = None
        self.goal = "Cooldown" if plant.goal == "cooldown" else "None"
        self._phase = "" if plant.goal == "cooldown" else "Ready"

    def can_cool_down(self) -> bool:
        """Whether a cool-down may begin."""
        return self.goal == "None" and not self._plant.tripped

    def can_warm_up(self) -> bool:
        """Whether a warm-up may begin."""
        return self.goal in {"None", "Cooldown"} and not self._is_warm()

    def can_vent(self) -> bool:
        """Whether air may be let in."""
        return self.goal == "None" and self._is_warm()

    def can_pull_vacuum(self) -> bool:
        """Whether the pump may begin."""
        return self.goal == "None"

    def state(self, stability_target_k: float) -> str:
        """Name the state; stable means that the trailing stability is below the target."""
        if self._plant.tripped:
            return "WaitingForVacuumSystem"
        return self._phase or self._cooling_state(stability_target_k)

    def cool_down(self) -> None:
        """Pump, purge and bake as the settings say, then cool."""
        phases: list[tuple[str, float]] = []
        if not self._evacuated:
            phases.append(("Pulling Vacuum", self._pump_down_s))
        if self._recipe.purge:
            phases.append(("Purging", _PURGE_S * self._recipe.purge_times))
        if self._recipe.bakeout:
            phases.append(("BakingOut", self._recipe.bakeout_s))
        self._begin("Cooldown")
        self._run(phases, self._cool)

    def warm_up(self) -> None:
        """Warm up; the goal ends when the platform is warm."""
        self._begin("Warmup")
        self._phase = "WarmingUp"
        self._plant.pursue("warmup", None)
        self._watch_warming()

    def vent(self) -> None:
        """Let air in."""
        self._begin("Vent")
        self._evacuated = False
        self._run([("Venting", self._vent_s)], self.finish)

    def pull_vacuum(self) -> None:
        """Pump."""
        self._begin("PullVacuum")
        self._run([("Pulling Vacuum", self._pump_down_s)], self._pumped)

    def finish(self) -> None:
        """End the goal, reached or given up."""
        self._begin("None")
        self._phase = "Ready"
        self._plant.pursue("idle", self._recipe.wanted_k())

    def retarget(self) -> None:
        """Take a changed set point."""
        self._plant.set_target(self._recipe.wanted_k())

    def _begin(self, goal: str) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        self.goal = goal

    def _run(self, phases: list[tuple[str, float]], last: Callable[[], None]) -> None:
        if not phases:
            last()
            return
        self._phase, duration_s = phases[0]
        self._cancel = self._timeline.after(duration_s, lambda: self._run(phases[1:], last))

    def _cool(self) -> None:
        self._evacuated = True
        self._phase = ""
        self._plant.pursue("cooldown", self._recipe.wanted_k())

    def _pumped(self) -> None:
        self._evacuated = True
        self.finish()

    def _watch_warming(self) -> None:
        if self._is_warm():
            self.finish()
        else:
            self._cancel = self._timeline.after(_LOOK_EVERY_S, self._watch_warming)

    def _is_warm(self) -> bool:
        platform_k = self._plant.temperature_k("platform")
        return platform_k is not None and platform_k >= _WARM_K

    def _cooling_state(self, stability_target_k: float) -> str:
        platform_k = self._plant.temperature_k("platform")
        stability_k = self._plant.stability_k("platform")
        if platform_k is None or stability_k is None:
            return "Invalid"
        wanted_k = self._recipe.wanted_k()
        goal_k = self._base_k if wanted_k is None else wanted_k
        if platform_k > goal_k + _ACQUIRING_WITHIN_K:
            return "CoolingDown"
        within_k = _BASE_WITHIN_K if wanted_k is None else stability_target_k
        settled = abs(platform_k - goal_k) <= within_k and stability_k <= stability_target_k
        return "StableAtTarget" if settled else "AcquiringTarget"
