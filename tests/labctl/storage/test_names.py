import pytest

from labctl.storage._names import base_of, identifier, nexus_name


@pytest.mark.parametrize(
    ("text", "name"),
    [("cryostat.temperature", "cryostat_temperature"), ("1st", "_1st"), ("", "_"), ("µm", "_m")],
)
def test_names_become_identifiers(text: str, name: str) -> None:
    assert identifier(text) == name
    assert identifier(name) == name


@pytest.mark.parametrize(
    ("name", "beside", "safe"),
    [
        ("counts_errors", {"counts"}, "counts_errors"),
        ("y_offset", set[str](), "y_offset_"),
        ("y_set", {"y"}, "y_set"),
        ("offset", set[str](), "offset"),
        ("plain", set[str](), "plain"),
    ],
)
def test_a_reserved_ending_needs_its_base(name: str, beside: set[str], safe: str) -> None:
    assert nexus_name(name, beside) == safe
    assert base_of(safe) in ("", *beside)
