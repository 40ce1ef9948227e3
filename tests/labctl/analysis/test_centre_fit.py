"""The maximum of counts along one axis: unbiased, with honest errors, and refused in the dark."""

import numpy as np
import pytest

from labctl.analysis import fit_centre
from labctl.errors import AnalysisError

PLACES_UM = np.linspace(0.0, 1.5, 7)
SD_UM = 0.3


def expected(place_um: float, height: float = 300.0, dark: float = 10.0) -> np.ndarray:
    return dark + height * np.exp(-0.5 * ((PLACES_UM - place_um) / SD_UM) ** 2)


def test_errors_are_honest() -> None:
    pulls: list[float] = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        truth = float(rng.uniform(0.2, 1.3))
        counts = rng.poisson(expected(truth)).astype(np.float64)
        fit = fit_centre(PLACES_UM, counts, 10.0, 0.4)
        pulls.append(fit.place_um.pull(truth))
        assert fit.place_um.error < 0.05
    # The mean of 200 pulls has an error of 0.07, their standard deviation one of 0.05.
    assert abs(np.mean(pulls)) < 4 * 0.07
    assert abs(np.std(pulls) - 1.0) < 4 * 0.05


def test_a_maximum_outside_is_told() -> None:
    fit = fit_centre(PLACES_UM, expected(1.8), 10.0, SD_UM)
    assert not fit.inside
    assert fit.place_um.value == pytest.approx(1.8, abs=0.05)


def test_nothing_in_the_dark() -> None:
    counts = np.random.default_rng(0).poisson(10.0, 7).astype(np.float64)
    with pytest.raises(AnalysisError, match="nothing shines"):
        fit_centre(PLACES_UM, counts, 10.0, SD_UM)


def test_too_few_places() -> None:
    with pytest.raises(AnalysisError, match="not enough"):
        fit_centre(PLACES_UM[:3], np.full(3, 100.0), 10.0, SD_UM)
