"""Steady light: clicks drawn one by one into T2 records, read back from a run.

Values may be 4 standard errors from the truth; the seeds are the first ones.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.photons import (
    Encoder,
    PairBooks,
    PtuDescription,
    PtuWriter,
    RecordType,
    Stream,
    WindowedG2Result,
)
from labctl.results import ExperimentResult, analyze
from labctl.results._steady_results import comb_power
from labctl.storage import ArrayItem, JournalWriter, RecordKind, Run, read_run

Vector = NDArray[np.float64]
Sides = tuple[Vector, Vector]

BEGAN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
TICK_S, LENGTH_S, RATE_HZ, DARK_HZ = 1e-12, 0.1, 3e6, 2e5
BIN_S, HALF = 256e-12, 400
JITTER_PS = 200.0
ANTIBUNCHING_S = 4e-9


def seen(times_s: Vector, generator: np.random.Generator) -> Sides:
    """Share photons out to two detectors with darks and jitter."""
    arm = generator.random(times_s.size) < 0.5
    sd_s = 1e-12 * JITTER_PS / 2.3548
    sides: list[Vector] = []
    for photons in (times_s[arm], times_s[~arm]):
        late = photons + generator.normal(0.0, sd_s, photons.size)
        darks = generator.uniform(0.0, LENGTH_S, generator.poisson(DARK_HZ * LENGTH_S))
        clicks = np.concatenate([late, darks])
        sides.append(np.sort(clicks[(clicks > 0) & (clicks < LENGTH_S)]))
    return sides[0], sides[1]


def single_emitter(seed: int) -> Sides:
    """Pumped and decaying at equal rates k: ``g2(tau) = 1 - exp(-2 k |tau|)``."""
    generator = np.random.default_rng(seed)
    cycles = round(LENGTH_S / (4 * ANTIBUNCHING_S))
    emitted = np.cumsum(generator.gamma(2.0, 2 * ANTIBUNCHING_S, cycles))
    kept = emitted[generator.random(cycles) < 2 * RATE_HZ * 4 * ANTIBUNCHING_S]
    return seen(kept, generator)


def laser(seed: int) -> Sides:
    generator = np.random.default_rng(seed)
    count = generator.poisson(2 * RATE_HZ * LENGTH_S)
    return seen(np.sort(generator.uniform(0.0, LENGTH_S, count)), generator)


def stored(folder: Path, sides: Sides | None, period_s: float | None = None) -> Run:
    """Journal one point of T2 with its raw records, or without any."""
    path = folder / "run.lcj"
    if sides is not None:
        times = np.concatenate(sides)
        order = np.argsort(times, kind="stable")
        code = np.repeat([0, 1], [side.size for side in sides]).astype(np.uint8)[order]
        stream = Stream(RecordType.GENERIC_T2, TICK_S, TICK_S)
        about = PtuDescription(stream, BEGAN, "MultiHarp", "1", 2, 0.0, LENGTH_S)
        with PtuWriter(folder / "run_p0000.ptu", about) as writer:
            encoder = Encoder(2)
            writer.append(encoder.feed((times[order] / TICK_S).astype(np.int64), code))
    with JournalWriter(path, now=lambda: 5.0, utc=lambda: BEGAN) as journal:
        start = {"uid": "r", "name": "steady", "recipe": {"experiment": "E10"}}
        journal.append(RecordKind.START, start, durable=False)
        if sides is not None:
            entry = {"name": "run_p0000.ptu", "size": 1, "sha256": "", "index": 0, "attempt": 0}
            journal.append(RecordKind.SIDECAR, entry, durable=False)
        lag_ns = (np.arange(-HALF, HALF) + 0.5) * 1e9 * BIN_S
        arrays = [
            ArrayItem("coincidences", np.zeros(2 * HALF, np.int64), "counts", ("bin",)),
            ArrayItem("tau", lag_ns, "ns", ("bin",)),
        ]
        journal.append(RecordKind.POINT, point(period_s), arrays, durable=False)
        stop = {"status": "complete", "reason": "", "points": 1}
        journal.append(RecordKind.STOP, stop, durable=False)
    return read_run(path)


def point(period_s: float | None) -> dict[str, Any]:
    apd = {"count_rate_hz": RATE_HZ + DARK_HZ, "dark_rate_hz": DARK_HZ}
    facts = {"jitter_fwhm_ps": JITTER_PS, "dead_time_ns": 24.0}
    return {
        "index": 0, "measurement": "g2", "label": "", "set": {}, "read": {},
        "settings": {
            "tagger": {"mode": "t2"},
            "laser": {"rep_rate_hz": None if period_s is None else 1 / period_s},
            "detectors": {
                "apd_1": {"input": 1, "code": 0, **facts},
                "apd_2": {"input": 2, "code": 1, **facts},
            },
            "photons": {
                "detectors": {"apd_1": apd, "apd_2": dict(apd)},
                "parts": [{"file": "run_p0000.ptu"}],
            },
        },
        "quality": 0, "began_s": 1.0, "ended_s": 4.0, "live_time_s": LENGTH_S,
    }  # fmt: skip


def named(results: Sequence[ExperimentResult]) -> dict[str, ExperimentResult]:
    return {one.quantity: one for one in results}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_single_emitter_behind_darks_and_jitter(tmp_path: Path, seed: int) -> None:
    # The laser's steady light has no period; a set-up that states one is believed after a look.
    run = stored(tmp_path, single_emitter(seed), None if seed else 50e-9)
    found = named(analyze(run))
    zero, time = found["g2_zero"], found["antibunching_time"]
    assert (zero.experiment, zero.point, time.unit) == ("E10", 0, "ns")
    assert zero.measured.covers(0.0, 4.0)
    assert zero.standard_error < 0.05
    assert time.measured.covers(1e9 * ANTIBUNCHING_S, 4.0)
    assert time.standard_error < 0.3
    (table,) = zero.tables
    assert "1 - A exp(-|tau| / tau_a)" in str(table.column("model")[0])
    share = (RATE_HZ / (RATE_HZ + DARK_HZ)) ** 2
    assert float(table.column("signal_share")[0] or 0) == pytest.approx(share, rel=0.01)


def assert_nothing(run: Run, why: str) -> None:
    found = named(analyze(run))
    for name in ("g2_zero", "antibunching_time"):
        assert np.isnan(found[name].value)
        assert any(why in text for text in found[name].warnings), found[name].warnings


def test_light_without_a_dip_gives_a_warning(tmp_path: Path) -> None:
    assert_nothing(stored(tmp_path, laser(0)), "no antibunching is seen")


def test_a_comb_is_no_steady_light(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    count = round(2 * RATE_HZ * LENGTH_S)
    pulses = np.sort(generator.integers(0, round(LENGTH_S / 50e-9), count)) * 50e-9
    pulsed = seen(np.sort(pulses + generator.exponential(1e-9, count)), generator)
    assert_nothing(stored(tmp_path, pulsed, 50e-9), "a comb of peaks 50 ns apart")


def test_lags_too_short_to_tell_pulses(tmp_path: Path) -> None:
    assert_nothing(stored(tmp_path, laser(0), 100e-9), "do not show whether the light was steady")


def test_a_comb_of_unknown_period_is_not_of_the_form(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    count = round(2 * RATE_HZ * LENGTH_S)
    pulses = np.sort(generator.integers(0, round(LENGTH_S / 50e-9), count)) * 50e-9
    pulsed = seen(np.sort(pulses + generator.exponential(1e-9, count)), generator)
    assert_nothing(stored(tmp_path, pulsed), "are not of the form")


def test_without_raw_records(tmp_path: Path) -> None:
    assert_nothing(stored(tmp_path, None), "no g2(0) of steady light")


def test_power_of_a_comb_in_poissonian_pairs() -> None:
    """Mean 1 and exponential for uncorrelated pairs: of 200, the mean has an error of 0.07."""
    lags = np.arange(-HALF, HALF) * 256
    books = PairBooks(10**6, 10**6, 10**13, 2 * 10**6, 0)
    powers: list[float] = []
    for seed in range(200):
        counts = np.random.default_rng(seed).poisson(30.0, 2 * HALF)
        powers.append(comb_power(WindowedG2Result(lags, counts, 256, books), TICK_S, 25.6e-9))
    assert np.mean(powers) == pytest.approx(1.0, abs=4 * 0.07)
