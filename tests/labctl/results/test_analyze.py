"""From a stored run to quantities with errors: single spectra, temperature series, gaps."""

from typing import Any

import numpy as np
import pytest

from labctl.errors import AnalysisError
from labctl.results import ExperimentResult, analyze, analyze_run

TEMPERATURES = (4.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)


def series(planted: Any, **more: Any) -> list[Any]:
    """The laws of the temperature series: Rudin's width and the shift of the energy."""
    points: list[Any] = []
    for temperature in TEMPERATURES:
        phonons = 1 / (np.exp(16 / (0.08617333262 * temperature)) - 1)
        width_mev = 0.35 + 0.02 * temperature + 56.7 * phonons
        energy_ev = 2.334 + 1e-3 * (0.3 * (temperature - 4) - 12 * phonons)
        points.append(planted(temperature, energy_ev, width_mev, **more))
    return points


def by_name(results: list[ExperimentResult]) -> dict[str, ExperimentResult]:
    return {result.quantity: result for result in results}


def test_one_spectrum_is_an_e01(store: Any, planted: Any) -> None:
    found = by_name(analyze(store([planted(temperature_k=None)])))
    assert {result.experiment for result in found.values()} == {"E01"}
    assert {result.point for result in found.values()} == {0}
    assert found["peak_energy"].measured.covers(2.334, 3)
    assert found["fwhm_intrinsic"].measured.covers(0.43, 4)
    assert found["area"].measured.covers(5 * 60_000.0, 4)
    assert found["fwhm_observed"].value == pytest.approx(1.21, abs=0.05)
    assert [found[name].unit for name in ("peak_energy", "area")] == ["eV", "electrons"]
    assert found["peak_energy"].warnings == ()


def test_the_error_of_the_axis_is_in_the_energy(store: Any, planted: Any) -> None:
    """A tenth of a pixel of 0.104 nm, 0.4568 meV."""
    energy = by_name(analyze(store([planted()])))["peak_energy"]
    assert energy.standard_error == pytest.approx(1e-4 * 0.4568, rel=0.05)


def test_several_spectra_at_one_temperature_stay_apart(store: Any, planted: Any) -> None:
    results = analyze(store([planted(), planted(energy_ev=2.340)]))
    energies = {r.point: r.value for r in results if r.quantity == "peak_energy"}
    assert energies[0] == pytest.approx(2.334, abs=2e-4)
    assert energies[1] == pytest.approx(2.340, abs=2e-4)
    assert {r.experiment for r in results} == {"E01"}


@pytest.mark.parametrize("satellites", [(), ((-3.6, 0.03), (-16.4, 0.3))])
def test_a_temperature_series_returns_the_physics(
    store: Any, planted: Any, satellites: tuple[tuple[float, float], ...]
) -> None:
    results = analyze(store(series(planted, satellites=satellites)))
    found = by_name(results)
    assert {result.experiment for result in results} == {"E04"}
    truths = {
        "gamma_0": 0.35,
        "sigma": 0.02,
        "gamma_lo": 56.7,
        "e_lo": 16.0,
        "energy_4k": 2.334,
        "shift_a": 0.3,
        "shift_b": 6.0,
        "shift_e_ph": 16.0,
        "fwhm_intrinsic_coldest": 0.43,
        "fwhm_intrinsic_warmest": 10.40,
    }
    missed = {n: found[n].measured for n, t in truths.items() if not found[n].measured.covers(t, 4)}
    assert not missed
    assert found["gamma_lo"].standard_error < 5.0
    # 0.3 meV/K * 86 K less 12 meV of 0.1456 phonons at 90 K.
    assert found["blue_shift"].measured.covers(24.05, 4)
    assert found["blue_shift"].unit == "meV"


def test_moving_the_truth_moves_the_answer(store: Any, planted: Any) -> None:
    points = [
        planted(t, 2.334, 0.8 + 0.05 * t + 30 / (np.exp(20 / (0.08617333262 * t)) - 1))
        for t in TEMPERATURES
    ]
    found = by_name(analyze(store(points)))
    assert found["gamma_0"].measured.covers(0.8, 4)
    assert found["sigma"].measured.covers(0.05, 4)
    assert found["e_lo"].measured.covers(20.0, 4)


def test_points_come_in_order_of_temperature(store: Any, planted: Any) -> None:
    shuffled = [planted(t) for t in (50.0, 4.0, 90.0)]
    analysis = analyze_run(store(shuffled))
    assert [point.spectrum.point for point in analysis.points] == [1, 0, 2]


def test_three_temperatures_are_too_few_for_the_laws(store: Any, planted: Any) -> None:
    analysis = analyze_run(store([planted(t) for t in (4.0, 40.0, 90.0)]))
    found = by_name(list(analysis.results))
    assert set(found) == {
        *(f"fwhm_{kind}_{end}" for kind in ("observed", "intrinsic")
          for end in ("coldest", "warmest")),
        "blue_shift",
    }  # fmt: skip
    assert analysis.laws is not None
    assert any("3 temperatures cannot determine" in text for text in analysis.laws.warnings)


def test_a_dark_point_is_left_out_and_said(store: Any, planted: Any) -> None:
    points = series(planted)
    points[3] = planted(30.0, electrons=0.0)
    analysis = analyze_run(store(points))
    dark = analysis.points[3]
    assert dark.fit is None
    assert dark.energy_ev is None
    assert any("point 3: not fitted: no line" in text for text in dark.warnings)
    found = by_name(list(analysis.results))
    assert found["gamma_lo"].measured.covers(56.7, 4)
    assert any("point 3: not fitted" in text for text in found["gamma_lo"].warnings)


def test_without_calibrations_the_warnings_say_what_to_do(store: Any, planted: Any) -> None:
    results = analyze(store([planted()], calibrated=False))
    found = by_name(results)
    assert "fwhm_intrinsic" not in found
    text = "\n".join(found["peak_energy"].warnings)
    for word in ("detector was not calibrated", "no instrument response", "wavelength axis"):
        assert word in text
    # Half a nanometre, the spread of data-sheet dispersions.
    assert found["peak_energy"].standard_error == pytest.approx(2.2e-3, rel=0.02)
    assert found["fwhm_observed"].standard_error < 0.05


def test_a_run_without_anything_to_analyse_is_refused(store: Any) -> None:
    with pytest.raises(AnalysisError, match="neither spectra nor photons"):
        analyze(store([]))
