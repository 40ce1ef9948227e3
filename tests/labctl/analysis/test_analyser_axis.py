"""Direction and extinction of an analyser from light of known polarization: drawn noise."""

import math

import numpy as np
import pytest

from labctl.analysis import fit_analyser_axis

BRIGHT = 1e6
DIRECTION_DEG, EXTINCTION = 41.3, 1.3e-4
ANGLES_DEG = np.array([*np.arange(0.0, 180.0, 22.5), *(131.3 + np.arange(-4.0, 5.0))])


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    turn = np.radians(ANGLES_DEG - DIRECTION_DEG)
    light = BRIGHT * (EXTINCTION + (1.0 - EXTINCTION) * np.cos(turn) ** 2)
    variance = light + (0.005 * light) ** 2
    rng = np.random.default_rng(seed)
    return light + rng.standard_normal(light.size) * np.sqrt(variance), variance


def test_pulls_of_direction_and_extinction_are_honest() -> None:
    """100 draws: mean below 0.4, standard deviation 0.75 to 1.3, as for every fitted quantity."""
    pulls: list[tuple[float, float]] = []
    for seed in range(100):
        found = fit_analyser_axis(ANGLES_DEG, *drawn(seed))
        pulls.append((found.direction_deg.pull(DIRECTION_DEG), found.extinction.pull(EXTINCTION)))
        # The crossed direction tells: 0.005 of the bright light would allow 0.15 deg.
        assert found.direction_deg.error < 0.02
        assert found.extinction.error < 0.2 * EXTINCTION
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.4)
    assert np.all(np.abs(np.std(pulls, axis=0, ddof=1) - 1.025) < 0.275)


@pytest.mark.parametrize("tilt", [-0.3, 0.3])
def test_light_that_changes_with_the_angle_turns_nothing(tilt: float) -> None:
    """A path behind that favours a direction: near the crossed one it changes only the height."""
    near = np.array([DIRECTION_DEG, *(131.3 + np.arange(-4.0, 5.0))])
    turn = np.radians(near - DIRECTION_DEG)
    light = BRIGHT * (EXTINCTION + (1.0 - EXTINCTION) * np.cos(turn) ** 2)
    light *= 1.0 + tilt * np.cos(2.0 * turn + 0.7)
    found = fit_analyser_axis(near, light, light + (0.005 * light) ** 2)
    assert math.isclose(found.direction_deg.value, DIRECTION_DEG, abs_tol=0.05)
