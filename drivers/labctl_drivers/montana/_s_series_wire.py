"""Codec of the s-series' REST interface: paths, bodies and the JSON of the answers.

Facts: Montana's own Python scripting library (``scryostation.py``) and QMI's s50 driver.
"""

import json
import math
from dataclasses import dataclass
from typing import Any, cast

from labctl.transport import GarbledBytesError, HttpReply, RefusalError

__all__ = [
    "ALARM_STATES",
    "SYSTEM_GOAL",
    "SYSTEM_STATE",
    "TARGET",
    "Thermometer",
    "decode_done",
    "decode_number",
    "decode_text",
    "decode_thermometer",
    "thermometer",
]

_CONTROLLER = "/v1/controller/properties"
_LOOPS = "/v1/sampleChamber/temperatureControllers"
_LARGEST_K = 1000.0

TARGET = f"{_CONTROLLER}/platformTargetTemperature"
SYSTEM_GOAL = f"{_CONTROLLER}/systemGoal"
SYSTEM_STATE = f"{_CONTROLLER}/systemState"
ALARM_STATES = ("Invalid",)


@dataclass(frozen=True)
class Thermometer:
    """One thermometer's answer. NaN: the instrument itself calls the number invalid.

    Attributes:
        temperature_k: Temperature, K.
        stability_k: The instrument's stability number, K.
        stable: Whether temperature and stability are valid and within the instrument's target.
    """

    temperature_k: float
    stability_k: float
    stable: bool


def thermometer(loop: str) -> str:
    """Return the path of a thermometer: ``platform``, ``user1``, ``user2``, ``cryoOptic``."""
    return f"{_LOOPS}/{loop}/thermometer/properties/sample"


def decode_thermometer(reply: HttpReply) -> Thermometer:
    """Decode a ``sample`` of a thermometer; newer firmware adds an average over 1 s.

    Raises:
        GarbledBytesError: Not of this form, or a temperature that cannot be.
        RefusalError: A status outside 200–299.
    """
    sample = _object(_property(reply, "sample"))
    valid = _flag(sample, "temperatureOK")
    stability_valid = _flag(sample, "temperatureStabilityOK")
    key = "temperatureAvg1Sec" if "temperatureAvg1Sec" in sample else "temperature"
    return Thermometer(
        _kelvin(sample.get(key)) if valid else math.nan,
        _kelvin(sample.get("temperatureStability")) if stability_valid else math.nan,
        valid and stability_valid and _flag(sample, "temperatureStable"),
    )


def decode_number(reply: HttpReply, name: str) -> float:
    """Decode a temperature property, K.

    Raises:
        GarbledBytesError: Not of this form, or a temperature that cannot be.
        RefusalError: A status outside 200–299.
    """
    return _kelvin(_property(reply, name))


def decode_text(reply: HttpReply, name: str) -> str:
    """Decode a property that is a word.

    Raises:
        GarbledBytesError: Not of this form.
        RefusalError: A status outside 200–299.
    """
    value = _property(reply, name)
    if not isinstance(value, str):
        raise GarbledBytesError(f"{name} is not a word")
    return value


def decode_done(reply: HttpReply) -> None:
    """Check the answer to a written property; its body means nothing.

    Raises:
        RefusalError: A status outside 200–299.
    """
    if 200 <= reply.status <= 299:
        return
    text = reply.body[:200].decode("utf-8", "replace")
    try:
        told = _object(_parse(reply.body))
    except GarbledBytesError:
        told = {}
    words = [str(told[key]) for key in ("title", "detail") if told.get(key)]
    remedy = "this firmware has no such path" if reply.status == 404 else ""
    raise RefusalError(f"{reply.status} {': '.join(words) or text}".strip(), remedy)


def _property(reply: HttpReply, name: str) -> Any:
    decode_done(reply)
    answer = _object(_parse(reply.body))
    if name not in answer:
        raise GarbledBytesError(f"no {name} in the answer")
    return answer[name]


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise GarbledBytesError(f"not JSON ({type(error).__name__})") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GarbledBytesError("not a JSON object")
    return cast("dict[str, Any]", value)


def _flag(sample: dict[str, Any], key: str) -> bool:
    value = sample.get(key)
    if not isinstance(value, bool):
        raise GarbledBytesError(f"{key} is neither true nor false")
    return value


def _kelvin(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0.0 <= value <= _LARGEST_K:
        raise GarbledBytesError(f"{value!r} is no temperature")
    return float(value)
