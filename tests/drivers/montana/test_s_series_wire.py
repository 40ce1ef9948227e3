"""Answers typed from what Montana's scripting library reads."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError, HttpReply, RefusalError
from labctl_drivers.montana import _s_series_wire as wire

SAMPLE: dict[str, Any] = {
    "resistance": 251.3,
    "resistanceOK": True,
    "temperature": 4.25,
    "temperatureAvg1Sec": 4.201,
    "temperatureOK": True,
    "temperatureStability": 0.009,
    "temperatureStabilityOK": True,
    "temperatureStable": True,
}


def ok(body: object) -> HttpReply:
    return HttpReply(200, json.dumps(body).encode())


def sample(**changes: Any) -> HttpReply:
    return ok({"sample": SAMPLE | changes})


def test_paths() -> None:
    assert wire.TARGET == "/v1/controller/properties/platformTargetTemperature"
    assert wire.SYSTEM_GOAL == "/v1/controller/properties/systemGoal"
    assert wire.thermometer("user1") == (
        "/v1/sampleChamber/temperatureControllers/user1/thermometer/properties/sample"
    )


def test_thermometer_of_new_and_old_firmware() -> None:
    assert wire.decode_thermometer(sample()) == wire.Thermometer(4.201, 0.009, True)
    old = {key: value for key, value in SAMPLE.items() if key != "temperatureAvg1Sec"}
    assert wire.decode_thermometer(ok({"sample": old})).temperature_k == 4.25


@pytest.mark.parametrize(
    ("valid", "stability_valid", "stable", "expected"),
    [
        (True, True, True, True),
        (True, True, False, False),
        (True, False, True, False),
        (False, True, True, False),
    ],
)
def test_stable_needs_all_three(
    valid: bool, stability_valid: bool, stable: bool, expected: bool
) -> None:
    found = wire.decode_thermometer(
        sample(
            temperatureOK=valid, temperatureStabilityOK=stability_valid, temperatureStable=stable
        )
    )
    assert found.stable is expected
    assert math.isnan(found.temperature_k) is not valid
    assert math.isnan(found.stability_k) is not stability_valid


def test_invalid_numbers_are_not_even_read() -> None:
    found = wire.decode_thermometer(sample(temperatureOK=False, temperatureAvg1Sec=-273.0))
    assert math.isnan(found.temperature_k)


@pytest.mark.parametrize("kelvin", [-0.1, 1001, None, "4.2", True, math.nan, math.inf, [4.2]])
def test_impossible_temperatures(kelvin: object) -> None:
    with pytest.raises(GarbledBytesError):
        wire.decode_thermometer(sample(temperatureAvg1Sec=kelvin))
    with pytest.raises(GarbledBytesError):
        wire.decode_number(ok({"target": kelvin}), "target")


@pytest.mark.parametrize(
    "body", [b"", b"4.0", b"[]", b"{}", b'{"sample": 4}', b'{"sample": {}}', b"<html>", b"\xff"]
)
def test_answers_of_another_form(body: bytes) -> None:
    with pytest.raises(GarbledBytesError):
        wire.decode_thermometer(HttpReply(200, body))


def test_words() -> None:
    assert wire.decode_text(ok({"systemGoal": "Cooldown"}), "systemGoal") == "Cooldown"
    with pytest.raises(GarbledBytesError, match="not a word"):
        wire.decode_text(ok({"systemGoal": 3}), "systemGoal")


def test_refusals() -> None:
    body = json.dumps({"title": "Bad request", "detail": "goal is Vent"}).encode()
    with pytest.raises(RefusalError, match=r"^400 Bad request: goal is Vent$"):
        wire.decode_done(HttpReply(400, body))
    with pytest.raises(RefusalError, match=r"^500 out of order$"):
        wire.decode_done(HttpReply(500, b"out of order"))
    with pytest.raises(RefusalError) as caught:
        wire.decode_text(HttpReply(404, b""), "x")
    assert "firmware" in caught.value.remedy
    wire.decode_done(HttpReply(200, b""))
    wire.decode_done(HttpReply(204, b"anything"))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries({key: st.just(value) | JSON for key, value in SAMPLE.items()})


@given(st.binary(max_size=60) | (NEARLY | JSON).map(lambda s: json.dumps({"sample": s}).encode()))
def test_any_body_is_a_possible_reading_or_an_error(body: bytes) -> None:
    try:
        found = wire.decode_thermometer(HttpReply(200, body))
    except GarbledBytesError:
        return
    for value in (found.temperature_k, found.stability_k):
        assert math.isnan(value) or 0.0 <= value <= 1000.0


def test_deep_nesting_is_garbled() -> None:
    with pytest.raises(GarbledBytesError):
        wire.decode_thermometer(HttpReply(200, b"[" * 100_000))
