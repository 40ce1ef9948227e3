import pytest

from labctl.setup._truth import read_truth, truth_names, write_truth

DEFAULTS: dict[str, float | int | bool | str] = {
    "base_temperature_k": 3.2,
    "noise_at_4k_k": 0.005,
    "ramp_k_per_s": 0.1,
    "residual_heat_capacity_j_k": 1.0,
    "goto_speed_nm_s": 200.0,
    "stray_light_rel": 1e-4,
    "baud": 9600,
    "start_grating": 1,
    "echo": True,
    "model": "SP-2-500i",
}


def test_names_in_the_file_lose_their_unit() -> None:
    names = truth_names(DEFAULTS)
    assert names["base_temperature"] == ("base_temperature_k", "K")
    assert names["noise_at_4k"] == ("noise_at_4k_k", "K")
    assert names["ramp"][0] == "ramp_k_per_s"
    assert names["residual_heat_capacity"] == ("residual_heat_capacity_j_k", "J/K")
    assert names["goto_speed"] == ("goto_speed_nm_s", "nm/s")
    assert names["stray_light_rel"] == ("stray_light_rel", "")
    assert names["echo"] == ("echo", "")


def test_quantities_become_numbers_of_the_simulator() -> None:
    given = {
        "base_temperature": "3400 mK",
        "ramp": "6 K/min",
        "residual_heat_capacity": "2 J/K",
        "stray_light_rel": 1e-3,
        "baud": 19200,
        "echo": False,
        "model": "SP-2-300i",
    }
    values, problems = read_truth(given, DEFAULTS)
    assert problems == []
    assert values == {
        "base_temperature_k": 3.4,
        "ramp_k_per_s": pytest.approx(0.1),
        "residual_heat_capacity_j_k": 2.0,
        "stray_light_rel": 1e-3,
        "baud": 19200,
        "echo": False,
        "model": "SP-2-300i",
    }
    again, problems = read_truth(write_truth(values, DEFAULTS), DEFAULTS)
    assert problems == []
    assert again == values


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("base_temperature_k", 3.4, "has no truth"),
        ("base_temperature", 3.4, "has no unit"),
        ("base_temperature", True, "has no unit"),
        ("base_temperature", "3.4 s", "not a quantity in K"),
        ("baud", 9600.5, "whole number"),
        ("baud", "9600", "plain number"),
        ("stray_light_rel", float("nan"), "plain number"),
        ("echo", 1, "true or false"),
        ("model", 500, "must be text"),
    ],
)
def test_wrong_truths(name: str, value: object, words: str) -> None:
    values, problems = read_truth({name: value}, DEFAULTS)
    assert values == {}
    assert [words in what for _, what, _ in problems] == [True]
