"""Records of every type, against a decoder that reads the digits of each word."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labctl.errors import StorageError
from labctl.photons import SYNC_CHANNEL, Decoder, RecordType, Stream, format_of
from photon_streams import (
    FIRST_VERSION,
    PICOHARP,
    SPECIAL,
    T2,
    T3,
    WRAPS,
    Event,
    pieces,
    read,
    rows,
    words,
)

GENERIC_T2, GENERIC_T3 = RecordType.GENERIC_T2, RecordType.GENERIC_T3


def decoder(kind: RecordType) -> Decoder:
    return Decoder(Stream(kind, 1e-12 if kind in T2 else 1e-7))


def events(kind: RecordType, seed: int = 0) -> list[Event]:
    """Return photons on and beside wrap edges, on four channels, and markers that coincide."""
    rng = np.random.default_rng(seed)
    wrap = WRAPS[kind]
    ticks = [0, 1, wrap - 1, wrap, wrap + 1, 2 * wrap, 3 * wrap - 1, 10 * wrap, 150 * wrap]
    ticks += sorted(rng.integers(150 * wrap, 900 * wrap, 200).tolist())
    most = 4096 if kind in PICOHARP else 32768
    first = 1 if kind is RecordType.PICOHARP_T3 else 0
    found: list[Event] = []
    for number, tick in enumerate(ticks):
        delay = [0, 1, most - 1, int(rng.integers(most))][number % 4] if kind in T3 else 0
        found.append(Event(tick, first + number % 4, delay))
        if number % 7 == 3:
            coarse = tick & ~15 if kind is RecordType.PICOHARP_T2 else tick
            if coarse == tick:
                found.append(Event(tick, bits=1 + number % 15))
    return found


@pytest.mark.parametrize("most", [1, 127, 1023, 0])
@pytest.mark.parametrize("kind", list(RecordType))
def test_every_event_is_found(kind: RecordType, most: int) -> None:
    made = events(kind)
    got = rows([decoder(kind).feed(words(kind, made, most))])
    assert got.photons == [(e.tick, e.channel, e.delay) for e in made if not e.bits]
    assert got.markers == [(e.tick, e.bits) for e in made if e.bits]
    assert got.overflows == made[-1].tick // WRAPS[kind]


@given(
    kind=st.sampled_from(list(RecordType)),
    stream=st.lists(
        st.one_of(
            st.integers(0, 0xFFFFFFFF),
            st.integers(0, 0x1FFFFFF).map(lambda field: SPECIAL | field % 3000),
            st.integers(0, 0xFFF).map(lambda field: 0xF << 28 | field << 16),
        ),
        max_size=60,
    ),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
@settings(max_examples=300)
def test_any_words_in_any_blocks(kind: RecordType, stream: list[int], cuts: list[int]) -> None:
    records, one = np.array(stream, np.uint32), decoder(kind)
    blocks = [one.feed(part).copy() for part in pieces(records, cuts)]
    whole = decoder(kind).feed(records)
    if not one.saturated:
        assert rows(blocks) == read(kind, stream)
    assert rows(blocks) == rows([whole])
    assert blocks[-1].end_tick == whole.end_tick
    known = len(whole.time_ticks) + len(whole.marker_ticks) + whole.overflow_records
    assert known + whole.invalid_records == len(stream)
    assert sum(block.invalid_records for block in blocks) == whole.invalid_records


def test_blocks_follow_each_other_in_time() -> None:
    made = words(GENERIC_T3, events(GENERIC_T3))
    one = decoder(GENERIC_T3)
    blocks = [one.feed(part) for part in np.array_split(made, 9)]
    assert blocks[0].begin_tick == 0
    assert [b.end_tick for b in blocks[:-1]] == [b.begin_tick for b in blocks[1:]]


@pytest.mark.parametrize("kind", [kind for kind in T2 if kind not in PICOHARP])
def test_events_on_the_sync_input_have_a_channel_of_their_own(kind: RecordType) -> None:
    block = decoder(kind).feed(np.array([1 << 31 | 500, 3], np.uint32))
    assert block.channel.tolist() == [SYNC_CHANNEL, 0]
    assert block.time_ticks.tolist() == [500, 3]


@pytest.mark.parametrize("kind", FIRST_VERSION)
def test_the_first_version_knows_no_count(kind: RecordType) -> None:
    block = decoder(kind).feed(np.array([SPECIAL | 5, 7], np.uint32))
    assert block.time_ticks.tolist() == [WRAPS[kind] + 7]


@pytest.mark.parametrize("kind", list(RecordType))
def test_damaged_records_do_not_lead_beyond_time(kind: RecordType) -> None:
    """After 2^60 ticks (T3: 2^46) times stay where they are, however the stream is cut."""
    flood = np.full(40_000, 0xFFFFFFFF if kind not in PICOHARP else 0xF << 28, np.uint32)
    records = np.append(flood, np.uint32(7))
    one, whole = decoder(kind), decoder(kind)
    block = [one.feed(part) for part in np.array_split(records, 7)][-1]
    assert np.all(whole.feed(records).time_ticks >= 0)
    assert (one.end_tick, one.saturated) == (whole.end_tick, whole.saturated)
    assert block.time_ticks[-1] == whole.overflows * WRAPS[kind] + 7
    assert whole.end_tick < (1 << 60) + WRAPS[kind]
    assert whole.saturated == (kind in T2 and kind not in (*PICOHARP, *FIRST_VERSION))


def test_a_block_can_be_larger_than_the_buffers() -> None:
    records = np.arange(300_000, dtype=np.uint32) & np.uint32(0x3FF)
    assert len(decoder(GENERIC_T3).feed(records).time_ticks) == 300_000


def test_a_copy_outlives_the_next_block() -> None:
    one = decoder(GENERIC_T3)
    kept = one.feed(np.array([1, 2, 3], np.uint32)).copy()
    one.feed(np.array([7, 8, 9], np.uint32))
    assert kept.time_ticks.tolist() == [1, 2, 3]


def test_results_cannot_be_written_to() -> None:
    block = decoder(GENERIC_T3).feed(np.array([1], np.uint32))
    with pytest.raises(ValueError, match="read-only"):
        block.time_ticks[0] = 5


def test_only_words_of_32_bits_are_records() -> None:
    with pytest.raises(ValueError, match="uint32"):
        decoder(GENERIC_T3).feed(np.zeros((3, 2), np.uint32))
    wrong: Any = np.zeros(3, np.int64)
    with pytest.raises(ValueError, match="uint32"):
        decoder(GENERIC_T3).feed(wrong)


def test_unaligned_and_mapped_records_are_read() -> None:
    raw = b"x" + words(GENERIC_T2, events(GENERIC_T2)).tobytes()
    records = np.frombuffer(raw, np.uint32, offset=1)
    assert (
        rows([decoder(GENERIC_T2).feed(records)]).photons
        == read(GENERIC_T2, records.tolist()).photons
    )


def test_formats() -> None:
    assert format_of(0x00010303).delay_bins == 4096
    assert format_of(0x01010304).delay_bins == 32768
    assert format_of(0x00010207).mode == 2
    with pytest.raises(StorageError, match="0x00010208"):
        format_of(0x00010208)
