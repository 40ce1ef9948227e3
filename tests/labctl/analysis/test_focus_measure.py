"""Sharpness of a picture: a closed form, no bias by noise, falling with blur."""

import math

import numpy as np
import pytest

from labctl.analysis import focus_measure
from labctl.errors import AnalysisError


def test_waves_have_the_closed_form() -> None:
    """(a / m)² sin²(k lag / 2), the mean over both axes of 2 a² sin² along one of them."""
    x = np.arange(400.0)
    wave = 2.0 * math.pi / 16.0
    image = np.broadcast_to(100.0 + 10.0 * np.sin(wave * x), (400, 400))
    found = focus_measure(np.stack([image, image]))
    assert found.value == pytest.approx(0.01 * math.sin(wave) ** 2, rel=0.02)


def test_noise_adds_nothing() -> None:
    """Ten pictures of noise alone: pulls from zero within five standard errors of their mean."""
    pulls: list[float] = []
    for seed in range(10):
        frames = 100.0 + 20.0 * np.random.default_rng(seed).standard_normal((4, 120, 150))
        pulls.append(focus_measure(frames).pull(0.0))
    assert abs(float(np.mean(pulls))) < 5.0 / math.sqrt(10.0)


def test_blur_lowers_it() -> None:
    rng = np.random.default_rng(0)
    wave, phase = rng.normal(0.0, 0.5, (80, 2)), rng.uniform(0.0, 6.3, 80)
    y, x = np.mgrid[:100, :100]
    values: list[float] = []
    for sd in (1.0, 1.5, 2.0, 3.0):
        heights = np.exp(-0.5 * (wave**2).sum(axis=1) * sd**2)
        terms = heights * np.cos(wave[:, 0] * x[..., None] + wave[:, 1] * y[..., None] + phase)
        image = 100.0 + terms.sum(axis=-1)
        values.append(focus_measure(np.stack([image, image])).value)
    assert values == sorted(values, reverse=True)


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(AnalysisError, match="at least two frames"):
        focus_measure(np.ones((1, 50, 50)))
    with pytest.raises(AnalysisError, match="no light"):
        focus_measure(np.zeros((2, 50, 50)))
    with pytest.raises(AnalysisError, match="too small"):
        focus_measure(np.ones((2, 50, 10)))
