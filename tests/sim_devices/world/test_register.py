"""Every noise term against its variance.

With n numbers the variance of a normal sample has a relative error sqrt(2/n): 0.35 % for
160 000. Bounds are four such errors, with the excess kurtosis of the gamma law added for EM.
"""

import numpy as np
import pytest

from labctl_sim.world._emccd_truth import EmccdTruth
from labctl_sim.world._register import digitize, multiply
from labctl_sim.world._types import FloatArray

N = 160_000
FOUR_ERRORS = 4 * (2 / N) ** 0.5


def draw(seed: int, mean: float) -> FloatArray:
    return np.random.default_rng(seed).poisson(mean, N).astype(np.float64)


@pytest.mark.parametrize("gain", [1.5, 3.0, 30.0, 1000.0])
@pytest.mark.parametrize("mean", [0.5, 20.0, 2000.0])
def test_excess_noise_factor_goes_from_one_to_two(gain: float, mean: float) -> None:
    output = multiply(draw(0, mean), gain, np.random.default_rng(1))
    assert float(output.mean()) == pytest.approx(mean * gain, rel=6 * (2 / (mean * N)) ** 0.5)
    factor = float(output.var()) / (gain**2 * mean)
    kurtosis = 4 * (6 / (mean * N)) ** 0.5
    assert factor == pytest.approx(2 - 1 / gain, rel=FOUR_ERRORS + kurtosis)


def test_gain_one_adds_nothing() -> None:
    electrons = draw(0, 5.0)
    np.testing.assert_array_equal(multiply(electrons, 1.0, np.random.default_rng(1)), electrons)


def test_no_electrons_give_no_output() -> None:
    output = multiply(np.zeros(100), 500.0, np.random.default_rng(0))
    assert not output.any()


@pytest.mark.parametrize("read_noise_e", [2.0, 10.0, 50.0])
def test_read_noise_and_rounding(read_noise_e: float) -> None:
    frame = digitize(
        np.full(N, 100.0),
        read_noise_e=read_noise_e,
        electrons_per_adu=2.0,
        bias_adu=500.3,
        rng=np.random.default_rng(0),
    ).astype(float)
    expected = (read_noise_e / 2.0) ** 2 + 1 / 12
    assert float(frame.var()) == pytest.approx(expected, rel=FOUR_ERRORS)
    assert float(frame.mean()) == pytest.approx(550.3, abs=4 * (expected / N) ** 0.5)


def test_rounding_alone_has_a_twelfth() -> None:
    ramp = np.linspace(0.0, 1000.0, N)
    frame = digitize(
        ramp,
        read_noise_e=0.0,
        electrons_per_adu=1.0,
        bias_adu=600.0,
        rng=np.random.default_rng(0),
    )
    assert float((frame - ramp - 600.0).var()) == pytest.approx(1 / 12, rel=1e-3)


def test_sixteen_bits_clip_at_both_ends() -> None:
    frame = digitize(
        np.array([-1e6, 1e9]),
        read_noise_e=0.0,
        electrons_per_adu=1.0,
        bias_adu=600.0,
        rng=np.random.default_rng(0),
    )
    assert frame.dtype == np.uint16
    assert frame.tolist() == [0, 65535]


def test_analog_gain_halves_the_electrons_per_count() -> None:
    truth = EmccdTruth()
    for quality in ("LowNoise", "HighCapacity", "ElectronMultiplied"):
        low, medium, high = (truth.electrons_per_adu(quality, 1.0, step) for step in (1, 2, 3))
        assert low == pytest.approx(2 * medium)
        assert medium == pytest.approx(2 * high)
    with pytest.raises(ValueError, match="none of 1, 2, 3"):
        truth.electrons_per_adu("LowNoise", 1.0, 4)


def test_ports_differ() -> None:
    truth = EmccdTruth()
    assert truth.read_noise_e("LowNoise", 0.1) == pytest.approx(3.1)
    assert truth.read_noise_e("LowNoise", 5.0) == pytest.approx(10.0, rel=0.02)
    assert truth.read_noise_e("electron_multiplied", 10.0) == pytest.approx(51.2)
    assert truth.gain(100, "LowNoise") == 1.0
    assert truth.gain(101, "ElectronMultiplied") == pytest.approx(95.0)


def test_dark_current_doubles() -> None:
    truth = EmccdTruth()
    assert truth.dark_at(-63.5) == pytest.approx(2 * truth.dark_at(-70.0))


def test_quantum_efficiency_at_the_reference() -> None:
    efficiency = EmccdTruth().efficiency(np.array([530.0, 580.0, 900.0]))
    assert efficiency[0] == pytest.approx(0.9)
    assert 0.9 < efficiency[1] < 0.95
    assert efficiency[2] < 0.5
