"""A value or an entry is changed in the text, and nothing else is."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.setup import outline, parse_yaml, with_entry, with_value

ROOT = Path(__file__).parents[3]
NAMES = ("polarization_sweep", "survey", "temperature_series")
RECIPES = [ROOT / "configs" / "recipes" / f"{name}.yaml" for name in NAMES]
TEXT = """# A comment at the top.
name: one dot   # and one beside
steps:
  # The first.
  - spectrum: {grating: 300/mm, exposure: 1 s}
  - scan: cryostat.temperature
    values: [4, 10, 20]   # K
    steps:
      # Of the inner one.
      - wait: 5 s
      - note: "it's {cold}"

  - wait: 1 s
given:
"""


def data(text: str) -> Any:
    return parse_yaml(text, Path("t.yaml")).data


def test_the_outline_names_values_with_their_lines() -> None:
    found = {one.location: one for one in outline(TEXT)}
    assert TEXT[found["name",].begin : found["name",].end] == "one dot"
    values = found["steps", 1, "values"]
    assert (TEXT[values.begin : values.end], values.line, values.is_leaf) == (
        "[4, 10, 20]",
        7,
        True,
    )
    assert found["steps", 1].is_entry
    assert not found["steps", 1].is_leaf
    assert ("steps", 1, "values", 0) not in found


@pytest.mark.parametrize(
    ("location", "typed", "line"),
    [
        (("name",), "another dot", "name: another dot   # and one beside"),
        (
            ("steps", 0, "spectrum", "exposure"),
            "2 s",
            "  - spectrum: {grating: 300/mm, exposure: 2 s}",
        ),
        (("steps", 1, "values"), "[4, 5]", "    values: [4, 5]   # K"),
        (("steps", 1, "values"), "{start: 4, stop: 9}", '    values: "{start: 4, stop: 9}"   # K'),
        (("steps", 1, "steps", 1, "note"), "warm: now", '      - note: "warm: now"'),
        (
            ("steps", 0, "spectrum", "grating"),
            "a, b",
            '  - spectrum: {grating: "a, b", exposure: 1 s}',
        ),
        (("given",), "4", "given: 4"),
    ],
)
def test_a_value_is_changed_and_nothing_else(
    location: tuple[str | int, ...], typed: str, line: str
) -> None:
    found = with_value(TEXT, location, typed)
    changed = [(a, b) for a, b in zip(TEXT.splitlines(), found.splitlines(), strict=True) if a != b]
    assert [after for _, after in changed] == [line]


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12))
def test_whatever_is_typed_stays_one_value(typed: str) -> None:
    found = data(with_value(TEXT, ("steps", 0, "spectrum", "exposure"), typed))
    expected = data(TEXT)
    value = found["steps"][0]["spectrum"].pop("exposure")
    expected["steps"][0]["spectrum"].pop("exposure")
    assert found == expected
    assert not isinstance(value, dict)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_value_of_the_shipped_recipes_can_be_changed(path: Path) -> None:
    text = path.read_text("utf-8")
    for one in outline(text):
        if one.is_leaf:
            assert with_value(text, one.location, text[one.begin : one.end]) == text


def test_entries_are_moved_doubled_and_removed_with_their_comments() -> None:
    down = with_entry(TEXT, ("steps", 0), "down")
    assert [next(iter(step)) for step in data(down)["steps"]] == ["scan", "spectrum", "wait"]
    assert down.index("# The first.") > down.index("note:")
    assert with_entry(down, ("steps", 1), "up") == TEXT
    double = data(with_entry(TEXT, ("steps", 1, "steps", 0), "copy"))
    assert double["steps"][1]["steps"] == [
        {"wait": "5 s"},
        {"wait": "5 s"},
        {"note": "it's {cold}"},
    ]
    less = with_entry(TEXT, ("steps", 0), "remove")
    assert data(less)["steps"] == data(TEXT)["steps"][1:]
    assert "The first" not in less
    last = with_entry(TEXT, ("steps", 2), "up")
    assert [next(iter(step)) for step in data(last)["steps"]] == ["spectrum", "wait", "scan"]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
@pytest.mark.parametrize("do", ["remove", "copy", "up", "down"])
def test_entries_of_the_shipped_recipes(path: Path, do: Any) -> None:
    text = path.read_text("utf-8")
    for one in outline(text):
        if not one.is_entry:
            continue
        *above, index = one.location
        entries: Any = data(text)
        for key in above:
            entries = entries[key]
        expected = list(entries)
        entry = expected.pop(int(index))
        try:
            found = with_entry(text, one.location, do)
        except KeyError:
            assert (do, index) in (("up", 0), ("down", len(entries) - 1))
            continue
        places = {
            "remove": [],
            "copy": [index, index],
            "up": [int(index) - 1],
            "down": [int(index) + 1],
        }
        for place in places[do]:
            expected.insert(int(place), entry)
        after: Any = data(found)
        if do == "remove" and len(entries) == 1:
            continue
        for key in above:
            after = after[key]
        assert after == expected


def test_what_is_not_there_is_an_error() -> None:
    for location in (("nothing",), ("steps", 9), ("steps", 1)):
        with pytest.raises(KeyError):
            with_value(TEXT, location, "1")
    with pytest.raises(KeyError):
        with_entry(TEXT, ("steps", 1, "values"), "remove")
