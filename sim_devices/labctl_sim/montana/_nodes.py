"""The s-series' end points, each tied to what it reads or does."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from labctl_sim.montana._rest import Json, Property, RefusedError, RestTree, flag, number

if TYPE_CHECKING:
    from labctl_sim.montana.s_series import SSeries

_HIGHEST_BAKEOUT_K = 350.0
_LONGEST_BAKEOUT_S = 1e6
_CHAMBER = "sampleChamber/temperatureControllers"
_SOURCES: dict[str, str | None] = {
    "platform": "platform",
    "user1": "sample",
    "user2": None,
    "cryoOptic": None,
}


def make_tree(cryostat: "SSeries") -> RestTree:
    """Make all end points of one controller."""
    properties = {
        **_controller(cryostat),
        **_bakeout(cryostat),
        **_chamber(cryostat),
        **_cooler(cryostat),
    }
    return RestTree(properties, _methods(cryostat))


def _methods(cryostat: "SSeries") -> dict[str, Callable[[], None]]:
    auto = cryostat.automation

    def guarded(allowed: Callable[[], bool], act: Callable[[], None], what: str) -> None:
        cryostat.require(allowed(), what)
        act()

    table = {
        "cooldown": (auto.can_cool_down, auto.cool_down, "cool down"),
        "warmup": (auto.can_warm_up, auto.warm_up, "warm up"),
        "vent": (auto.can_vent, auto.vent, "vent"),
        "pullVacuum": (auto.can_pull_vacuum, auto.pull_vacuum, "pull vacuum"),
        "abortGoal": (lambda: True, auto.finish, "abort"),
    }
    return {
        f"controller/methods/{name}()": lambda row=row: guarded(*row) for name, row in table.items()
    }


def _controller(cryostat: "SSeries") -> dict[str, Property]:
    auto = cryostat.automation
    limit_k = float(cryostat.truth["temperature_limit_k"])
    properties = {
        "systemGoal": Property(lambda: auto.goal),
        "systemState": Property(cryostat.state),
        "canCooldown": Property(auto.can_cool_down),
        "canWarmup": Property(auto.can_warm_up),
        "canVent": Property(auto.can_vent),
        "canPullVacuum": Property(auto.can_pull_vacuum),
        "platformTargetTemperature": Property(
            lambda: cryostat.recipe.target_k, number(0.0, limit_k, cryostat.set_target)
        ),
    }
    return {f"controller/properties/{name}": entry for name, entry in properties.items()}


def _bakeout(cryostat: "SSeries") -> dict[str, Property]:
    recipe = cryostat.recipe

    def set_purge_times(value: float) -> None:
        recipe.purge_times = int(value)

    def attribute(name: str, high: float) -> Property:
        write = number(0.0, high, lambda value: setattr(recipe, name, value))
        return Property(lambda: getattr(recipe, name), write)

    def switch(name: str) -> Property:
        write = flag(lambda value: setattr(recipe, name, value))
        return Property(lambda: getattr(recipe, name), write)

    properties = {
        "platformBakeoutEnabled": switch("bakeout"),
        "platformBakeoutTemperature": attribute("bakeout_k", _HIGHEST_BAKEOUT_K),
        "platformBakeoutTime": attribute("bakeout_s", _LONGEST_BAKEOUT_S),
        "platformBakeoutTemperatureLimit": Property(lambda: _HIGHEST_BAKEOUT_K),
        "dryNitrogenPurgeEnabled": switch("purge"),
        "dryNitrogenPurgeNumTimes": Property(
            lambda: recipe.purge_times, number(0, 100, set_purge_times)
        ),
    }
    return {f"controller/properties/{name}": entry for name, entry in properties.items()}


def _chamber(cryostat: "SSeries") -> dict[str, Property]:
    limit_k = float(cryostat.truth["temperature_limit_k"])
    properties: dict[str, Property] = {}
    for channel, source in _SOURCES.items():
        root = f"{_CHAMBER}/{channel}"
        properties |= _thermometer(cryostat, root, channel, source)
        properties[f"{root}/heater/properties/sample"] = _heater(cryostat, channel)
        properties[f"{root}/properties/pidSchedule"] = _pid_schedule()
        properties[f"{root}/properties/temperatureLimit"] = Property(lambda: limit_k)
    user1 = f"{_CHAMBER}/user1/properties"
    properties[f"{user1}/targetTemperature"] = Property(
        lambda: cryostat.recipe.user_target_k, number(0.0, limit_k, cryostat.set_user_target)
    )
    properties[f"{user1}/controllerEnabled"] = Property(
        lambda: cryostat.recipe.user_enabled, flag(cryostat.enable_user)
    )
    gauge = "vacuumSystem/vacuumGauges/sampleChamberPressure/properties/pressureSample"
    properties[gauge] = Property(lambda: {"pressure": cryostat.plant.pressure_pa()})
    return properties


def _thermometer(
    cryostat: "SSeries", root: str, channel: str, source: str | None
) -> dict[str, Property]:
    def set_stability(value: float) -> None:
        cryostat.stability_targets_k[channel] = value

    return {
        f"{root}/thermometer/properties/sample": Property(
            lambda: cryostat.thermometer(channel, source)
        ),
        f"{root}/thermometer/properties/stabilityTarget": Property(
            lambda: cryostat.stability_target_k(channel), number(0.0, 100.0, set_stability)
        ),
    }


def _heater(cryostat: "SSeries", channel: str) -> Property:
    def sample() -> Json:
        power_w = cryostat.plant.heater_w() if channel == "platform" else 0.0
        return {"power": round(power_w, 4), "powerOK": True}

    return Property(sample)


def _pid_schedule() -> Property:
    schedule: dict[str, Json] = {"rows": [{"temperature": 4.0, "kc": 0.3, "ti": 10.0, "td": 0.0}]}

    def write(value: Json) -> None:
        rows = value.get("rows") if isinstance(value, dict) else None
        if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
            raise RefusedError("a schedule has rows of temperature, kc, ti and td")
        schedule["rows"] = rows

    return Property(lambda: schedule, write)


def _is_row(row: Json) -> bool:
    return isinstance(row, dict) and set(row) == {"temperature", "kc", "ti", "td"}


def _cooler(cryostat: "SSeries") -> dict[str, Property]:
    def running() -> Json:
        return cryostat.plant.goal == "cooldown" and not cryostat.plant.tripped

    properties = {
        "cooler/cryocooler/properties/cryocoolerRunning": Property(running),
        "cooler/cryocooler/properties/deviceConnected": Property(lambda: True),
    }
    for stage in (1, 2):
        path = f"cooler/temperatureControllers/stage{stage}/thermometer/properties/sample"
        properties[path] = Property(lambda stage=stage: cryostat.stage(stage))
    return properties
