"""Photons to generic records and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.photons import Encoder, RecordType
from photon_streams import SPECIAL, Event, light, read, words


@given(
    mode=st.sampled_from([2, 3]),
    gaps=st.lists(st.integers(0, 1 << 36) | st.integers(0, 2000), max_size=40),
    cut=st.integers(0, 40),
)
def test_what_was_encoded_is_read_again(mode: int, gaps: list[int], cut: int) -> None:
    time = np.cumsum(np.array(gaps, np.int64) >> (0 if mode == 2 else 12))
    code = np.arange(len(time), dtype=np.uint8) % 7
    code[3::5] += 65
    delay = (np.arange(len(time)) * 1237 % 32768).astype(np.uint16) * np.uint16(mode == 3)
    delay[3::5] = 0
    one = Encoder(mode)
    parts = [
        one.feed(time[cut_], code[cut_], delay[cut_] if mode == 3 else None)
        for cut_ in (slice(0, cut), slice(cut, None))
    ]
    got = read(one.record_type, np.concatenate(parts).tolist())
    is_marker = code > 63
    rows = zip(time.tolist(), code.tolist(), delay.tolist(), strict=True)
    photons = [row for row in rows if row[1] < 64]
    markers = list(zip(time[is_marker].tolist(), (code[is_marker] - 64).tolist(), strict=True))
    assert (got.photons, got.markers) == (photons, markers)


def test_an_overflow_record_in_t2_counts_to_127_at_most() -> None:
    """ptufile 2026.2.6 loses time with larger counts."""
    records = Encoder(2).feed(np.array([(300 << 25) + 5]), np.array([1], np.uint8))
    assert records.tolist() == [SPECIAL | 127, SPECIAL | 127, SPECIAL | 46, 1 << 25 | 5]


def test_words_are_those_of_the_slow_encoder() -> None:
    time, channel, delay = light(0, 3000, 700.0)
    made = [
        Event(*row) for row in zip(time.tolist(), channel.tolist(), delay.tolist(), strict=True)
    ]
    expected = words(RecordType.GENERIC_T3, made, 1023)
    assert Encoder(3).feed(time, channel, delay).tolist() == expected.tolist()


@pytest.mark.parametrize("mode", [2, 3])
def test_the_end_of_a_measurement_is_written_as_overflows(mode: int) -> None:
    one = Encoder(mode)
    end = 5000 << (25 if mode == 2 else 10)
    records = one.advance(end)
    assert read(one.record_type, records.tolist()).overflows == 5000
    assert one.advance(end).size == 0
    with pytest.raises(ValueError, match="order"):
        one.feed(np.array([end - 1]), np.zeros(1, np.uint8), np.zeros(1, np.uint16)[: mode - 2])


def test_what_does_not_fit_is_refused() -> None:
    one, zero = Encoder(3), np.zeros(2, np.uint8)
    with pytest.raises(ValueError, match="order"):
        one.feed(np.array([5, 4]), zero, np.zeros(2, np.uint16))
    with pytest.raises(ValueError, match="32767"):
        one.feed(np.array([5, 6]), zero, np.array([0, 32768], np.uint16))
    with pytest.raises(ValueError, match="one by one"):
        one.feed(np.array([5, 6]), zero)
    with pytest.raises(ValueError, match="channel"):
        one.feed(np.array([5, 6]), zero + np.uint8(80), np.zeros(2, np.uint16))
    with pytest.raises(ValueError, match="2 or 3"):
        Encoder(4)
