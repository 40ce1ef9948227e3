"""Batches of dots, sizes from energies, numbers given from outside."""

import math

import numpy as np
import pytest

from labctl.analysis import Measured
from labctl.errors import AnalysisError
from labctl.results import DotRecord, batch_results, parse_given, size_nm

GIVEN = {
    "bulk_energy": Measured(2.333, 0.0),
    "confinement": Measured(0.090, 0.0),
    "reference_length": Measured(7.0, 0.0),
}


def test_a_size_is_the_inverse_of_the_law() -> None:
    for edge_nm in (6.0, 9.9, 23.0):
        energy = 2.333 + 0.090 * (7.0 / edge_nm) ** 2
        assert size_nm(Measured(energy, 1e-4), GIVEN).value == pytest.approx(edge_nm)
    # dL / L = dE / (2 (E - E_bulk)), and half of the relative error of the confinement.
    vague = {**GIVEN, "confinement": Measured(0.090, 0.009)}
    size = size_nm(Measured(2.423, 1.8e-3), vague)
    assert size.error / size.value == pytest.approx(math.hypot(0.05, 0.01))


def test_sizes_without_a_law_or_below_the_bulk_are_refused() -> None:
    with pytest.raises(AnalysisError, match="sizing law"):
        size_nm(Measured(2.4, 0.001), {})
    with pytest.raises(AnalysisError, match="not above"):
        size_nm(Measured(2.3, 0.001), GIVEN)


def records(sample: str, mean_ps: float, sd_ps: float, seed: int, number: int) -> list[DotRecord]:
    generator = np.random.default_rng(seed)
    found: list[DotRecord] = []
    for k in range(number):
        lifetime_ps = generator.normal(generator.normal(mean_ps, sd_ps), 10.0)
        energy_ev = generator.normal(2.335, 0.002)
        known = Measured(energy_ev, 1e-4), Measured(lifetime_ps, 10.0)
        found.append(DotRecord(sample, f"D{k}", *known))
    return found


def test_mean_and_scatter_of_batches_are_honest() -> None:
    pulls: list[list[float]] = []
    for seed in range(100):
        batch = batch_results(records("a", 180.0, 40.0, seed, 40), {})
        found = {one.quantity: one.measured for one in batch}
        pulls.append([found["lifetime_mean"].pull(180.0), found["lifetime_sd"].pull(40.0)])
    table = np.array(pulls)
    # The error of a scatter follows what was found, which puts its mean pull at -0.2; four standard
    # errors of the mean of 100 pulls are 0.4.
    assert abs(table[:, 0].mean()) < 0.4
    assert abs(table[:, 1].mean() + 0.2) < 0.4
    assert np.all((table.std(axis=0) > 0.75) & (table.std(axis=0) < 1.3))


def test_two_samples_are_told_apart() -> None:
    both = [*records("slow", 180.0, 20.0, 0, 20), *records("fast", 90.0, 5.0, 1, 20)]
    found = {one.quantity: one for one in batch_results(both, GIVEN)}
    assert found["lifetime_mean of slow"].experiment == "E05"
    assert found["lifetime_mean of fast"].value < 110 < found["lifetime_mean of slow"].value
    assert found["fast_share of slow"].value < 0.1 < found["fast_share of fast"].value
    assert found["size_mean of fast"].experiment == "E25"
    assert found["dots of slow"].value == 20


def test_given_numbers() -> None:
    assert parse_given("0.77") == Measured(0.77, 0.0)
    for text in ("0.77 ± 0.02", "0.77+-0.02", " 7.7e-1 +/- 2e-2 "):
        assert parse_given(text) == Measured(0.77, 0.02)
    for text in ("", "nan", "0.77 ± -0.02", "a lot", "0.77 eV"):
        with pytest.raises(AnalysisError, match="no number"):
            parse_given(text)
