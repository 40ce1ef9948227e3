"""Heralded biexcitons: shapes against drawn photons, honest errors, a stream of the world."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    HeraldedBiexciton,
    Measured,
    accidental_first,
    accidental_gap,
    cascade_shapes,
    exponential_bins,
    fit_heralded,
)
from labctl.errors import AnalysisError
from labctl.photons import PulsePairs, PulsePairsResult, RecordType, Stream
from labctl_sim.world.photons import PulseModel, bunched, cascade
from world_photons import detected

Vector = NDArray[np.float64]
BIN_NS = 0.064
SIZE = 1562
SEEDS = 40


class Truth(NamedTuple):
    tau_xx_ns: float = 0.8
    tau_x_ns: float = 6.0
    sd_ns: float = 0.05
    pairs: int = 2000
    accidental: int = 0
    crosstalk: int = 0


def histogram(delay_ns: Vector) -> NDArray[np.int64]:
    return np.histogram(delay_ns, np.arange(SIZE + 1) * BIN_NS)[0]


def binned(delay_ns: Vector) -> NDArray[np.int64]:
    return np.floor(delay_ns / BIN_NS).astype(np.int64)


def draw(truth: Truth, seed: int) -> PulsePairsResult:
    """Photons one by one: emission, timing errors, order by detection."""
    generator = np.random.default_rng(seed)
    offset_ns = 3.2

    def timed(delays: Vector) -> Vector:
        return delays + offset_ns + truth.sd_ns * generator.standard_normal(delays.size)

    def exciton(count: int) -> Vector:
        return timed(generator.exponential(truth.tau_x_ns, count))

    count = int(generator.poisson(truth.pairs))
    u = generator.exponential(truth.tau_xx_ns, count)
    v = u + generator.exponential(truth.tau_x_ns, count)
    false = int(generator.poisson(truth.accidental)), int(generator.poisson(truth.crosstalk))
    lit = exciton(false[1])
    one = np.concatenate([timed(u), exciton(false[0]), lit])
    dark = generator.random(false[0]) * SIZE * BIN_NS
    two = np.concatenate([timed(v), dark, lit + 20.0])
    bins = np.sort(np.stack([binned(one), binned(two)]), axis=0)
    first, second = bins[:, bins[1] < SIZE]
    rows = [np.bincount(row, minlength=SIZE) for row in (first, second, second - first)]
    single = histogram(exciton(100_000))
    bin_s = BIN_NS * 1e-9
    return PulsePairsResult(
        100_000, first.size, 0, 0, 10**7, single, rows[0], rows[1], rows[2], bin_s
    )


def response(sd_ns: float, counts: int = 200_000) -> Vector:
    generator = np.random.default_rng(99)
    return histogram(3.2 + sd_ns * generator.standard_normal(counts)).astype(np.float64)


def measure(truth: Truth, seed: int) -> HeraldedBiexciton:
    irf = response(truth.sd_ns)
    # Between 19.9 and 20.1 ns: where the cross-talk comes.
    bins = (310, 316) if truth.crosstalk else None
    accidental = Measured(float(truth.accidental), 0.05 * truth.accidental)
    if truth.accidental and seed % 2:
        # The other half of the runs does not know them.
        return fit_heralded(draw(truth, seed), irf, irf, crosstalk_bins=bins)
    return fit_heralded(
        draw(truth, seed), irf, irf, accidental_pairs=accidental, crosstalk_bins=bins
    )


def test_bins_of_an_exponential() -> None:
    shares = exponential_bins(2.0, 200)
    assert shares.sum() == pytest.approx(1.0)
    assert shares @ np.arange(200) == pytest.approx(2.0, rel=1e-9)
    assert exponential_bins(1e-3, 5)[0] == pytest.approx(0.999)


@pytest.mark.parametrize("tau_x", [6.0, 1.0])
@pytest.mark.parametrize("sd", [0.15, 0.6])
def test_shapes_against_drawn_photons(tau_x: float, sd: float) -> None:
    """Also with a biexciton nearly as slow as the exciton, and detectors as slow as both."""
    truth = Truth(tau_x_ns=tau_x, sd_ns=sd, pairs=200_000)
    drawn = draw(truth, 0)
    irf = response(sd, 2_000_000)
    irf = irf / irf.sum()
    shapes = cascade_shapes(0.8 / BIN_NS, tau_x / BIN_NS, irf, irf)
    for shape, counts in zip(shapes, (drawn.first, drawn.second_after_first), strict=True):
        assert shape.sum() == pytest.approx(1.0, abs=1e-4)
        expected = shape * truth.pairs
        rich = expected > 25
        chi2 = float(np.sum((counts[rich] - expected[rich]) ** 2 / expected[rich]))
        # The number of pairs and the response are drawn, too: 6 standard deviations.
        assert chi2 < rich.sum() + 6 * np.sqrt(2 * rich.sum())


def test_shapes_of_accidental_pairs() -> None:
    clicks = exponential_bins(10.0, 50)
    clicks /= clicks.sum()
    joint = np.outer(clicks, np.full(50, 1 / 50))
    first, gap = np.zeros(50), np.zeros(50)
    for (i, j), share in np.ndenumerate(joint):
        first[min(i, j)] += share
        gap[abs(i - j)] += share
    np.testing.assert_allclose(accidental_first(clicks), first, atol=1e-12)
    np.testing.assert_allclose(accidental_gap(clicks), gap, atol=1e-12)


@pytest.mark.parametrize(
    "truth",
    [
        Truth(),
        Truth(tau_xx_ns=0.4, tau_x_ns=10.0, pairs=500, accidental=250, crosstalk=300),
        Truth(tau_xx_ns=0.8, tau_x_ns=2.0, sd_ns=0.3),
    ],
    ids=["CsPbBr3", "FAPbBr3 with darks and cross-talk", "slow detectors"],
)
def test_errors_are_honest(truth: Truth) -> None:
    fits = [measure(truth, seed) for seed in range(SEEDS)]
    for pulls in (
        np.array([fit.biexciton_ns.pull(truth.tau_xx_ns) for fit in fits]),
        np.array([fit.exciton_ns.pull(truth.tau_x_ns) for fit in fits]),
    ):
        assert abs(pulls.mean()) < 0.4
        assert 0.75 < pulls.std() < 1.3
    assert np.mean([fit.probability > 0.01 for fit in fits]) > 0.85
    if truth.crosstalk:
        found = [fit.crosstalk_pairs for fit in fits if fit.crosstalk_pairs]
        assert np.mean([one.covers(truth.crosstalk, 2) for one in found]) > 0.8


def test_taking_false_pairs_for_cascades_is_wrong() -> None:
    truth = Truth(tau_xx_ns=0.4, tau_x_ns=10.0, pairs=500, accidental=250, crosstalk=300)
    irf = response(truth.sd_ns)
    plain = fit_heralded(draw(truth, 0), irf, irf, accidental_pairs=Measured(0.0, 0.0))
    assert plain.biexciton_ns.value > 1.0
    assert "poor fit" in plain.flags


def test_moving_the_truth_moves_the_answer() -> None:
    values = [measure(Truth(tau_xx_ns=tau), 0).biexciton_ns.value for tau in (0.3, 0.6, 1.2)]
    assert values == pytest.approx([0.3, 0.6, 1.2], rel=0.12)


def test_what_cannot_be_fitted() -> None:
    irf = response(0.05)
    with pytest.raises(AnalysisError, match="too few"):
        fit_heralded(draw(Truth(pairs=10), 0), irf, irf)
    with pytest.raises(AnalysisError, match="needs counts"):
        fit_heralded(draw(Truth(), 0), irf[:-1], irf)
    with pytest.raises(AnalysisError, match="not within"):
        fit_heralded(draw(Truth(), 0), irf, irf, crosstalk_bins=(0, SIZE + 1))


WORLD_S = 0.6


def world_pairs(model: PulseModel, seed: int) -> PulsePairsResult:
    pairs = PulsePairs(Stream(RecordType.GENERIC_T3, 1e-7, 64e-12))
    pairs.feed(detected(model, seed, WORLD_S))
    return pairs.result(SIZE)


def found_clicks(model: PulseModel) -> float:
    return sum(model.mean) * WORLD_S * 1e7


def test_the_world_s_stream_gives_the_biexciton_of_cspbbr3() -> None:
    """0.8 ns, 6 ns; the response is that of a laser on the same detectors."""
    light = cascade(0.5, 2, (0.1, 0.1), (0.029, 0.029), [6000.0, 800.0])
    laser = world_pairs(bunched(0.02, 1.0, (0.5, 0.5), 0.0), 1)
    irf = np.where(np.arange(SIZE) < 200, laser.single, 0).astype(np.float64)
    found = fit_heralded(world_pairs(light, 0), irf, irf, crosstalk_bins=(308, 318))
    assert found.biexciton_ns.covers(0.8, 3)
    assert found.biexciton_ns.error < 0.04
    assert found.exciton_ns.covers(6.0, 3)
    # Darks are few: most are afterpulses of 1 % that come in the next period, beside a photon.
    assert found.accidental_pairs.value > 30
    assert found.crosstalk_pairs is not None
    assert found.crosstalk_pairs.covers(1e-4 * found_clicks(light), 4)
