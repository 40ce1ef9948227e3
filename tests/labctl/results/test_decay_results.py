"""From stored decays to lifetimes and laws: planted photons, missing and foreign responses."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import Irf, irf_to_record
from labctl.results import ExperimentResult, RunAnalysis, analyze_run, as_json
from labctl.storage import ArrayItem, JournalWriter, RecordKind, Run, read_run

Vector = NDArray[np.float64]

BEGAN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
BIN_PS, BINS, PERIOD_PS, PULSE_PS = 16.0, 1250, 20_000.0, 1500.0
LINES_PER_MM, LIT_MM = 300.0, 77.0
KEY = "apd_1 300/mm side"
BOLTZMANN = 0.08617333262


def spread_ps(wavelength_nm: float) -> float:
    return LINES_PER_MM * LIT_MM * wavelength_nm / 2.99792458e5


def counted(draw: np.random.Generator, delays_ps: Vector, wavelength_nm: float) -> Vector:
    """Jitter of 60 ps, chords of a round beam on the grating, a background of 0.5 per bin."""
    angle = draw.uniform(0.0, 2.0 * np.pi, delays_ps.size)
    chord = np.sqrt(draw.random(delays_ps.size)) * np.cos(angle)
    late = draw.normal(PULSE_PS, 60.0 / 2.35482, delays_ps.size)
    times = np.mod(delays_ps + late + spread_ps(wavelength_nm) * chord / 2.0, PERIOD_PS)
    counts = np.histogram(times, np.arange(BINS + 1) * BIN_PS)[0]
    return (counts + draw.poisson(0.5, BINS)).astype(np.float64)


@dataclass(frozen=True)
class Planted:
    """Truth of one decay."""

    tau_ps: float = 200.0
    counts: int = 20_000
    temperature_k: float | None = None
    fluence_uj_cm2: float = 0.2
    wavelength_nm: float = 530.0
    rate_hz: float = 5e3
    responded: bool = True


@dataclass(frozen=True)
class Response:
    """How the response was taken."""

    counts: int = 300_000
    wavelength_nm: float = 405.0
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])


Plant = Callable[..., Run]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Return a function that writes decays into a journal and reads the run."""

    def write(decays: Sequence[Planted], response: Response | None = None, seed: int = 0) -> Run:
        draw, path = np.random.default_rng(seed), tmp_path / f"run{seed}.lcj"
        with JournalWriter(path, now=lambda: 5.0, utc=lambda: BEGAN) as journal:
            start = {"uid": f"run{seed}", "name": "decays", "title": "Planted decays"}
            journal.append(RecordKind.START, start, durable=False)
            journal.append(RecordKind.ANALYSIS, calibration(draw, response), durable=False)
            for index, one in enumerate(decays):
                append(journal, draw, index, one)
            stop = {"status": "complete", "reason": "", "points": len(decays)}
            journal.append(RecordKind.STOP, stop, durable=False)
        return read_run(path)

    return write


def calibration(draw: np.random.Generator, response: Response | None) -> dict[str, Any]:
    taken = response or Response()
    known: dict[str, Any] = {
        "bin_ps": BIN_PS,
        "counts": counted(draw, np.zeros(taken.counts), taken.wavelength_nm),
        "detector": "apd_1",
        "grating_per_mm": LINES_PER_MM,
        "wavelength_nm": taken.wavelength_nm,
        "count_rate_hz": 1e5,
        "taken": "2026-03-01T17:00:00+00:00",
        **taken.more,
    }
    irf = Irf(**known)
    return {"what": "calibration", "name": "irf", "key": KEY, "result": irf_to_record(irf)}


def append(journal: JournalWriter, draw: np.random.Generator, index: int, planted: Planted) -> None:
    delays = draw.exponential(planted.tau_ps, planted.counts)
    counts = counted(draw, delays, planted.wavelength_nm)
    temperature: dict[str, Any] = {"set": {}, "read": {}}
    if planted.temperature_k is not None:
        kelvin = {"value": planted.temperature_k, "units": "K"}
        temperature["set"] = {"cryostat.temperature": kelvin}
        temperature["read"] = {"cryostat.temperature": {**kelvin, "std": 0.01, "count": 3}}
    in_force = {"irf": {"apd_1": {"key": KEY, "taken": ""}}} if planted.responded else {}
    settings = {
        "detectors": {"apd_1": {"input": 1, "code": 0, "dark_rate_hz": 50.0}},
        "photons": {"detectors": {"apd_1": {"count_rate_hz": planted.rate_hz}}},
        "tagger": {"delay_bin_ps": BIN_PS},
        "laser": {"rep_rate_hz": 1e12 / PERIOD_PS, "peak_fluence_uj_cm2": planted.fluence_uj_cm2},
        "spectrograph": {"lines_per_mm": LINES_PER_MM, "wavelength_nm": planted.wavelength_nm},
        "calibration": in_force,
    }
    data: dict[str, Any] = {
        "index": index,
        "measurement": "trpl",
        "label": "",
        **temperature,
        "settings": settings,
        "quality": 0,
        "began_s": 1.0,
        "ended_s": 4.0,
        "live_time_s": 4.0,
    }
    delay_ps = (np.arange(BINS) + 0.5) * BIN_PS
    arrays = [
        ArrayItem("counts", counts.astype(np.uint32), "counts", ("bin",)),
        ArrayItem("delay", delay_ps, "ps", ("bin",)),
    ]
    journal.append(RecordKind.POINT, data, arrays, durable=False)


def by_name(analysis: RunAnalysis) -> dict[str, ExperimentResult]:
    return {result.quantity: result for result in analysis.results}


def cell(result: ExperimentResult, column: str, row: int = 0) -> Any:
    (table,) = result.tables
    return table.rows[row][list(table.units).index(column)]


def test_one_decay_is_an_e02(plant: Plant) -> None:
    found = by_name(analyze_run(plant([Planted()])))
    assert {(one.experiment, one.point, one.unit) for one in found.values()} == {("E02", 0, "ps")}
    assert found["lifetime"].measured.covers(200.0, 4.0)
    assert found["lifetime"].standard_error < 6.0
    assert found["one_over_e"].measured.covers(200.0, 4.0)


def test_what_was_done_to_the_response_is_no_warning(plant: Plant) -> None:
    lifetime = by_name(analyze_run(plant([Planted()])))["lifetime"]
    assert lifetime.warnings == ()
    assert "405 nm broadened for 530 nm" in cell(lifetime, "response")
    assert cell(lifetime, "flags") == ""
    same = by_name(analyze_run(plant([Planted()], Response(wavelength_nm=530.0), 1)))["lifetime"]
    assert cell(same, "response") == "as measured"


def test_the_grating_s_spread_looks_like_no_cascade(plant: Plant) -> None:
    """With the response as measured at 405 nm the mean pull of the excitations is 3."""
    lifetimes, excitations = list[float](), list[float]()
    for seed in range(6):
        planted = [Planted(tau_ps=100.0, counts=100_000)]
        lifetime = by_name(analyze_run(plant(planted, seed=seed)))["lifetime"]
        lifetimes.append(lifetime.measured.pull(100.0))
        error = cell(lifetime, "mean_excitations_error")
        excitations.append(cell(lifetime, "mean_excitations") / error)
    # Means of six pulls within four of their standard deviations.
    assert abs(np.mean(lifetimes)) < 4.0 / np.sqrt(6.0)
    assert abs(np.mean(excitations)) < 4.0 / np.sqrt(6.0)


def test_without_a_response_nothing_is_fitted_and_it_is_said(plant: Plant) -> None:
    analysis = analyze_run(plant([Planted(responded=False)]))
    assert analysis.results == ()
    assert analysis.decays is not None
    (decay,) = analysis.decays.decays
    assert decay.fit is None
    assert decay.lifetime_ps is None
    assert decay.warnings == ("point 0: not fitted: no response of apd_1 (recipe step irf)",)


def test_a_decay_without_response_leaves_the_others_alone(plant: Plant) -> None:
    decays = [Planted(temperature_k=4.0, responded=False)]
    decays += [Planted(temperature_k=kelvin) for kelvin in (20.0, 40.0, 60.0)]
    found = by_name(analyze_run(plant(decays)))
    assert found["lifetime_coldest"].point == 1
    assert any("no response of apd_1" in text for text in found["lifetime_0"].warnings)


@pytest.mark.parametrize(
    ("response", "word"),
    [
        (Response(more={"detector": "apd_2"}), "detector: apd_2, the decay apd_1"),
        (Response(more={"grating_per_mm": 1800.0}), "grating: 1800.0 lines/mm"),
        (Response(more={"count_rate_hz": 1e6}), "count rate: 1e+06 /s"),
        (Response(wavelength_nm=780.0), "spreads over 60 ps instead of 41 ps"),
    ],
)
def test_a_foreign_response_warns(plant: Plant, response: Response, word: str) -> None:
    lifetime = by_name(analyze_run(plant([Planted()], response)))["lifetime"]
    (text,) = lifetime.warnings
    assert text.startswith("point 0: foreign instrument response, ")
    assert word in text


def test_pile_up_warns(plant: Plant) -> None:
    """At 50 MHz 3e6 counts per second are six in a hundred pulses."""
    lifetime = by_name(analyze_run(plant([Planted(rate_hz=3e6)])))["lifetime"]
    assert any("pile-up: 6.0 counts per 100 syncs" in text for text in lifetime.warnings)


def test_a_temperature_series_gives_the_activation_energy(plant: Plant) -> None:
    temperatures = (4.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
    decays = [
        Planted(tau_ps=100.0 * (1.0 + 28.7 * np.exp(-9.0 / (BOLTZMANN * t))), temperature_k=t)
        for t in temperatures
    ]
    analysis = analyze_run(plant(decays[::-1]))
    found = by_name(analysis)
    truths = {
        "lifetime_coldest": 100.0,
        "lifetime_warmest": decays[-1].tau_ps,
        "activation_energy": 9.0,
        "lifetime_0": 100.0,
        "lifetime_g": 28.7,
    }
    assert set(found) == set(truths)
    for name, truth in truths.items():
        assert found[name].experiment == "E04"
        assert found[name].measured.covers(truth, 4.0), (name, found[name].measured)
    assert found["activation_energy"].standard_error < 0.6
    assert [cell(found["lifetime_0"], "temperature", row) for row in range(9)] == [*temperatures]
    assert json.loads(json.dumps(as_json(analysis)))


def test_two_temperatures_give_lifetimes_and_say_that_the_law_is_missing(plant: Plant) -> None:
    found = by_name(analyze_run(plant([Planted(temperature_k=t) for t in (4.0, 40.0)])))
    assert set(found) == {"lifetime_coldest", "lifetime_warmest"}


def test_a_fluence_series_gives_a_line(plant: Plant) -> None:
    decays = [Planted(tau_ps=200.0 + 3.0 * j, fluence_uj_cm2=j) for j in (0.3, 2.0, 5.0, 10.0)]
    found = by_name(analyze_run(plant(decays)))
    assert {one.experiment for one in found.values()} == {"E06"}
    assert found["lifetime_at_zero"].measured.covers(200.0, 4.0)
    assert found["slope"].measured.covers(3.0, 4.0)
    assert found["slope"].unit == "ps cm^2/uJ"
    assert found["slope"].standard_error < 1.0


def test_an_energy_series_gives_a_lifetime_for_each_energy(plant: Plant) -> None:
    """520.4 and 529.3 nm of air are 2.382 and 2.342 eV."""
    decays = [Planted(450.0, wavelength_nm=520.4), Planted(180.0, wavelength_nm=529.3)]
    results = analyze_run(plant(decays)).results
    assert [one.quantity for one in results] == ["lifetime_at_2.342_ev", "lifetime_at_2.382_ev"]
    assert results[0].measured.covers(180.0, 4.0)
    assert results[1].measured.covers(450.0, 4.0)
    assert {one.experiment for one in results} == {"E20"}
