"""Blinking of the simulated world, through the records of a simulated module."""

import ctypes
import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    BlinkingKind,
    DecayColumns,
    blinking_type,
    find_change_points,
    group_levels,
    segment_decays,
    threshold_trace,
)
from labctl.photons import Decoder, PhotonBlock, RecordType, Stream, Trace
from labctl_sim.world.photons import Bench
from tcspc_bench import T3, TcspcBench

LENGTH_S, SYNC_S, BIN_S = 8.0, 1e-7, 0.005


class Seen(NamedTuple):
    """Photons, and when the dot really was ON: switches since the beginning of the run."""

    stream: Stream
    photons: PhotonBlock
    switches_s: NDArray[np.float64]
    on_share: float


def watched(kind: str) -> Seen:
    blinking: dict[str, Any] = {"kind": "telegraph", "type": kind}
    blinking |= {"on_share": 0.7, "on_share_after_one_hour": 0.7}
    blinking |= {"shortest": "50 ms", "longest": "50 ms"}
    dot = {"edge_length": "30 nm", "lifetime": "2 ns", "regime": "auger", "blinking": blinking}
    bench = TcspcBench("MH", dot)
    bench.open(T3)
    delay_bin_s = bench.number("GetResolution", kind=ctypes.c_double) * 1e-12
    begin_s = bench.clock.now()
    stream = Stream(RecordType.GENERIC_T3, SYNC_S, delay_bin_s)
    photons = Decoder(stream).feed(bench.acquire(round(LENGTH_S * 1e3), 0.2)).copy()
    dwells = Bench.of(bench.world).blinking("A7")
    assert dwells is not None
    states = dwells.states(begin_s, begin_s + LENGTH_S)
    switches_s = np.array([at_s - begin_s for at_s, _ in states[1:]])
    return Seen(stream, photons, switches_s, dwells.on_share(begin_s, begin_s + LENGTH_S))


@pytest.fixture(scope="module", params=["A", "B"])
def seen(request: pytest.FixtureRequest) -> tuple[str, Seen]:
    return request.param, watched(request.param)


def test_change_points_and_trace_give_the_true_on_share(seen: tuple[str, Seen]) -> None:
    _, (stream, photons, switches_s, on_share) = seen
    points = find_change_points(photons.time_ticks, SYNC_S)
    nearest_s = np.abs(points.time_s[:, None] - switches_s).min(axis=1)
    assert np.mean(nearest_s < 2e-3) > 0.97
    # Dwells of less than 3 ms may be missed, two switches each.
    lasting_s = [b - a for a, b in itertools.pairwise([0.0, *switches_s, LENGTH_S])]
    short = sum(lasting < 3e-3 for lasting in lasting_s)
    assert abs(switches_s.size - points.photon.size) <= 2 * short
    levels = group_levels(points)
    assert len(levels.rate_hz) == 2
    assert levels.dwells().on_fraction().value == pytest.approx(on_share, abs=0.005)
    trace = Trace(stream, BIN_S)
    trace.feed(photons)
    found = threshold_trace(trace.result().counts.sum(axis=1), BIN_S)
    assert found.on_fraction.value == pytest.approx(on_share, abs=0.01)
    assert found.on_fraction_by_mean.value == pytest.approx(on_share, abs=0.01)


def test_the_type_and_the_lifetime_ratio(seen: tuple[str, Seen]) -> None:
    kind, (stream, photons, _, _) = seen
    points = find_change_points(photons.time_ticks, SYNC_S)
    on = group_levels(points).on()
    # From 0.6 ns after the peak, so that response and biexciton are over.
    peak = int(np.bincount(photons.delay_bins).argmax())
    per_column = 100
    begin = peak + round(0.6e-9 / stream.delay_bin_s)
    rows = segment_decays(points, photons.delay_bins, (begin, begin + 100 * per_column), per_column)
    columns = DecayColumns(per_column * stream.delay_bin_s, rows.shape[1])
    dark_hz = 2 * 50.0 * columns.column_s * columns.columns / SYNC_S
    found = blinking_type(rows, points.duration_s, on, columns, background_hz=dark_hz, binned=False)
    assert found.kind is BlinkingKind(kind)
    truth = 0.4 if kind == "A" else 1.0
    # Afterpulses and light of the other state near a switch are a part of the OFF light.
    assert found.lifetime_ratio.value == pytest.approx(truth, rel=0.05)
    assert 0.0 < found.lifetime_ratio.error < 0.05 * truth
