"""How streams of photons become results: planted telegraphs, and what is missing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import Irf
from labctl.errors import AnalysisError
from labctl.photons import Encoder, PtuDescription, PtuWriter, RecordType, Stream
from labctl.results import (
    ExperimentResult,
    StreamPhotons,
    TimeResponse,
    analyze,
    analyze_stream,
    combined_response,
)
from labctl.storage import ArrayItem, JournalWriter, RecordKind, Run, read_run

Vector = NDArray[np.float64]

TICK_S, BIN_S, PERIOD_S = 1e-7, 1e-10, 1e-7
LENGTH_S, ON_S, OFF_S = 10.0, 0.05, 0.02
ON_HZ, OFF_HZ, DARK_HZ = 50_000.0, 8_000.0, 300.0
BEGAN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)


def arrivals(seed: int, off_ns: float) -> tuple[Vector, Vector, float]:
    """Times and delays, s, of a telegraph, photon by photon; and how much of it was ON."""
    rng = np.random.default_rng([seed, 14])
    lasting = rng.exponential(1.0, (2000, 2)) * [ON_S, OFF_S]
    edges = np.concatenate([[0.0], np.cumsum(lasting)])
    edges = np.append(edges[edges < LENGTH_S], LENGTH_S)
    on = np.arange(edges.size - 1) % 2 == 0
    durations = np.diff(edges)
    times: list[Vector] = [rng.uniform(0, LENGTH_S, rng.poisson(DARK_HZ * LENGTH_S))]
    delays: list[Vector] = [rng.uniform(0, PERIOD_S, times[0].size)]
    expected = durations * (np.where(on, ON_HZ, OFF_HZ) - DARK_HZ)
    counts: list[int] = rng.poisson(expected).tolist()
    for begin, lasts, bright, count in zip(edges[:-1], durations, on, counts, strict=True):
        times.append(begin + lasts * rng.random(count))
        emitted = rng.exponential(10e-9 if bright else 1e-9 * off_ns, count)
        delays.append((3e-9 + rng.normal(0, 0.15e-9, count) + emitted) % PERIOD_S)
    order = np.argsort(np.concatenate(times))
    share = float(durations[on].sum()) / LENGTH_S
    return np.concatenate(times)[order], np.concatenate(delays)[order], share


def scattered(seed: int) -> Vector:
    """A response of a million counts."""
    delays = np.random.default_rng([seed, 15]).normal(3e-9, 0.15e-9, 1_000_000)
    return np.histogram(delays, np.arange(1001) * BIN_S)[0].astype(np.float64)


def planted(seed: int = 0, off_ns: float = 4.0) -> tuple[StreamPhotons, float]:
    """Photons of a telegraph, and the share of ON."""
    times_s, delays_s, share = arrivals(seed, off_ns)
    irf = Irf(bin_ps=100.0, counts=scattered(seed))
    light = StreamPhotons(
        point=3,
        time_ticks=(times_s / TICK_S).astype(np.int64),
        tick_s=TICK_S,
        length_s=LENGTH_S,
        time_bin_s=0.01,
        delay_bins=(delays_s / BIN_S).astype(np.uint16),
        delay_bin_s=BIN_S,
        period_s=PERIOD_S,
        response=combined_response([irf], np.ones(1)),
    )
    return light, share


def named(results: Sequence[ExperimentResult]) -> dict[str, ExperimentResult]:
    return {result.quantity: result for result in results}


def test_blinking_of_a_telegraph() -> None:
    light, share = planted()
    found = named(analyze_stream(light))
    assert {(r.experiment, r.point) for r in found.values()} == {("E14", 3)}
    assert found["on_fraction"].measured.covers(share, 4.0)
    assert found["on_fraction"].standard_error < 2e-4
    assert found["on_rate"].measured.covers(ON_HZ, 4.0)
    assert found["off_rate"].measured.covers(OFF_HZ, 4.0)
    assert found["on_dwell"].measured.covers(ON_S, 4.0)
    assert found["off_dwell"].measured.covers(OFF_S, 4.0)
    assert found["on_dwell"].unit == "s"
    assert "on_exponent" not in found
    tables = {table.name: table for table in found["on_fraction"].tables}
    assert tables["levels"].column("state") == ("OFF", "ON")
    assert len(tables["dwells"].rows) == found["change_points"].value + 1
    lasted = [d for d in tables["dwells"].column("duration") if isinstance(d, float)]
    assert sum(lasted) == pytest.approx(LENGTH_S, rel=1e-9)


@pytest.mark.parametrize(("off_ns", "kind"), [(4.0, "A"), (10.0, "B")])
def test_lifetimes_and_the_type(off_ns: float, kind: str) -> None:
    light, _ = planted(off_ns=off_ns)
    found = named(analyze_stream(light, lifetimes=True))
    assert found["on_lifetime"].experiment == "E15"
    assert found["on_lifetime"].measured.covers(10.0, 4.0)
    assert found["off_lifetime"].measured.covers(off_ns, 4.0)
    assert found["lifetime_ratio"].measured.covers(off_ns / 10, 4.0)
    assert found["intensity_ratio"].measured.covers((OFF_HZ - DARK_HZ) / (ON_HZ - DARK_HZ), 4.0)
    assert f"type {kind}" in found["type_slope"].warnings[0]
    tables = {table.name: table for table in found["type_slope"].tables}
    assert tables["blinking_type"].column("type") == (kind, kind)
    assert tables["flid"].units == {"rate": "Hz", "lifetime": "ns", "share": ""}


def test_without_a_response_the_tail_gives_lifetimes() -> None:
    light, _ = planted()
    found = named(analyze_stream(replace(light, response=None), lifetimes=True))
    assert found["on_lifetime"].measured.covers(10.0, 4.0)
    assert found["off_lifetime"].measured.covers(4.0, 4.0)


def test_absolute_times_have_no_lifetimes() -> None:
    light, share = planted()
    found = named(analyze_stream(replace(light, delay_bins=None), lifetimes=True))
    assert found["on_fraction"].measured.covers(share, 4.0)
    assert np.isnan(found["lifetime_ratio"].value)
    assert any("mode t3" in text for text in found["lifetime_ratio"].warnings)


def test_a_dot_that_never_switches_is_on() -> None:
    times = np.sort(np.random.default_rng(0).integers(0, 10**7, 50_000))
    found = named(analyze_stream(StreamPhotons(0, times, TICK_S, 1.0, 0.01), lifetimes=True))
    assert found["on_fraction"].value == 1.0
    # What may be hidden is one dwell in which 20 photons are missing.
    assert found["on_fraction"].standard_error == pytest.approx(20 / 50_000, rel=0.01)
    assert "off_rate" not in found
    assert any("too few for their law" in text for text in found["on_fraction"].warnings)


def test_too_few_photons_are_an_error() -> None:
    with pytest.raises(AnalysisError, match="too few for change points"):
        analyze_stream(StreamPhotons(0, np.arange(3), TICK_S, 1.0, 0.01))


def test_a_trace_counts_complete_bins_only() -> None:
    times = np.array([0, 99_999, 100_000, 250_000, 260_000])
    light = StreamPhotons(0, times, TICK_S, 0.0255, 0.01)
    assert light.trace().tolist() == [2, 1]


def test_responses_add_up_by_the_light_on_each_detector() -> None:
    one = Irf(bin_ps=100.0, counts=np.array([100.0, 0.0, 0.0]))
    other = Irf(bin_ps=100.0, counts=np.array([0.0, 30.0, 10.0, 0.0]))
    found = combined_response([one, other], np.array([3.0, 1.0]))
    assert isinstance(found, TimeResponse)
    assert found.share == pytest.approx([0.75, 0.1875, 0.0625])
    assert found.variance == pytest.approx([0.75**2 / 100, 0.1875**2 / 30, 0.0625**2 / 10])


Store = Callable[..., Run]


@pytest.fixture
def stored(tmp_path: Path) -> Store:
    """Return a function that journals one point, its raw records in parts, and reads the run."""

    def write(
        parts: Sequence[tuple[NDArray[np.int64], NDArray[np.uint16]]],
        *,
        points: int = 1,
        **recipe: str,
    ) -> Run:
        path = tmp_path / "run.lcj"
        with JournalWriter(path, now=lambda: 5.0, utc=lambda: BEGAN) as journal:
            start: dict[str, Any] = {"uid": "run", "name": "blinking", "recipe": recipe}
            journal.append(RecordKind.START, start, durable=False)
            names = [f"run_p0000_{number}.ptu" for number in range(len(parts))]
            for name, (ticks, delays) in zip(names, parts, strict=True):
                _write_records(tmp_path / name, ticks, delays)
                entry = {"name": name, "size": 1, "sha256": "", "index": 0, "attempt": 0}
                journal.append(RecordKind.SIDECAR, entry, durable=False)
            arrays = [
                ArrayItem("counts", np.ones(9, np.uint32), "counts", ("bin",)),
                ArrayItem("time", (np.arange(9) + 0.5) * 0.01, "s", ("bin",)),
            ]
            for index in range(points):
                point = {**_point(names), "index": index}
                journal.append(RecordKind.POINT, point, arrays, durable=False)
            stop = {"status": "complete", "reason": "", "points": points}
            journal.append(RecordKind.STOP, stop, durable=False)
        return read_run(path)

    return write


def _point(names: Sequence[str]) -> dict[str, Any]:
    return {
        "index": 0, "measurement": "photons", "label": "", "attempt": 0, "set": {}, "read": {},
        "settings": {
            "tagger": {"mode": "t3", "delay_bin_ps": 100.0},
            "detectors": {"apd_1": {"input": 1, "code": 0}},
            "laser": {"rep_rate_hz": 1e7},
            "photons": {
                "detectors": {"apd_1": {"count_rate_hz": 30_000.0}},
                "parts": [{"file": name} for name in names],
            },
        },
        "quality": 0, "began_s": 1.0, "ended_s": 4.0, "live_time_s": LENGTH_S,
    }  # fmt: skip


def _write_records(path: Path, ticks: NDArray[np.int64], delays: NDArray[np.uint16]) -> None:
    stream = Stream(RecordType.GENERIC_T3, TICK_S, BIN_S)
    about = PtuDescription(stream, BEGAN, "MultiHarp", "1", 1, 1e7, 100.0)
    with PtuWriter(path, about) as writer:
        writer.append(Encoder(3).feed(ticks, np.zeros(ticks.size, np.uint8), delays))


def halves(light: StreamPhotons) -> list[tuple[NDArray[np.int64], NDArray[np.uint16]]]:
    """Cut a stream into two, as a pause that banks does."""
    delays = light.delay_bins
    assert delays is not None
    middle = int(light.time_ticks[light.time_ticks.size // 2])
    cut = int(np.searchsorted(light.time_ticks, middle))
    return [
        (light.time_ticks[:cut], delays[:cut]),
        (light.time_ticks[cut:] - middle, delays[cut:]),
    ]


def test_raw_records_of_a_run_give_the_same_whether_paused_or_not(stored: Store) -> None:
    light, _ = planted()
    results = analyze(stored(halves(light), experiment="E15"))
    found, whole = named(results), named(analyze_stream(light, lifetimes=True))
    assert {result.experiment for result in results} == {"E14", "E15"}
    for name in ("on_fraction", "on_rate", "off_rate", "on_lifetime", "off_lifetime"):
        assert found[name].value == pytest.approx(
            whole[name].value, abs=whole[name].standard_error
        ), name
    assert "point 0: 2 parts are joined without the pauses between them" in (
        found["on_fraction"].warnings
    )
    assert any("no response of apd_1" in text for text in found["on_lifetime"].warnings)


def test_the_recipe_says_which_experiment(stored: Store) -> None:
    light, _ = planted()
    assert {r.experiment for r in analyze(stored(halves(light)))} == {"E14"}


def test_tables_of_several_points_are_told_apart(stored: Store) -> None:
    light, _ = planted()
    results = analyze(stored(halves(light)[:1], points=2))
    names = {table.name for result in results for table in result.tables}
    assert {"dwells_point_0", "dwells_point_1", "levels_point_1"} <= names
    assert {result.point for result in results} == {0, 1}


def test_missing_records_are_told_and_do_not_refuse_the_run(stored: Store) -> None:
    (result,) = analyze(stored([], experiment="E14"))
    assert (result.quantity, result.point) == ("on_fraction", 0)
    assert np.isnan(result.value)
    assert result.warnings == ("point 0 has no raw records",)
