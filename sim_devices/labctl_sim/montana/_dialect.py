"""Words of the legacy Cryostation: which command says what, and how it is answered."""

import math
import re
from collections.abc import Callable
from typing import Protocol

from labctl_sim.montana._plant import Plant

_MTORR_PER_PA = 1000.0 / 133.322368
_NOT_AVAILABLE = -0.1
_NO_FIELD_T = -9.999999
_ROOM_K = 290.0
_NUMBER = re.compile(r"[+-]?\d+([.,]\d*)?")
_SETTER = re.compile(r"(STSP|SHTSP|SPIDK|SPIDF|SPIDT|SPHP|SMTF) *(.*)")
_SET_POINT_RANGE_K = (2.0, 350.0)
_PID_RANGES = {"K": (0.001, 100.0), "F": (0.0, 100.0), "T": (0.0, 100.0)}
_PID_DEFAULTS = {"K": 0.3, "F": 0.1, "T": 0.1}

INVALID_COMMAND = "Error: Invalid command."
INVALID_SET_POINT = "Error: Invalid set point"
INVALID_PID = "Error: Invalid PID parameter"
NO_MAGNET = "System not able to execute command at this time. Activate the magnet module first. "


class Machine(Protocol):
    """What the words act on: the simulator."""

    plant: Plant
    alarm: bool
    truth: dict[str, float | int | bool | str]

    def refuses(self) -> bool:
        """Count one changing command; True if it is to be refused."""
        ...

    def lies(self) -> bool:
        """Count one set point; True if it is to be ignored."""
        ...


class Dialect:
    """Answers commands.

    Args:
        machine: The simulator.
        set_point_k: Set point at start; None for the temperature at start.
    """

    def __init__(self, machine: Machine, set_point_k: float | None = None) -> None:
        self._machine = machine
        self._plant = machine.plant
        start_k = float(machine.truth["start_temperature_k"])
        self.comma = bool(machine.truth["decimal_comma"])
        self.set_point_k = start_k if set_point_k is None else set_point_k
        self._user_set_point_k = 0.0
        self._pid = dict(_PID_DEFAULTS)
        self._manual_w = 0.0
        self._magnet_on = False
        self._field_t = 0.0
        self._getters = self._make_getters()
        self._actions: dict[str, Callable[[], str]] = {
            "SCD": self._cool_down,
            "SWU": self._warm_up,
            "SSB": self._stand_by,
            "STP": self._stop,
            "RPID": self._reset_pid,
            "SME": lambda: self._switch_magnet(on=True),
            "SMD": lambda: self._switch_magnet(on=False),
        }
        self._setters: dict[str, Callable[[float | None], str]] = {
            "STSP": self._set_point,
            "SHTSP": self._set_user_point,
            "SPIDK": lambda value: self._set_pid("K", value),
            "SPIDF": lambda value: self._set_pid("F", value),
            "SPIDT": lambda value: self._set_pid("T", value),
            "SPHP": self._set_heater,
            "SMTF": self._set_field,
        }

    def answer(self, command: str) -> str:
        """Carry out one command and give the reply's text."""
        if command in self._getters:
            return self._getters[command]()
        if command in self._actions:
            return self._actions[command]()
        setter = _SETTER.fullmatch(command)
        if setter is None:
            return INVALID_COMMAND
        return self._setters[setter[1]](_parsed(setter[2]))

    def _make_getters(self) -> dict[str, Callable[[], str]]:
        plant = self._plant
        return {
            "GPT": lambda: self._number(plant.temperature_k("platform"), 3),
            "GST": lambda: self._number(plant.temperature_k("sample"), 3),
            "GUT": lambda: self._number(None, 3),
            "GS1T": lambda: self._number(plant.stage_k(1), 2),
            "GS2T": lambda: self._number(plant.stage_k(2), 2),
            "GPS": lambda: self._number(plant.stability_k("platform"), 5),
            "GSS": lambda: self._number(plant.stability_k("sample"), 5),
            "GUS": lambda: self._number(None, 5),
            "GTSP": lambda: self._number(self.set_point_k, 2),
            "GUTSP": lambda: self._number(self._user_set_point_k, 2),
            "GHTSP": lambda: self._number(self._user_set_point_k, 2),
            "GCP": lambda: self._number(plant.pressure_pa() * _MTORR_PER_PA, 1),
            "GPHP": lambda: self._number(self._manual_w or plant.heater_w(), 3),
            "GS1HP": lambda: self._number(0.0, 3),
            "GAS": lambda: "T" if self._machine.alarm or plant.tripped else "F",
            "GPIDK": lambda: self._pid_value("K"),
            "GPIDF": lambda: self._pid_value("F"),
            "GPIDT": lambda: self._pid_value("T"),
            "GCRS": lambda: "ON" if self._cools() else "OFF",
            "GSC": lambda: self._number(60.0 if self._cools() else 0.0, 1),
            "GHS": lambda: self._number(1.2 if self._cools() else 0.0, 1),
            "GCVS": lambda: "CLOSED",
            "GVPS": lambda: "OFF",
            "GVVS": lambda: "CLOSED",
            "GMS": self._magnet_state,
            "GMTF": lambda: self._number(self._field_t if self._magnet_on else _NO_FIELD_T, 6),
        }

    def _number(self, value: float | None, digits: int) -> str:
        if value is not None and math.isnan(value):
            return "NaN"
        text = f"{_NOT_AVAILABLE if value is None else value:.{digits}f}"
        return text.replace(".", ",") if self.comma else text

    def _cools(self) -> bool:
        return self._plant.goal == "cooldown" and not self._plant.tripped

    def _set_point(self, value: float | None) -> str:
        low, high = _SET_POINT_RANGE_K
        if self._machine.refuses() or value is None or not low <= value <= high:
            return INVALID_SET_POINT
        if not self._machine.lies():
            self.set_point_k = value
            self._plant.set_target(value)
        return f"OK, Temperature Set Point = {self._number(value, 2)}"

    def _set_user_point(self, value: float | None) -> str:
        low, high = _SET_POINT_RANGE_K
        if value is None or not low <= value <= high:
            return INVALID_SET_POINT
        self._user_set_point_k = value
        return f"OK, Temperature Set Point = {self._number(value, 2)}"

    def _set_pid(self, which: str, value: float | None) -> str:
        low, high = _PID_RANGES[which]
        if self._machine.refuses() or value is None or not low <= value <= high:
            return INVALID_PID
        self._pid[which] = value
        return self._pid_text()

    def _reset_pid(self) -> str:
        self._pid = dict(_PID_DEFAULTS)
        return self._pid_text()

    def _pid_text(self) -> str:
        gain, frequency, time = (self._number(self._pid[which], 3) for which in "KFT")
        return f"OK, Gain = {gain}, Freq = {frequency}, Time = {time}"

    def _pid_value(self, which: str) -> str:
        if not self._machine.truth["pid_getters_work"]:
            return INVALID_COMMAND
        return self._number(self._pid[which], 3)

    def _set_heater(self, value: float | None) -> str:
        """Take the manual power; it is reported, the thermal model has no manual heater."""
        if self._machine.refuses() or value is None or value < 0.0:
            return _not_able("execute command")
        self._manual_w = value
        return f"OK, Platform Heater Power = {self._number(value, 4)}"

    def _cool_down(self) -> str:
        if self._machine.refuses() or self._plant.tripped:
            return _not_able("cooldown")
        self._plant.pursue("cooldown", self.set_point_k)
        return "OK"

    def _warm_up(self) -> str:
        platform_k = self._plant.temperature_k("platform")
        warm = self._plant.goal != "cooldown" and platform_k is not None and platform_k > _ROOM_K
        if self._machine.refuses() or self._plant.tripped or warm:
            return _not_able("warmup")
        self._plant.pursue("warmup", self.set_point_k)
        return "OK"

    def _stand_by(self) -> str:
        if self._machine.refuses() or not self._cools():
            return _not_able("standby")
        self._plant.pursue("idle", self.set_point_k)
        return "OK"

    def _stop(self) -> str:
        self._plant.pursue("idle", self.set_point_k)
        return "OK"

    def _magnet_state(self) -> str:
        if not self._machine.truth["magnet_fitted"]:
            return NO_MAGNET
        return "MAGNET ENABLED" if self._magnet_on else "MAGNET DISABLED"

    def _switch_magnet(self, *, on: bool) -> str:
        if not self._machine.truth["magnet_fitted"]:
            return NO_MAGNET
        self._magnet_on = on
        return self._magnet_state()

    def _set_field(self, value: float | None) -> str:
        if not self._magnet_on or value is None:
            return NO_MAGNET
        self._field_t = value
        return f"OK, Target Field = {self._number(value, 6)}"


def _not_able(what: str) -> str:
    return f"System not able to {what} at this time"


def _parsed(text: str) -> float | None:
    if _NUMBER.fullmatch(text) is None:
        return None
    return float(text.replace(",", "."))
