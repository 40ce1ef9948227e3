"""Sample files: quantities, all problems at once, hints."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.sample import Sample, check_sample, load_sample, magnitude


def data(**dot: Any) -> dict[str, Any]:
    plain = {"edge_length": "23 nm", "lifetime": "150 ps"}
    return {
        "schema_version": 1,
        "name": "test",
        "composition": "CsPbBr3",
        "dots": {"A7": plain | dot},
    }


def test_quantities_arrive_in_the_unit_of_the_name() -> None:
    dot = load_sample(data(edge_length="0.023 um", position=["1 um", "200 nm", "0 mm"])).dot("A7")
    assert dot.edge_length_nm == pytest.approx(23.0)
    assert dot.position_um == pytest.approx((1.0, 0.2, 0.0))


def test_defaults_are_the_papers_material() -> None:
    laws = load_sample(data()).laws
    assert laws.broadening.optical_mev == 56.7
    assert [mode.energy_mev for mode in laws.replicas.modes] == [3.6, 6.3, 15.5, 19.4]
    assert laws.phase_transition is None
    assert laws.room_temperature is None


def test_all_problems_come_together_with_paths_and_hints() -> None:
    wrong = data(lifetime="3 K", oriantation={}, populations=[0.5, 0.1, 0.1])
    wrong["laws"] = {"sizing": {"bulk_energy": 2.3}, "replicas": {"modes": [{"energi": "1 meV"}]}}
    wrong["colour"] = "green"
    problems = dict(check_sample(wrong))
    assert problems[("dots", "A7", "lifetime")] == "'3 K' cannot be expressed in ps"
    assert "did you mean 'orientation'?" in problems[("dots", "A7", "oriantation")]
    assert problems[("laws", "sizing", "bulk_energy")] == 'the unit is missing: write "2.3 eV"'
    assert "did you mean 'energy'?" in problems[("laws", "replicas", "modes", 0, "energi")]
    assert "missing" in problems[("laws", "replicas", "modes", 0, "huang_rhys")]
    assert "known keys:" in problems[("colour",)]


def test_rules_between_keys() -> None:
    ((path, message),) = check_sample(data(populations=[0.5, 0.1, 0.1]))
    assert path == ("dots", "A7")
    assert "add up to 1, not 0.7" in message


@pytest.mark.parametrize("wrong", [None, 3, "text", [], {}, {"dots": []}, {"dots": {"A": 1}}])
def test_nonsense_is_a_problem_and_never_a_crash(wrong: object) -> None:
    assert check_sample(wrong)


def test_loading_wrong_data_lists_every_problem() -> None:
    with pytest.raises(ValueError, match=r"(?s)lifetime.*spin") as failure:
        load_sample(data(lifetime="fast", orientation={"spin": "7 nm"}))
    assert len(str(failure.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("23", "unit is missing"),
        (23, "unit is missing"),
        (True, "expected a quantity"),
        (None, "expected a quantity"),
        ("23 furlongs per", "unknown unit"),
        ("23 blurb", "unknown unit"),
        ("nan nm", "not a quantity"),
        ("1e999 nm", "not a finite number"),
        ("", "not a quantity"),
        ("[1] nm", "not a quantity"),
        ("2**9**9 nm", "not a quantity"),
        ("3 K", "cannot be expressed in nm"),
    ],
)
def test_bad_quantities_say_why(text: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        magnitude(text, "nm")


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_a_value_error(text: str) -> None:
    try:
        assert isinstance(magnitude(text, "nm"), float)
    except ValueError:
        pass


@given(st.floats(1e-6, 1e6))
def test_numbers_survive_the_text(value: float) -> None:
    assert magnitude(f"{value!r} meV", "eV") == pytest.approx(value * 1e-3)


def test_samples_are_frozen() -> None:
    sample = load_sample(data())
    with pytest.raises(ValueError, match="frozen"):
        sample.name = "other"  # pyright: ignore[reportAttributeAccessIssue]


def test_every_block_of_the_schema_can_be_given() -> None:
    full = data(
        orientation={"azimuth": "10 deg", "tilt": "20 deg", "spin": "30 deg"},
        populations=[0.5, 0.3, 0.2],
        blinking={"kind": "telegraph", "on_share": 0.9},
        bleaching={"excitations": 1e9},
        stark={"internal_field": "230 kV/cm"},
        superlattice={"red_shift": "40 meV", "share": 0.3},
        interference={"coherence_time": "80 ps"},
        diffusion={"fast_sd": "0.1 meV", "correlation_time": "5 min"},
        regime="auger",
        cross_section="7e-14 cm^2",
    )
    full["laws"] = {
        "phase_transition": {"midpoint": "150 K", "red_shift": "12 meV"},
        "room_temperature": {"fwhm": "88 meV", "urbach": "18 meV"},
        "fine_structure": {"effective_temperature": "20 K"},
        "excitation": {"local_heating": "0.4 K*cm^2/uJ"},
    }
    assert check_sample(full) == []
    dot = load_sample(full).dots["A7"]
    assert dot.diffusion.correlation_time_s == 300.0
    assert dot.blinking is not None
    assert dot.blinking.on_share_after_one_hour == 0.94


def test_a_missing_dot_is_named() -> None:
    sample = load_sample(data())
    assert isinstance(sample, Sample)
    with pytest.raises(KeyError, match=r"no dot 'B1'.*A7"):
        sample.dot("B1")
