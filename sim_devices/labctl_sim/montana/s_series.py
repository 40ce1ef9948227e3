"""Montana s-series (s50, s100, s200 and CryoAdvance): REST and JSON over HTTP, port 47101.

Node names and sample fields: Montana's own scripting library and QMI's s50 driver.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from labctl_sim.montana._automation import Automation, Recipe
from labctl_sim.montana._cryostat import THERMAL_DEFAULTS, MontanaCryostat
from labctl_sim.montana._nodes import make_tree
from labctl_sim.montana._rest import Json, RefusedError
from labctl_sim.wire import HttpRequest, HttpResponse, HttpSession, Send, Session
from labctl_sim.world import World

_DEFAULT_STABILITY_K = 0.2


class SSeries(MontanaCryostat):
    """The controller of an s-series cryostat; user1 is the thermometer at the sample."""

    interface: ClassVar[str] = "http"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **THERMAL_DEFAULTS,
        "sample_thermometer_fitted": True,
        "has_one_second_average": True,
        "temperature_limit_k": 350.0,
        "pump_down_s": 600.0,
        "vent_s": 60.0,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        super().__init__(name, world, settings, truth)
        start_k = float(self.truth["start_temperature_k"])
        self.recipe = Recipe(target_k=start_k if self.plant.goal == "cooldown" else 0.0)
        self.stability_targets_k: dict[str, float] = {}
        self.automation = self._make_automation()
        self._tree = make_tree(self)

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return HttpSession(send, self._answer)

    def reset(self) -> None:
        """Restart the controller: no goal, default settings."""
        self.recipe = Recipe()
        self.stability_targets_k.clear()
        self.automation.finish()
        self.automation = self._make_automation()
        self._tree = make_tree(self)

    def set_target(self, kelvin: float) -> None:
        """Take a platform set point; 0 for as cold as possible."""
        if not self.lies():
            self.recipe.target_k = kelvin
            self.automation.retarget()

    def set_user_target(self, kelvin: float) -> None:
        """Take a set point for the sample."""
        if not self.lies():
            self.recipe.user_target_k = kelvin
            self.automation.retarget()

    def enable_user(self, enabled: bool) -> None:
        """Regulate on the sample's set point instead of the platform's."""
        self.recipe.user_enabled = enabled
        self.automation.retarget()

    def stability_target_k(self, channel: str) -> float:
        """Give the limit below which a channel counts as stable."""
        return self.stability_targets_k.get(channel, _DEFAULT_STABILITY_K)

    def thermometer(self, channel: str, source: str | None) -> Json:
        """Give a thermometer's sample; without a sensor nothing in it is valid.

        Args:
            channel: The controller's name for it.
            source: The plant's name, None where no sensor is fitted.
        """
        kelvin = None if source is None else self.plant.temperature_k(source)
        spread_k = None if source is None else self.plant.stability_k(source)
        return self._sample(channel, kelvin, spread_k)

    def stage(self, number: int) -> Json:
        """Give the sample of a cold-head stage."""
        return self._sample(f"stage{number}", self.plant.stage_k(number), 0.0)

    def require(self, allowed: bool, what: str) -> None:
        """Refuse an action that the state forbids.

        Raises:
            RefusedError: Always answered as 400.
        """
        if not allowed:
            goal, state = self.automation.goal, self.state()
            raise RefusedError(f"cannot {what} now: goal {goal}, state {state}", "Not possible now")

    def state(self) -> str:
        """Name the system's state."""
        return self.automation.state(self.stability_target_k("platform"))

    def _sample(self, channel: str, kelvin: float | None, spread_k: float | None) -> Json:
        valid = kelvin is not None and not math.isnan(kelvin)
        spread_valid = spread_k is not None and not math.isnan(spread_k)
        stable = spread_valid and 0.0 <= (spread_k or 0.0) <= self.stability_target_k(channel)
        reading = _plain(kelvin)
        sample: dict[str, Json] = {
            "resistance": round(1000.0 / (kelvin or 1.0), 3) if valid else 0.0,
            "resistanceOK": valid,
            "temperature": reading,
            "temperatureOK": valid,
            "temperatureStability": _plain(spread_k),
            "temperatureStabilityOK": spread_valid,
            "temperatureStable": valid and stable,
        }
        if self.truth["has_one_second_average"]:
            sample["temperatureAvg1Sec"] = reading
        return sample

    def _make_automation(self) -> Automation:
        return Automation(
            self.plant,
            self.world,
            self.recipe,
            pump_down_s=float(self.truth["pump_down_s"]),
            vent_s=float(self.truth["vent_s"]),
            base_k=float(self.truth["base_temperature_k"]),
        )

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"PUT", "POST"} and self.refuses():
            body = b'{"title": "Not possible now", "detail": "the controller refused"}'
            return HttpResponse(400, body)
        return self._tree.answer(request)


def _plain(value: float | None) -> Json:
    """Round as the controller does; 0 where there is no sensor, null for not-a-number."""
    if value is None:
        return 0.0
    return None if math.isnan(value) else round(value, 5)
