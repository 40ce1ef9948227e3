"""Record words bit by bit, wraps, markers, and independence of the division into blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from labctl_sim.picoquant._records import (
    HYDRA,
    PICOHARP,
    Format,
    T2Encoder,
    T3Encoder,
    quotient,
)
from labctl_sim.picoquant._replay import decode
from labctl_sim.world.photons import grid_of

FIELDS = np.array([0, 1, 2, 3, 4, 5, -1, 0], dtype=np.int64)
GRID = grid_of(1e7)
HOLD_PS = 2 * 10**9
FORMS = pytest.mark.parametrize("form", [HYDRA, PICOHARP], ids=["hydra", "picoharp"])


def keys(*events: tuple[int, int]) -> NDArray[np.int64]:
    return np.array([(at_ps << 3) | detector for at_ps, detector in events], dtype=np.int64)


def encoder(
    form: Format, *, t3: bool, resolution_ps: int = 4, hold_ps: int = HOLD_PS
) -> T2Encoder | T3Encoder:
    if t3:
        return T3Encoder(form, GRID, resolution_ps, 0, FIELDS, hold_ps)
    return T2Encoder(form, resolution_ps, FIELDS, hold_ps)


def words(records: NDArray[np.uint32]) -> list[str]:
    return [f"{int(word):08x}" for word in records]


@given(unit=st.integers(1, 10**9), times=st.integers(0, 10**6), more=st.integers(-1, 1))
def test_a_product_gives_the_whole_quotient(unit: int, times: int, more: int) -> None:
    number = max(unit * times + more, 0)
    assert quotient(number, unit, 1.0 / unit) == number // unit


def test_hydra_t2_words() -> None:
    wrap = 33554432
    events = keys((0, 0), (5, 1), (wrap - 1, 0), (wrap, 2), (3 * wrap + 7, 7))
    assert words(encoder(HYDRA, t3=False, resolution_ps=1).photons(events)) == [
        "00000000",
        "02000005",
        "01ffffff",
        "fe000001",
        "04000000",
        "fe000002",
        "80000007",
    ]


def test_hydra_t3_words() -> None:
    events = keys((0, 0), (100_000 + 40, 1), (1024 * 100_000 + 8, 0), (4096 * 100_000, 1))
    assert words(encoder(HYDRA, t3=True).photons(events)) == [
        "00000000",
        f"{(1 << 25) + (10 << 10) + 1:08x}",
        "fe000001",
        f"{2 << 10:08x}",
        "fe000003",
        "02000000",
    ]


def test_picoharp_t2_words() -> None:
    wrap_ps = 210698240 * 4
    events = keys((4000, 1), (wrap_ps - 4, 0), (2 * wrap_ps + 8, 1))
    assert words(encoder(PICOHARP, t3=False).photons(events)) == [
        f"{(1 << 28) + 1000:08x}",
        f"{210698239:08x}",
        "f0000000",
        "f0000000",
        "10000002",
    ]


def test_picoharp_t3_words() -> None:
    events = keys((12, 1), (65536 * 100_000 + 400, 1))
    assert words(encoder(PICOHARP, t3=True).photons(events)) == [
        f"{(1 << 28) + (3 << 16):08x}",
        "f0000000",
        f"{(1 << 28) + (100 << 16):08x}",
    ]


def test_markers() -> None:
    assert words(encoder(HYDRA, t3=False, resolution_ps=1).marker(33554432 + 3, 5)) == [
        "fe000001",
        f"{(1 << 31) + (5 << 25) + 3:08x}",
    ]
    assert words(encoder(HYDRA, t3=True).marker(1025 * 100_000, 8)) == [
        "fe000001",
        f"{(1 << 31) + (8 << 25) + 1:08x}",
    ]
    assert words(encoder(PICOHARP, t3=False).marker(4 * 0x1234567, 3)) == ["f1234563"]
    assert words(encoder(PICOHARP, t3=True).marker(7 * 100_000, 2)) == ["f0020007"]


@FORMS
def test_what_is_too_late_for_a_t3_record_is_lost(form: Format) -> None:
    last = (1 << form.dtime_bits) - 1
    events = keys((0, 1), (last, 1), (last + 1, 1))
    slow = T3Encoder(form, grid_of(1e6), 1, 0, FIELDS, HOLD_PS)
    _, delays, _ = decode(slow.photons(events), form, t3=True)
    assert list(delays) == [0, last]
    early = T3Encoder(form, grid_of(1e6), 1, 100, FIELDS, HOLD_PS)
    _, delays, _ = decode(early.photons(keys((99, 1), (100, 1), (150, 1))), form, t3=True)
    assert list(delays) == [0, 50]


@pytest.mark.parametrize("t3", [False, True])
def test_overflows_are_gathered_and_sent_in_time(t3: bool) -> None:
    wrap_ps = 1024 * 100_000 if t3 else 33554432
    quiet = encoder(HYDRA, t3=t3, resolution_ps=1, hold_ps=10 * wrap_ps)
    assert words(quiet.idle(9 * wrap_ps)) == []
    assert words(quiet.idle(25 * wrap_ps)) == ["fe00000a", "fe00000a"]
    assert words(quiet.idle(25 * wrap_ps, last=True)) == ["fe000005"]
    each = encoder(HYDRA, t3=t3, resolution_ps=1, hold_ps=0)
    assert words(each.idle(2 * wrap_ps)) == ["fe000001", "fe000001"]


@FORMS
@pytest.mark.parametrize("t3", [False, True])
@given(data=st.data())
def test_blocks_of_any_size_give_the_same_records(
    form: Format, t3: bool, data: st.DataObject
) -> None:
    times = data.draw(st.lists(st.integers(0, 10**10), max_size=30).map(sorted))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(times)), max_size=5)))
    events = keys(*[(at_ps, 1 + at_ps % 3) for at_ps in times])
    whole = encoder(form, t3=t3)
    expected = np.concatenate([whole.photons(events), whole.idle(2 * 10**10, last=True)])
    parts = encoder(form, t3=t3)
    found: list[NDArray[np.uint32]] = []
    for begin, end in zip([0, *cuts], [*cuts, len(times)], strict=True):
        found.append(parts.photons(events[begin:end]))
        found.append(parts.idle(times[end - 1] if end else 0))
    found.append(parts.idle(2 * 10**10, last=True))
    assert np.array_equal(np.concatenate(found), expected)


@FORMS
@given(times=st.lists(st.integers(0, 10**12), max_size=50).map(sorted))
def test_t2_comes_back(form: Format, times: list[int]) -> None:
    events = keys(*[(4 * at, 1 + at % 3) for at in times])
    ticks, _, channels = decode(encoder(form, t3=False).photons(events), form, t3=False)
    assert list(ticks) == times
    assert list(channels) == [1 + at % 3 for at in times]


@FORMS
@given(st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 4095)), max_size=50).map(sorted))
def test_t3_comes_back(form: Format, events: list[tuple[int, int]]) -> None:
    at_ps = sorted((sync * 100_000 + 4 * bin_, 1) for sync, bin_ in events)
    ticks, delays, _ = decode(encoder(form, t3=True).photons(keys(*at_ps)), form, t3=True)
    assert list(ticks * 100_000 + 4 * delays) == [at for at, _ in at_ps]
    assert list(ticks) == [sync for sync, _ in events]
