"""Photons by pixel of lines that begin with a marker: any cut into blocks, nothing lost."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from labctl.photons import LineCounts, PhotonBlock, RecordType, Stream

TICK_S = 1e-7
NONE = np.zeros(0, np.uint32)


def block(times: list[int], markers: list[int], bits: int, end: int) -> PhotonBlock:
    """Photons of input 0 and of input 5, which is not asked for, at the same times."""
    ticks = np.repeat(np.array(times, np.int64), 2)
    channel = np.tile(np.array([0, 5], np.uint8), len(times))
    return PhotonBlock(
        records=NONE,
        time_ticks=ticks,
        channel=channel,
        delay_bins=np.zeros(len(ticks), np.uint16),
        marker_ticks=np.array(markers, np.int64),
        marker_bits=np.full(len(markers), bits, np.uint8),
        begin_tick=0,
        end_tick=end,
        overflow_records=0,
        overflows=0,
        invalid_records=0,
    )


def fresh() -> LineCounts:
    return LineCounts(Stream(RecordType.GENERIC_T3, TICK_S, 1e-12), [0], 4)


EDGES_S = np.array([0.0, 2e-3, 4.5e-3, 6e-3])


def expected(times: list[int], markers: list[int]) -> list[list[int]]:
    edges = [round(s / TICK_S) for s in EDGES_S.tolist()]
    return [
        [sum(marker + a <= t < marker + b for t in times) for a, b in pairwise(edges)]
        for marker in markers
    ]


@given(
    st.lists(st.integers(0, 400_000), max_size=60),
    st.lists(st.integers(0, 400_000), max_size=3),
    st.booleans(),
)
def test_pixels_hold_what_came_between_their_edges(
    times: list[int], cuts: list[int], told_late: bool
) -> None:
    times, markers = sorted(times), [50_000, 200_000, 300_000]
    counts = fresh()
    if not told_late:
        for _ in markers:
            counts.expect(EDGES_S)
    ends = [*sorted(cuts), 400_001]
    begin = 0
    for end in ends:
        inside = [t for t in times if begin <= t < end]
        marked = [m for m in markers if begin <= m < end]
        counts.feed(block(inside, marked, 8, end))
        begin = end
    if told_late:
        for _ in markers:
            counts.expect(EDGES_S)
    found = counts.result()
    assert [line.tolist() for line in found.counts] == expected(times, markers)
    assert found.markers == found.lines == 3


def test_markers_of_other_inputs_begin_no_line() -> None:
    counts = fresh()
    counts.expect(EDGES_S)
    counts.feed(block([10, 20], [0], 7, 400_000))
    assert counts.result().markers == 0
    assert counts.result().counts == ()
    counts.feed(block([], [400_100], 9, 900_000))
    assert counts.result().markers == 1


def test_a_line_that_is_not_over_is_not_counted_yet() -> None:
    counts = fresh()
    counts.expect(EDGES_S)
    counts.feed(block([10], [0], 8, 30_000))
    counts.feed(block([30_500], [], 8, 70_000))
    assert [line.tolist() for line in counts.result().counts] == [[1, 1, 0]]
