"""Trion, biexciton and replicas: derivatives, planted lines, limits, growth with the fluence."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import InstrumentResponse, NoiseModel, fit_manifold
from labctl.analysis._manifold_model import Kind, ManifoldModel
from labctl.analysis._model import make_axis
from labctl.optics import air_nm_to_ev, vacuum_nm

Vector = NDArray[np.float64]

pytestmark = pytest.mark.timeout(300)

WAVELENGTH_NM = np.linspace(523.0, 535.0, 700)
RESPONSE = InstrumentResponse(0.065)
NOISE = NoiseModel(1.0, 5.0, 100.0, frames=10)
MAIN_NM = 526.0
SPLIT: tuple[Kind, ...] = ("exciton", "exciton", "replica", "replica", "trion", "biexciton")
HEAD = [0.0, 0.4, 0.04, 1e6, 1000.0, 0.0]
PAIRS = [1.2, 0.6, 2.5, 0.3, 3.6, 0.06, 15.5, 0.03, 11.0, 0.02, 23.5, 0.05]
PLANTED = np.array([*HEAD, *PAIRS])


def model(kinds: tuple[Kind, ...]) -> ManifoldModel:
    main_nm = float(vacuum_nm(np.array([MAIN_NM]))[0])
    return ManifoldModel(make_axis(vacuum_nm(WAVELENGTH_NM), main_nm, RESPONSE), kinds)


def recorded(kinds: tuple[Kind, ...], parameters: Vector, seed: int) -> Vector:
    expected, _ = model(kinds).evaluate(parameters)
    generator = np.random.default_rng(seed)
    return generator.normal(expected, np.sqrt(NOISE.variance(expected)))


def test_derivatives_are_those_of_the_counts() -> None:
    manifold, parameters = model(SPLIT), PLANTED.copy()
    _, columns = manifold.evaluate(parameters)
    for place in range(parameters.size):
        step = np.zeros(parameters.size)
        step[place] = 1e-5 * max(abs(float(parameters[place])), 0.1)
        ahead, behind = (manifold.evaluate(parameters + s)[0] for s in (step, -step))
        slope = (ahead - behind) / (2 * step[place])
        np.testing.assert_allclose(columns[:, place], slope, atol=1e-4 * np.abs(slope).max())


def test_the_light_of_all_replicas_follows_poisson() -> None:
    # Two quanta of one mode beside one of both: 1 + S + S^2 / 2 in all.
    kinds: tuple[Kind, ...] = ("replica",)
    head = PLANTED[:6].copy()
    head[4] = 0.0
    alone, _ = model(()).evaluate(head)
    for strength in (0.1, 0.2):
        light, _ = model(kinds).evaluate(np.append(head, [5.0, strength]))
        ratio = float(light.sum() / alone.sum())
        assert ratio == pytest.approx(1 + strength + strength**2 / 2, rel=5e-3)


def test_a_biexciton_is_the_mirror_image() -> None:
    kinds: tuple[Kind, ...] = ("exciton", "biexciton")
    parameters = np.append(PLANTED[:6], [1.0, 0.5, 20.0, 1.0])
    light, _ = model(kinds).evaluate(parameters)
    energy = 1e3 * (air_nm_to_ev(WAVELENGTH_NM) - air_nm_to_ev(MAIN_NM))
    density = (light - 1000.0) / np.abs(np.gradient(energy))
    # The strong line is the lower one of the exciton and the upper one of the biexciton.
    places = [float(energy[np.argmax(np.where(np.abs(energy - at) < 0.4, density, 0.0))])
              for at in (0.0, 1.0, -19.0, -20.0)]  # fmt: skip
    np.testing.assert_allclose(places, [0.0, 1.0, -19.0, -20.0], atol=0.1)
    heights = [float(np.interp(-at, -energy, density)) for at in places]
    assert heights[2] == pytest.approx(heights[0], rel=0.05)
    assert heights[3] == pytest.approx(heights[1], rel=0.05)


def test_planted_lines_are_found_by_their_shapes() -> None:
    fit = fit_manifold(recorded(SPLIT, PLANTED, 0), WAVELENGTH_NM, NOISE, response=RESPONSE)
    assert [line.kind for line in fit.lines] == ["replica", "trion", "replica", "biexciton"]
    planted = [(3.6, 0.06), (11.0, 0.02), (15.5, 0.03), (23.5, 0.05)]
    for line, (below, ratio) in zip(fit.lines, planted, strict=True):
        assert line.below_mev.covers(below, 4.0)
        assert line.ratio.covers(ratio, 4.0)
        assert line.below_mev.error < 0.02
    np.testing.assert_allclose(np.sort(fit.offsets_mev), [-1.2333, -0.0333, 1.2667], atol=0.02)
    assert fit.flags == ()


def test_what_is_not_there_is_not_found_and_a_limit_is_told() -> None:
    kinds: tuple[Kind, ...] = ("exciton", "exciton")
    alone = PLANTED[:10]
    fit = fit_manifold(recorded(kinds, alone, 1), WAVELENGTH_NM, NOISE, response=RESPONSE)
    assert fit.lines == ()
    assert 0 < fit.limit < 2e-3
    # The limit is that of the most unfavourable place: a tenth of it is found nowhere.
    for factor, count in ((1.5, 1), (0.1, 0)):
        with_trion: tuple[Kind, ...] = (*kinds, "trion")
        planted = np.append(alone, [12.0, factor * fit.limit])
        counts = recorded(with_trion, planted, 2)
        again = fit_manifold(counts, WAVELENGTH_NM, NOISE, response=RESPONSE)
        assert len(again.lines) == count


def test_another_spectrum_is_fitted_with_the_same_lines() -> None:
    first = fit_manifold(recorded(SPLIT, PLANTED, 3), WAVELENGTH_NM, NOISE, response=RESPONSE)
    weak = PLANTED.copy()
    weak[3] /= 20
    weak[-1] = 0.01
    like = first.renamed({})
    counts = recorded(SPLIT, weak, 4)
    second = fit_manifold(counts, WAVELENGTH_NM, NOISE, response=RESPONSE, like=like)
    assert [line.kind for line in second.lines] == [line.kind for line in first.lines]
    assert second.of("biexciton")[0].ratio.covers(0.01, 4.0)
    assert second.of("trion")[0].below_mev.covers(11.0, 4.0)
