"""What a path does to polarization, by Mueller's matrices."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import PathPolarization, Polarization, fit_polarization
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]

ANGLES_DEG = np.arange(0.0, 360.0, 22.5)
DIATTENUATION = (-0.21, 0.12)
STOKES = ((0.0, 0.0), (1.0, 0.0), (0.3, -0.5), (-0.6, 0.8))


def behind(stokes: Vector, angle_deg: Vector) -> Vector:
    """Intensity of light (I, Q, U) behind an ideal polarizer at angles."""
    twice = 2.0 * np.radians(angle_deg)
    return 0.5 * (stokes[0] + stokes[1] * np.cos(twice) + stokes[2] * np.sin(twice))


def diattenuated(stokes: Vector, d1: float, d2: float) -> Vector:
    """The Mueller matrix of a diattenuator, turned into its own axes and back."""
    strength, turn = math.hypot(d1, d2), math.atan2(d2, d1)
    cos, sin = math.cos(turn), math.sin(turn)
    rotation = np.array([[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]])
    own = np.array(
        [[1.0, strength, 0.0], [strength, 1.0, 0.0], [0.0, 0.0, math.sqrt(1.0 - strength**2)]]
    )
    return np.asarray(rotation.T @ own @ rotation @ stokes, dtype=np.float64)


def fitted(light: Vector) -> Polarization:
    return fit_polarization(ANGLES_DEG, light, 1e-8 * np.eye(light.size))


@pytest.fixture
def path() -> PathPolarization:
    """The path as unpolarized light shows it."""
    light = behind(diattenuated(np.array([1.0, 0.0, 0.0]), *DIATTENUATION), ANGLES_DEG)
    return PathPolarization.of_unpolarized(fitted(light), 0.003, 520.0, 540.0)


def test_unpolarized_light_shows_the_diattenuation(path: PathPolarization) -> None:
    assert (path.d1.value, path.d2.value) == pytest.approx(DIATTENUATION)
    assert path.d1.error == pytest.approx(0.003, rel=0.01)
    assert [path.holds(nm) for nm in (519.0, 530.0, 541.0)] == [False, True, False]
    assert PathPolarization.from_record(path.to_record()) == path


@pytest.mark.parametrize("stokes", STOKES)
def test_what_stands_before_the_analyser_is_undone_exactly(
    path: PathPolarization, stokes: tuple[float, float]
) -> None:
    light = np.array([1.0, *stokes])
    seen = fitted(behind(diattenuated(light, *DIATTENUATION), ANGLES_DEG))
    found = path.undone(seen)
    assert (found.s1.value, found.s2.value) == pytest.approx(stokes, abs=1e-7)
    assert found.intensity.value == pytest.approx(1.0)
    assert found.degree.value == pytest.approx(math.hypot(*stokes), abs=0.004)


@pytest.mark.parametrize("stokes", STOKES)
def test_what_stands_behind_a_turning_analyser_is_divided_out(
    path: PathPolarization, stokes: tuple[float, float]
) -> None:
    twice = 2.0 * np.radians(ANGLES_DEG)
    grating = 1.0 + DIATTENUATION[0] * np.cos(twice) + DIATTENUATION[1] * np.sin(twice)
    light = behind(np.array([1.0, *stokes]), ANGLES_DEG) * grating
    found = path.divided_out(fitted(light / path.gain(ANGLES_DEG)))
    assert (found.s1.value, found.s2.value) == pytest.approx(stokes, abs=1e-7)
    assert found.s1.error == pytest.approx(0.003, rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_an_unpolarized_dot_has_no_polarization_with_the_file_and_would_have_without(
    seed: int,
) -> None:
    """1 % of noise at each angle behind a grating of s : p = 2.5 : 1; bound of a draw, 4 sigma."""
    rng = np.random.default_rng(seed)
    grating = 1.0 + (1.0 - 2.5) / (1.0 + 2.5) * np.cos(2.0 * np.radians(ANGLES_DEG))

    def taken(relative: float) -> Polarization:
        light = grating * (1.0 + relative * rng.standard_normal(grating.size))
        return fit_polarization(ANGLES_DEG, light, (relative * np.diag(grating)) ** 2)

    path = PathPolarization.of_unpolarized(taken(0.001), 0.002, 520.0, 540.0)
    light = grating * (1.0 + 0.01 * rng.standard_normal(grating.size))
    gain = path.gain(ANGLES_DEG)
    found = path.divided_out(fit_polarization(ANGLES_DEG, light / gain, 1e-4 * np.eye(gain.size)))
    assert found.degree.covers(0.0, 4.0)
    assert found.degree.error < 0.006
    bare = fit_polarization(ANGLES_DEG, light, (0.01 * np.diag(grating)) ** 2)
    assert bare.degree.value == pytest.approx(3.0 / 7.0, abs=0.02)


def test_the_error_of_the_lamp_is_that_of_an_unpolarized_dot(path: PathPolarization) -> None:
    """Of light whose s' = d nothing is left, and the error of d along d grows by 1 / (1 - D²)."""
    seen = fitted(behind(np.array([1.0, *DIATTENUATION]), ANGLES_DEG))
    found = path.undone(seen)
    strength = math.hypot(*DIATTENUATION)
    assert found.degree.value < 1e-3
    assert found.degree.error == pytest.approx(0.003, rel=strength**2)


def test_a_polarized_lamp_is_refused() -> None:
    light = behind(np.array([1.0, 0.99, 0.0]), ANGLES_DEG)
    with pytest.raises(AnalysisError, match="is that lamp unpolarized"):
        PathPolarization.of_unpolarized(fitted(light), 0.002, 520.0, 540.0)
