from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import ConfigError
from labctl.setup import changed, load_yaml, parse_yaml

FILE = Path("file.yaml")


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_yaml(text, FILE)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4 K", "4 K"),
        ("4", 4),
        ("-0x1f", -31),
        ("0o17", 15),
        ("017", 17),
        ("1_000", 1000),
        ("4.5", 4.5),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("true", True),
        ("yes", "yes"),
        ("off", "off"),
        ("~", None),
        ("", None),
        ("'4'", "4"),
        ("2026-01-01", "2026-01-01"),
        ("1:30", "1:30"),
        ("[1, {a: b}]", [1, {"a": "b"}]),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    found = parse_yaml(f"key: {text}", FILE).data["key"]
    assert found == value
    assert type(found) is type(value)


def test_lines_of_keys_and_entries() -> None:
    document = parse_yaml("a: 1\n\nb:\n  - x\n  - {c: 2,\n     d: 3}\n", FILE)
    assert document.where(("a",)) == "file.yaml:1"
    assert document.where(("b", 0)) == "file.yaml:4"
    assert document.where(("b", 1, "d")) == "file.yaml:6"
    assert document.where(("b", 1, "missing", "deeper")) == "file.yaml:5"
    assert document.where() == "file.yaml:1"


def test_an_alias_is_expanded() -> None:
    document = parse_yaml("a: &x {b: 1}\nc: *x\n", FILE)
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "too many entries" in problems_of("\n".join(lines))[0]


def test_an_alias_within_itself_is_refused() -> None:
    assert "nested too deeply" in problems_of("a: &a [*a]")[0]


def test_deep_nesting_is_refused() -> None:
    assert "nested too deeply" in problems_of(f"a: {'[' * 1500}{']' * 1500}")[0]


def test_all_duplicates_are_told() -> None:
    found = problems_of("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert found == [
        "file.yaml:2: 'c' is given twice (the first is in line 2)",
        "file.yaml:3: 'a' is given twice (the first is in line 1)",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("# only a comment", "the file is empty"),
        ("- 1", "must be a block of keys"),
        ("just text", "must be a block of keys"),
        ("a: 1\n---\nb: 2", "remove '---'"),
        ("a: *b", "must stand in quotes"),
        ("1.5: a", "a key must be a word"),
        ("true: a", "a key must be a word"),
        ("[1, 2]: a", "a key must be a word"),
        ("a: {<<: {b: 1}}", "merge keys"),
        ("a: !!python/name:os.system", "tags such as"),
        ("a: !mine [1]", "tags such as"),
        ("a: \x00", "is not YAML"),
    ],
)
def test_what_is_no_plain_data_is_refused(text: str, words: str) -> None:
    assert words in problems_of(text)[0]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: \xb5-PL")
    (tmp_path / "large.yaml").write_text("a: 1\n" + "#" * 5_000_000)
    for name, words in [
        ("nothing.yaml", "no such file"),
        ("latin.yaml", "byte 6 is not UTF-8"),
        ("large.yaml", "larger than 4 MB"),
    ]:
        with pytest.raises(ConfigError, match=words):
            load_yaml(tmp_path / name)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_yaml(tmp_path)


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\n")
    assert load_yaml(path).data == {"name": "x"}


@given(st.text(max_size=60))
def test_any_text_gives_data_or_problems(text: str) -> None:
    found: object = {}
    with suppress(ConfigError):
        found = parse_yaml(text, FILE).data
    assert isinstance(found, dict)


def test_changes_replace_values_and_say_so() -> None:
    document = parse_yaml("laser: {wavelength: 405 nm}\nsteps:\n  - {a: 1}\n", FILE)
    after = changed(document, ["laser.wavelength=410 nm", "steps[0].b=[1, 2]"])
    assert after.data == {"laser": {"wavelength": "410 nm"}, "steps": [{"a": 1, "b": [1, 2]}]}
    assert after.where(("laser", "wavelength")) == "--set laser.wavelength"
    assert after.where(("steps", 0, "b", 1)) == "--set steps[0].b"
    assert after.where(("steps", 0, "a")) == "file.yaml:3"
    assert document.data["laser"] == {"wavelength": "405 nm"}


@pytest.mark.parametrize("change", ["laser", "=1", "laser.a.b=1", "steps[4].a=1", "laser=[1"])
def test_changes_that_lead_nowhere(change: str) -> None:
    document = parse_yaml("laser: {wavelength: 405 nm}\nsteps:\n  - {a: 1}\n", FILE)
    with pytest.raises(ConfigError):
        changed(document, [change])
    assert document.data["laser"] == {"wavelength": "405 nm"}
