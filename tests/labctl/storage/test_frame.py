import json
import math
import zlib
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from labctl.errors import StorageError
from labctl.storage import ArrayItem, RecordKind
from labctl.storage._frame import (
    dump_header,
    dump_text,
    file_header,
    frame,
    parse_header,
    split_body,
    stored,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,7}", fullmatch=True).filter(
    lambda name: name not in ("point", "superseded")
)
DTYPES = st.sampled_from(["?", "u1", ">u2", "<i4", ">i8", "f2", ">f4", "f8", "c8", ">c16"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def header(arrays: bytes = b"[]", data: dict[str, Any] | None = None) -> bytes:
    return dump_header(RecordKind.POINT, 3, (1.5, NOON), ("a/µ", 1, 2), arrays, data or {})


@st.composite
def items(draw: st.DrawFn) -> list[ArrayItem]:
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    found: list[ArrayItem] = []
    for number, name in enumerate(names):
        values: NDArray[Any] = draw(
            hnp.arrays(
                draw(DTYPES), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
            )
        )
        axes = tuple(f"a{number}_{axis}" for axis in range(values.ndim))
        found.append(ArrayItem(name, values, draw(st.text(max_size=4)), axes))
    return found


def test_a_journal_begins_with_the_documented_bytes() -> None:
    assert file_header() == bytes.fromhex("89 4c 43 4a 0d 0a 1a 0a 01 00 00 00")


def test_a_record_has_the_documented_bytes() -> None:
    record, body_length = frame(b"{}", [np.array([1, 256], dtype="<u2")])
    body = b"\x01\x00\x00\x01"
    prefix = b"\x02\x00\x00\x00\x04\x00\x00\x00"
    sums = zlib.crc32(b"{}").to_bytes(4, "little") + zlib.crc32(body).to_bytes(4, "little")
    assert (record, body_length) == (prefix + sums + b"{}" + body, 4)


@given(items())
def test_arrays_come_back_as_they_went(arrays: list[ArrayItem]) -> None:
    values, described = stored(arrays)
    parsed = parse_header(header(described.json))
    assert parsed.layout == described.layout
    record, body_length = frame(b"{}", values)
    body = record[len(record) - body_length :]
    back = split_body(parsed.layout, body)
    assert list(back) == [item.name for item in arrays]
    for item in arrays:
        found = back[item.name]
        assert (found.units, found.axes) == (item.units, item.axes)
        assert found.values.dtype.newbyteorder("=") == item.values.dtype.newbyteorder("=")
        assert found.values.shape == item.values.shape
        assert np.array_equal(found.values, item.values, equal_nan=item.values.dtype.kind in "fc")


def finite(value: object) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [finite(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {key: finite(item) for key, item in items}
    return value


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_data_come_back_and_what_is_not_finite_becomes_null(data: dict[str, Any]) -> None:
    parsed = parse_header(header(data=data))
    assert parsed.data == finite(data)


def test_the_header_is_one_line_of_plain_json() -> None:
    raw = header(data={"text": "two\nlines", "half": np.float32(0.5), "list": np.arange(2)})
    assert b"\n" not in raw
    assert json.loads(raw) == {
        "kind": "point",
        "seq": 3,
        "t_mono_s": 1.5,
        "t_utc": "2026-03-01T12:00:00+00:00",
        "step_id": "a/µ",
        "attempt": 1,
        "segment": 2,
        "arrays": [],
        "data": {"text": "two\nlines", "half": 0.5, "list": [0, 1]},
    }


def test_text_is_plain_json() -> None:
    assert dump_text({"a": float("inf"), "µ": (1, 2)}) == '{"a":null,"µ":[1,2]}'


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ([ArrayItem("a", np.zeros(2), "", ())], "0 axes named for 1 dimensions"),
        ([ArrayItem("a b", np.zeros(2), "", ("x",))], "'a b' cannot name"),
        ([ArrayItem("a", np.zeros(2), "", ("point",))], "'point' cannot name"),
        ([ArrayItem("a_mask", np.zeros(2), "", ("x",))], "must stand beside an array 'a'"),
        ([ArrayItem("a", np.zeros(2), "", ("x",))] * 2, "not unique: a, a"),
        (
            [ArrayItem("a", np.zeros(2), "", ("x",)), ArrayItem("b", np.zeros(3), "", ("x",))],
            "axis x is 3 long here, 2 before",
        ),
    ],
)
def test_impossible_arrays_are_refused(arrays: list[ArrayItem], words: str) -> None:
    with pytest.raises(StorageError, match=words):
        stored(arrays)


@pytest.mark.parametrize("values", [np.array(["a"]), np.array([None]), np.array(["2026"], "M8[D]")])
def test_only_numbers_are_stored(values: NDArray[Any]) -> None:
    with pytest.raises(StorageError, match="use numbers or booleans"):
        stored([ArrayItem("a", values, "", ("x",))])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"7",
        b'{"kind": "point"}',
        b"\xff\xfe",
        header().replace(b'"data":{}', b'"data":7'),
        header(b'[{"name":"a","dtype":"O","shape":[1],"units":"","axes":["x"]}]'),
        header(b'[{"name":"a","dtype":"<f8","shape":[-1],"units":"","axes":["x"]}]'),
        header(b'[{"name":"a","dtype":"<f8","shape":[1],"units":"","axes":[]}]'),
        header(b'[{"name":"a","dtype":"nonsense","shape":[],"units":"","axes":[]}]'),
    ],
)
def test_a_header_that_is_none_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match="no header of a record"):
        parse_header(raw)


def test_a_body_must_be_covered_exactly() -> None:
    layout = parse_header(
        header(b'[{"name":"a","dtype":"<u2","shape":[2],"units":"","axes":["x"]}]')
    ).layout
    assert split_body(layout, bytes(4))["a"].values.tolist() == [0, 0]
    for length in (0, 3, 5):
        with pytest.raises(ValueError, match="do not match"):
            split_body(layout, bytes(length))
