"""Plain values travel between processes as they are, and nothing else does."""

import ctypes
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from labctl.errors import ConnectionLostError, DeviceError, LabctlError, RefusedError
from labctl.transport.isolated._room import Room
from labctl.transport.isolated._values import decode, encode

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=20)
)
KEYS = st.integers() | st.text() | st.tuples(st.integers(), st.text())
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_plain_values_arrive_as_they_were(value: Any) -> None:
    found = decode(encode(value))
    assert found == value
    assert repr(found) == repr(value)


@given(hnp.arrays(hnp.integer_dtypes(endianness="<"), hnp.array_shapes(min_dims=0, min_side=0)))
def test_arrays_arrive_and_are_the_receivers_own(array: NDArray[Any]) -> None:
    found = decode(encode([array]))[0]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert found.flags.writeable


def test_no_number_stays_no_number() -> None:
    assert math.isnan(decode(encode(math.nan)))
    assert decode(encode([math.inf, np.float64(2.5), np.int32(-3)])) == [math.inf, 2.5, -3]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionLostError("tagger", "MH_ReadFiFo", "gone (-10)", "check the cable"),
        DeviceError("tagger", "MH_Initialize", "EEPROM_F01 (-64)"),
        RefusedError("tagger", "the library is not there", "install it"),
    ],
)
def test_errors_arrive_as_they_were(error: DeviceError | RefusedError) -> None:
    found = decode(encode(error))
    assert type(found) is type(error)
    assert vars(found) == vars(error)
    assert str(found) == str(error)


@pytest.mark.parametrize("value", [object(), ctypes.c_int(3), {1: {2}}, len, ValueError("no")])
def test_what_is_not_plain_does_not_travel(value: object) -> None:
    with pytest.raises(TypeError, match="does not travel"):
        encode(value)


def test_large_arrays_are_put_into_the_room_and_small_ones_into_the_message() -> None:
    mine = Room()
    theirs = Room(mine.path)
    try:
        large = np.arange(200_000, dtype=np.uint32)
        value = [large, large[:5], large.reshape(400, 500).T, b"x" * 100_000]
        packet = encode(value, theirs)
        assert len(packet) < 1000
        found = decode(packet, mine)
        for one, other in zip(found[:3], value[:3], strict=True):
            np.testing.assert_array_equal(one, other)
        assert found[3] == value[3]
        # The next message begins at the front again; what was read before stays as it was.
        decode(encode(large[::-1], theirs), mine)
        np.testing.assert_array_equal(found[0], large)
        with pytest.raises(LabctlError, match="not shared"):
            decode(packet)
    finally:
        theirs.close()
        mine.close()
    assert not mine.path.exists()


def test_what_does_not_fit_into_the_room_travels_in_the_message() -> None:
    room = Room()
    try:
        arrays = [np.full(1 << 22, n, np.uint16) for n in range(3)]
        found = decode(encode(arrays, room), room)
        assert [int(one[-1]) for one in found] == [0, 1, 2]
        assert [len(one) for one in found] == [1 << 22] * 3
    finally:
        room.close()


def test_a_room_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        Room(tmp_path / "none")
