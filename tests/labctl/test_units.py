"""Quantities: what is understood, what is refused, and that every file can be read again."""

import math
from importlib import import_module
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from labctl.units import (
    SUFFIX_UNITS,
    FluenceUjCm2,
    GroovesPerMm,
    Kelvin,
    Quantity,
    Seconds,
    format_quantity,
    parse,
    parse_any,
    split_suffix,
)


class Block(BaseModel):
    dwell: Seconds = Field(gt=0)
    hold: Seconds | None = Field(None, ge=0)
    temperature: Kelvin = 4.0


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("500 ms", "s", 0.5),
        ("4 K", "K", 4.0),
        ("4K", "K", 4.0),
        (" 4  K ", "K", 4.0),
        ("-4.5e1 mK", "K", -0.045),
        ("1.5 uJ/cm^2", "uJ/cm^2", 1.5),
        ("1.5 µJ/cm²", "uJ/cm^2", 1.5),
        ("15 J/m^2", "uJ/cm^2", 1500.0),
        ("300/mm", "1/mm", 300.0),
        ("300 1/mm", "1/mm", 300.0),
        ("20 min", "s", 1200.0),
        ("30 d", "s", 2592000.0),
        ("10 MHz", "Hz", 1e7),
        ("-20 degC", "degC", -20.0),
        ("293.15 K", "degC", 20.0),
        ("405 nm", "nm", 405.0),
        ("230 kV/cm", "kV/cm", 230.0),
    ],
)
def test_quantities(text: str, unit: str, value: float) -> None:
    assert parse(text, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    "text", ["", "4", "K", "4 s", "four K", "4 Q", "nan K", "inf K", "4 K K", "4 kk", "__import__"]
)
def test_what_is_no_temperature(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse(text, "K")


@given(st.floats(-1e300, 1e300), st.sampled_from(["K", "nm", "s", "1/mm"]))
def test_what_is_written_is_read_again(value: float, unit: str) -> None:
    again = parse(format_quantity(value, unit), unit)
    assert math.isclose(again, value, rel_tol=1e-14)


@given(st.text(max_size=30))
def test_any_text_is_a_quantity_or_a_value_error(text: str) -> None:
    try:
        number, unit = parse_any(text)
    except ValueError:
        return
    assert math.isfinite(number)
    assert unit


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0.1 uJ/cm2", "write '0.1 uJ/cm^2'"),
        ("3 m2", "write '3 m^2'"),
        ("4 Kelwin", "there is no unit 'Kelwin'"),
        ("4 foo2", "there is no unit 'foo2'"),
        ("ten", "write a number and a unit"),
    ],
)
def test_what_is_wrong_with_a_quantity_is_told(text: str, says: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity") as raised:
        parse_any(text)
    assert says in str(raised.value)


def test_a_model_takes_text_and_gives_it_back() -> None:
    block = Block.model_validate({"dwell": "1 min", "hold": "5 ms"})
    assert (block.dwell, block.hold, block.temperature) == (60.0, 0.005, 4.0)
    data = block.model_dump()
    assert data == {"dwell": "60 s", "hold": "0.005 s", "temperature": "4 K"}
    assert Block.model_validate(data) == block
    assert Block.model_validate_json(block.model_dump_json()) == block


@pytest.mark.parametrize("value", [60, 60.0, True, None, [60], "60", "60 K"])
def test_a_number_without_its_unit_is_refused(value: object) -> None:
    with pytest.raises(ValidationError) as raised:
        Block.model_validate({"dwell": value})
    assert raised.value.errors()[0]["loc"] == ("dwell",)


@pytest.mark.parametrize(
    "data", [{"dwell": "0 s"}, {"dwell": "-1 s"}, {"dwell": "1 s", "hold": "-1 s"}]
)
def test_bounds_of_a_field_hold(data: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="greater than"):
        Block.model_validate(data)


def test_the_schema_describes_text() -> None:
    schema = Block.model_json_schema()["properties"]["dwell"]
    assert schema["type"] == "string"
    assert "1 s" in schema["description"]


def test_every_suffix_is_a_unit() -> None:
    for suffix, unit in SUFFIX_UNITS.items():
        assert parse(f"1 {unit}", unit) == 1.0
        assert split_suffix(f"name_{suffix}") == ("name", unit)
    assert split_suffix("name") == ("name", None)


def test_other_units_can_be_used() -> None:
    class Own(BaseModel):
        speed: Annotated[float, Quantity("nm/s")]
        fluence: FluenceUjCm2
        grating: GroovesPerMm

    own = Own.model_validate({"speed": "0.1 um/s", "fluence": "1 uJ/cm^2", "grating": "300/mm"})
    assert own.speed == pytest.approx(100.0)
    assert Own.model_validate(own.model_dump()) == own


def test_what_a_script_defines_for_itself_does_not_change_what_files_mean() -> None:
    pint: Any = import_module("pint")
    shared = pint.UnitRegistry()
    before = pint.get_application_registry().get()
    shared.define("kelvin = 2 * meter = K")
    pint.set_application_registry(shared)
    try:
        assert parse("3.25 mK", "K") == 0.00325
    finally:
        pint.set_application_registry(before)
