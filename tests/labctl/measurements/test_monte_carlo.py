"""Drawn photon statistics: what is stored is what the closed forms say."""

from typing import Any, cast

import numpy as np
import pytest
from pydantic import ValidationError

from labctl.analysis import cascade_statistics, monte_carlo
from labctl.measurements import Array, Context, MonteCarlo

KEPT = 4
CASES = [(0.1, 0.0), (0.1, 1.0), (1.0, 0.0), (1.0, 1.0), (1.0, 0.3)]


class Shelf:
    """Takes what a measurement stores; there is no instrument behind it."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.settings: dict[str, Any] = {}
        self.brief = ""

    def store(self, arrays: list[Array], **facts: Any) -> None:
        self.arrays = {array.name: array for array in arrays}
        self.settings, self.brief = facts["settings"], facts["brief"]


def drawn(mean: float, ratio: float, pulses: int = 200_000, seed: int = 0) -> Shelf:
    shelf = Shelf()
    measurement = MonteCarlo(mean=mean, biexciton_yield=ratio, pulses=pulses, seed=seed)
    measurement.run(cast("Context", shelf))
    return shelf


@pytest.mark.parametrize(("mean", "ratio"), CASES)
def test_photons_per_pulse_are_those_of_the_closed_form(mean: float, ratio: float) -> None:
    pulses = drawn(mean, ratio).arrays["pulses"]
    assert pulses.axes == ("exciton", "multiexciton", "detected_a")
    counts = pulses.values
    assert counts.sum() == 200_000
    exciton, multi, a = np.indices(counts.shape)
    true = cascade_statistics(mean, multiexciton=ratio, at_most=KEPT)
    x, xx = int((counts * exciton).sum()), int((counts * multi).sum())
    # Exciton photons are binomial; multiexciton photons come up to three at once: within 5 sigma.
    for found, expected in ((x, true.exciton_photons), (xx, true.multiexciton_photons)):
        assert abs(found - 200_000 * expected) <= 5 * np.sqrt(3 * 200_000 * expected)
    # Photons are divided, not copied, and fairly.
    photons = x + xx
    assert not counts[a > exciton + multi].any()
    assert abs((counts * a).sum() - photons / 2) <= 5 * np.sqrt(photons / 4)


def test_no_pair_in_a_pulse_without_light_of_the_biexciton() -> None:
    arrays = drawn(1.0, 0.0).arrays
    lag, pairs = arrays["lag"].values, arrays["pairs"].values
    assert pairs[lag == 0] == 0
    true = cascade_statistics(1.0, multiexciton=0.0, at_most=KEPT)
    expected = 200_000 * (true.exciton_photons / 2) ** 2
    # Neighbours share photons: the variance of a peak is at most three times that of Poisson.
    assert np.all(np.abs(pairs[lag != 0] - expected) < 5 * np.sqrt(3 * expected))


def test_pairs_are_those_of_the_analysis_and_repeat() -> None:
    one, again, other = drawn(1.0, 1.0), drawn(1.0, 1.0), drawn(1.0, 1.0, seed=1)
    pulses, pairs = one.arrays["pulses"].values, one.arrays["pairs"].values
    assert np.array_equal(pulses, again.arrays["pulses"].values)
    assert not np.array_equal(pulses, other.arrays["pulses"].values)
    exciton, multi, a = np.indices(pulses.shape)
    assert pairs[5] == (pulses * a * (exciton + multi - a)).sum()
    found = monte_carlo(1.0, 1.0, 200_000, 0).g2_zero
    assert f"g2(0) = {found.value:.4f} ± {found.error:.4f}" in one.brief
    assert one.settings["statistics"] == {
        "mean_excitations": 1.0,
        "biexciton_yield": 1.0,
        "seed": 0,
    }


def test_too_few_pulses_are_stored_and_said() -> None:
    shelf = drawn(0.001, 1.0, pulses=100)
    assert shelf.arrays["pulses"].values.sum() == 100
    assert "no photon on one of the detectors" in shelf.brief


@pytest.mark.parametrize(
    "wrong",
    [{"mean": 0}, {"mean": -1}, {"mean": 1, "biexciton_yield": 1.5}, {"mean": 1, "pulses": 3}],
)
def test_impossible_statistics_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        MonteCarlo.model_validate(wrong)


def test_it_needs_no_instrument_and_no_time() -> None:
    assert MonteCarlo.needs == ()
    assert MonteCarlo(mean=1.0).estimate_s() == 0.0
