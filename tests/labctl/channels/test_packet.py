"""Packets carry plain values and arrays as they are, and nothing else."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from labctl.channels import pack, unpack
from labctl.errors import LabctlError
from labctl.host.server._outbox import Outbox

KINDS = hnp.integer_dtypes() | hnp.unsigned_integer_dtypes() | hnp.floating_dtypes(sizes=(32, 64))
ARRAYS = hnp.arrays(KINDS, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))


@given(arrays=st.dictionaries(st.text("abc", min_size=1), ARRAYS, max_size=3))
def test_arrays_arrive_as_they_were_sent(arrays: dict[str, NDArray[Any]]) -> None:
    head, found = unpack(pack({"kind": "live", "n": 1}, arrays))
    assert head == {"kind": "live", "n": 1}
    assert list(found) == list(arrays)
    for name, values in arrays.items():
        assert found[name].shape == values.shape
        assert found[name].dtype == values.dtype.newbyteorder("<")
        np.testing.assert_array_equal(found[name], values)


def test_an_array_that_is_cut_or_turned_arrives_whole() -> None:
    image = np.arange(12, dtype=np.uint16).reshape(3, 4)
    _, found = unpack(pack({}, {"turned": image.T, "cut": image[:, ::2]}))
    np.testing.assert_array_equal(found["turned"], image.T)
    np.testing.assert_array_equal(found["cut"], image[:, ::2])


def test_the_bytes_of_a_packet() -> None:
    packet = pack({"a": 1}, {"x": np.array([1, 2], np.uint16)})
    text = b'{"a": 1, "arrays": [["x", "<u2", [2]]]}'
    assert packet == len(text).to_bytes(4, "little") + text + b"\1\0\2\0"


@given(st.binary(max_size=60))
def test_what_is_no_packet_is_an_error_of_ours(noise: bytes) -> None:
    with pytest.raises(LabctlError, match="packet"):
        unpack(noise)


def test_a_packet_that_is_cut_off_or_too_long_is_refused() -> None:
    packet = pack({"a": 1}, {"x": np.zeros(3)})
    for wrong in (packet[:-1], packet + b"\0"):
        with pytest.raises(LabctlError, match="packet"):
            unpack(wrong)


def test_objects_do_not_travel() -> None:
    with pytest.raises(TypeError, match="do not travel"):
        pack({}, {"x": np.array([object()])})


def test_words_keep_their_order_and_of_pictures_the_newest_counts() -> None:
    outbox = Outbox()
    outbox.show("spectrum", b"old")
    outbox.put(b"first")
    outbox.show("image", b"image")
    outbox.show("spectrum", b"new")
    outbox.put(b"second")
    assert [outbox.take() for _ in range(4)] == [b"first", b"second", b"image", b"new"]
    assert outbox.dropped == 1


def test_a_window_that_does_not_read_is_given_up_and_nobody_waits_for_it() -> None:
    outbox = Outbox(most=3)
    assert all(outbox.put(b"word") for _ in range(3))
    assert not outbox.put(b"one too many")
    assert outbox.take() is None
    assert not outbox.put(b"later")
