"""Pairs of photons: planted areas in a journal, and clicks drawn one by one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labctl.analysis import auger_g2, draw_cascades
from labctl.photons import PairBooks, PhotonBlock, PulsedDelaysResult
from labctl.results import ExperimentResult, analyze, law_lines
from labctl.results._analyze import analyze_run
from labctl.results._crosstalk import crosstalk_columns, spike_gaps, without_columns
from labctl.results._echoes import Echoes
from labctl.storage import ArrayItem, JournalWriter, RecordKind, Run, read_run

BEGAN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
PULSES, LIVE_S, PERIODS = 100_000_000, 10.0, 10
P_SAT_W_CM2, RATE_MAX_HZ, RATIO = 70.0, 1.1e6, 0.05
FLUENCES = (0.7, 1.4, 3.5, 7.0, 10.5)


def written(folder: Path, experiment: str, points: Sequence[dict[str, Any]]) -> Run:
    path = folder / "run.lcj"
    with JournalWriter(path, now=lambda: 5.0, utc=lambda: BEGAN) as journal:
        start = {"uid": "r", "name": "pairs", "title": "", "recipe": {"experiment": experiment}}
        journal.append(RecordKind.START, start, durable=False)
        for index, point in enumerate(points):
            arrays: list[ArrayItem] = point.pop("arrays")
            data: dict[str, Any] = {"index": index, "label": "", "set": {}, "read": {}}
            data |= {"quality": 0, "began_s": 1.0, "ended_s": 4.0, **point}
            journal.append(RecordKind.POINT, data, arrays, durable=False)
        stop = {"status": "complete", "reason": "", "points": len(points)}
        journal.append(RecordKind.STOP, stop, durable=False)
    return read_run(path)


def planted(g2: float, *, clicks: int = 500_000, dark_hz: float = 0.0, fluence: float = 1.0) -> Any:
    """A point whose areas are exactly those of light with this g2(0), and darks."""
    light = clicks - dark_hz * LIVE_S
    false = (clicks**2 - light**2) / PULSES
    peak = np.arange(-PERIODS, PERIODS + 1)
    areas = np.full(peak.size, round(clicks**2 / PULSES))
    areas[PERIODS] = round(g2 * light**2 / PULSES + false)
    apd = {"count_rate_hz": clicks / LIVE_S, "dark_rate_hz": dark_hz}
    facts = {"dead_time_ns": 24.0, "afterpulse_probability": 0.0}
    return {
        "measurement": "g2",
        "live_time_s": LIVE_S,
        "settings": {
            "tagger": {"mode": "t3", "delay_bin_ps": 80.0},
            "laser": {"rep_rate_hz": 1e7, "peak_fluence_uj_cm2": fluence},
            "detectors": {
                "apd_1": {"input": 1, "code": 0, **facts},
                "apd_2": {"input": 2, "code": 1, **facts},
            },
            "photons": {"detectors": {"apd_1": apd, "apd_2": dict(apd)}},
        },
        "arrays": [
            ArrayItem("areas", areas.astype(np.int64), "counts", ("peak",)),
            ArrayItem("peak", peak.astype(np.int64), "", ("peak",)),
            ArrayItem("used", np.array([clicks, clicks, PULSES]), "counts", ("book",)),
        ],
    }


def named(results: Sequence[ExperimentResult]) -> dict[str, ExperimentResult]:
    return {one.quantity: one for one in results}


def test_planted_areas_give_g2_with_the_background_taken_off(tmp_path: Path) -> None:
    run = written(tmp_path, "E10", [planted(0.2, dark_hz=2000.0)])
    found = named(analyze(run))
    zero, purity = found["g2_zero"], found["purity"]
    assert (zero.experiment, zero.point) == ("E10", 0)
    assert zero.value == pytest.approx(0.2, abs=1e-3)
    assert purity.value == pytest.approx(0.8, abs=1e-3)
    # The pairs of the zero peak alone have a relative error of 1 / sqrt(counts).
    areas = 0.2 * 0.96**2 * 2500 + 2500 * (1 - 0.96**2)
    assert zero.standard_error == pytest.approx(np.sqrt(areas) / (2500 * 0.96**2), rel=0.1)
    (table,) = zero.tables
    assert 0.2 < float(table.column("upper_limit_95")[0] or 0) < 0.25
    assert any("no raw records" in text for text in zero.warnings)
    assert any(line.startswith("g2_zero at point 0 = 0.2") for line in law_lines(analyze_run(run)))


def test_bunched_light_of_a_superlattice(tmp_path: Path) -> None:
    found = named(analyze(written(tmp_path, "E20", [planted(1.5)])))
    assert found["g2_zero"].experiment == "E20"
    assert found["g2_zero"].value - 1 > 5 * found["g2_zero"].standard_error


def test_a_series_of_fluences_saturates(tmp_path: Path) -> None:
    points: list[Any] = []
    for fluence in FLUENCES:
        mean = 10.0 * fluence / P_SAT_W_CM2
        p1 = -np.expm1(-mean)
        rate_hz = RATE_MAX_HZ * (p1 + RATIO * (p1 - mean * np.exp(-mean)))
        zero = float(auger_g2(np.array([mean]), RATIO)[0])
        points.append(planted(zero, clicks=round(rate_hz * LIVE_S / 2), fluence=fluence))
    found = named(analyze(written(tmp_path, "E12", points)))
    truths = {
        "p_sat": P_SAT_W_CM2,
        "rate_max": RATE_MAX_HZ,
        "yield_ratio": RATIO,
        "purity_at_0.1_p_sat": 1 - float(auger_g2(np.array([0.1]), RATIO)[0]),
        "purity_at_1.5_p_sat": 1 - float(auger_g2(np.array([1.5]), RATIO)[0]),
    }
    for name, truth in truths.items():
        assert found[name].experiment == "E12"
        # Planted without noise: well within the error.
        assert abs(found[name].value - truth) < found[name].standard_error, name


def test_a_point_while_the_dot_was_off_is_left_out(tmp_path: Path) -> None:
    points = [
        planted(0.0, clicks=round(5e6 * -np.expm1(-10 * f / P_SAT_W_CM2)), fluence=f)
        for f in FLUENCES
    ]
    points[3] = planted(0.0, clicks=200_000, fluence=FLUENCES[3])
    found = named(analyze(written(tmp_path, "E12", points)))
    assert found["p_sat"].value == pytest.approx(P_SAT_W_CM2, rel=0.02)
    assert any("point 3: left out of the saturation" in text for text in found["p_sat"].warnings)


def test_drawn_pulses_are_evaluated(tmp_path: Path) -> None:
    draw = draw_cascades(1.0, 1.0, 100_000, 0)
    axes = ("exciton", "multiexciton", "detected_a")
    point = {
        "measurement": "monte_carlo",
        "live_time_s": 0.0,
        "settings": {"statistics": {"mean_excitations": 1.0, "biexciton_yield": 1.0}},
        "arrays": [
            ArrayItem("pulses", draw.pulses, "counts", axes),
            ArrayItem("pairs", draw.pairs, "counts", ("peak",)),
            ArrayItem("lag", draw.lag_pulses, "", ("peak",)),
        ],
    }
    found = named(analyze(written(tmp_path, "E11", [point])))
    x, xx, _ = (draw.pulses * np.indices(draw.pulses.shape)).sum(axis=(1, 2, 3))
    assert found["x_to_xx"].value == pytest.approx(x / xx)
    assert found["g2_zero"].standard_error == pytest.approx(0.006, rel=0.3)


def block(times: Sequence[int], delays: Sequence[int]) -> PhotonBlock:
    none = np.zeros(0, np.int64)
    return PhotonBlock(
        records=np.zeros(0, np.uint32),
        time_ticks=np.array(times, np.int64),
        channel=np.zeros(len(times), np.uint8),
        delay_bins=np.array(delays, np.uint16),
        marker_ticks=none,
        marker_bits=np.zeros(0, np.uint8),
        begin_tick=0,
        end_tick=10_000_000,
        overflow_records=0,
        overflows=0,
        invalid_records=0,
    )


def test_late_afterpulses_are_found_whatever_the_blocks() -> None:
    generator = np.random.default_rng(0)
    light = np.flatnonzero(generator.random(2_000_000) < 0.02)
    echoes = light[generator.random(light.size) < 0.03] + 1
    times = np.concatenate([light, echoes])
    delays = np.concatenate([np.full(light.size, 5), np.full(echoes.size, 20)])
    order = np.argsort(times, kind="stable")
    times, delays = times[order], delays[order]
    whole, parts = Echoes((0,), 64), Echoes((0,), 64)
    whole.feed(block(times.tolist(), delays.tolist()))
    for cut in np.array_split(np.arange(times.size), 700):
        parts.feed(block(times[cut].tolist(), delays[cut].tolist()))
    assert parts.late(0) == whole.late(0)
    assert np.array_equal(parts.late_delays(0), whole.late_delays(0))
    assert abs(whole.late(0).value - echoes.size) < 4 * whole.late(0).error
    # They stand at their own delay, but for the noise of all clicks.
    assert abs(whole.late_delays(0)[20] - echoes.size) < 4 * whole.late(0).error


def delays_of(same: np.ndarray[Any, Any], others: np.ndarray[Any, Any]) -> PulsedDelaysResult:
    pulses = np.arange(-5, 6)
    counts = np.where(pulses[:, np.newaxis] == 0, same, others).astype(np.int64)
    columns = (np.arange(same.size) - same.size // 2) * 16
    return PulsedDelaysResult(pulses, columns, counts, PairBooks(1, 1, 1, 2, 0))


def test_cross_talk_is_a_spike_and_the_dots_own_peak_is_none() -> None:
    generator = np.random.default_rng(0)
    lag = np.arange(-400, 400)
    sharp = 2000 * np.exp(-np.abs(lag) / 0.5)
    same = generator.poisson(0.05 * sharp)
    clean = delays_of(same, generator.poisson(sharp))
    assert not crosstalk_columns([clean]).any()
    same[[320, 480]] += 30
    spoilt = delays_of(same, clean.counts[0])
    found = crosstalk_columns([spoilt])
    assert np.flatnonzero(found).tolist() == [319, 320, 321, 479, 480, 481]
    assert without_columns(spoilt, found).counts.shape == (11, 794)
    gaps = spike_gaps(spoilt, found)
    assert gaps is not None
    assert gaps[0] <= 80 * 16 - 16 < 80 * 16 + 16 <= gaps[1]
    assert spike_gaps(clean, crosstalk_columns([clean])) is None
