"""Dips of coincidences, splitters and corrections."""

import math

import numpy as np
import pytest

from labctl.analysis import (
    ArmRates,
    Dip,
    Measured,
    Splitters,
    fit_dip,
    indistinguishability,
    splitters,
)
from labctl.errors import AnalysisError

DELAYS = np.array([-400.0, -250.0, -150.0, -80.0, -40.0, 0.0, 40.0, 80.0, 150.0, 250.0, 400.0])
V, T1_PS, ZERO_PS, LEVEL = 0.37, 100.0, 7.0, 0.5


def counted(seed: int, far: float = 1000.0) -> Dip:
    """A scan with Poissonian coincidences, ``far`` of them in a far peak."""
    rng = np.random.default_rng(seed)
    parallel = LEVEL * (1.0 - V * np.exp(-np.abs(DELAYS - ZERO_PS) / T1_PS))
    counts = rng.poisson(far * parallel), rng.poisson(far * LEVEL, DELAYS.size)
    columns = [column for n in counts for column in (n / far, np.sqrt(n) / far)]
    return fit_dip(DELAYS, *columns)


def test_without_noise_it_is_the_law() -> None:
    exact = LEVEL * (1.0 - V * np.exp(-np.abs(DELAYS - ZERO_PS) / T1_PS))
    error = np.full(DELAYS.size, 1e-3)
    dip = fit_dip(DELAYS, exact, error, np.full(DELAYS.size, LEVEL), error)
    assert dip.visibility.value == pytest.approx(V, abs=1e-4)
    assert dip.zero_ps.value == pytest.approx(ZERO_PS, abs=0.05)
    assert dip.decay_ps.value == pytest.approx(T1_PS, rel=1e-3)
    assert dip(DELAYS) == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize("quantity", ["visibility", "decay", "crossed"])
def test_errors_cover_the_truth(quantity: str) -> None:
    """Pulls over seeds 0 to 59: 3.5 standard errors, and 15 % for what a cusp does to errors."""
    pulls: list[float] = []
    for seed in range(60):
        dip = counted(seed)
        measured, truth = {
            "visibility": (dip.visibility, V),
            "decay": (dip.decay_ps, T1_PS),
            "crossed": (dip.crossed, LEVEL),
        }[quantity]
        pulls.append(measured.pull(truth))
    assert abs(np.mean(pulls)) < 3.5 / math.sqrt(60) + 0.15
    assert abs(np.std(pulls, ddof=1) - 1.0) < 3.5 / math.sqrt(120) + 0.15


def test_splitters_do_not_need_the_detectors_efficiencies() -> None:
    t, s, long, q1, q2 = 0.58, 0.45, 0.36, 0.3, 0.2
    short = ArmRates(Measured(1e5 * s * t * q1, 10.0), Measured(1e5 * s * (1 - t) * q2, 10.0))
    other = ArmRates(Measured(1e5 * long * (1 - t) * q1, 10.0), Measured(1e5 * long * t * q2, 10.0))
    found = splitters(short, other)
    assert found.transmitted.value == pytest.approx(t)
    assert found.arms_ratio.value == pytest.approx(s / long)
    assert found.transmitted.error > 0.0


def test_an_arm_without_light_is_an_error() -> None:
    dark = ArmRates(Measured(0.0, 1.0), Measured(10.0, 1.0))
    light = ArmRates(Measured(10.0, 1.0), Measured(10.0, 1.0))
    with pytest.raises(AnalysisError, match="arm"):
        splitters(light, dark)


@pytest.mark.parametrize(("g2", "transmitted", "ratio"), [(0.0, 0.5, 1.0), (0.1, 0.6, 1.5)])
def test_the_correction_undoes_what_closed_forms_say(
    g2: float, transmitted: float, ratio: float
) -> None:
    """V = 2 R T M S / (S (R^2 + T^2) + 2 R T G), S = s l, G = g2 (s^2 + l^2) / 2."""
    turned, m, long = 1.0 - transmitted, 0.4, 0.4
    s = ratio * long
    pairs, same = s * long, 0.5 * g2 * (s**2 + long**2)
    rt = turned * transmitted
    seen = 2.0 * rt * m * pairs / (pairs * (turned**2 + transmitted**2) + 2.0 * rt * same)
    device = Splitters(Measured(transmitted, 1e-3), Measured(ratio, 1e-3))
    found = indistinguishability(Measured(seen, 0.01), Measured(g2, 0.01), device)
    assert found.value == pytest.approx(m)
    assert found.error > 0.01


def test_three_delays_are_too_few() -> None:
    three = np.array([0.0, 1.0, 2.0])
    with pytest.raises(AnalysisError, match="delays"):
        fit_dip(three, three, three, three, three)
