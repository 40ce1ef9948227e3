"""Bunching of a superlattice: areas and times, histograms and photons of the simulated world."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    Bunching,
    Measured,
    PairBackground,
    auger_g2,
    gaussian_pair_response,
    measure_bunching,
    pulsed_g2,
)
from labctl.errors import AnalysisError
from labctl.photons import PairBooks, PulsedDelays, PulsedDelaysResult, PulsedG2
from labctl_sim.world.photons import bunched, cascade
from world_photons import detected

Vector = NDArray[np.float64]
LAGS = np.arange(-10, 11)
BIN_S = 4e-12
PER_COLUMN = 8
COLUMNS = np.arange(-150, 150) * PER_COLUMN
RESPONSE = gaussian_pair_response(70e-12, PER_COLUMN * BIN_S)


def two_sided(tau_ps: float, generator: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Differences of whole bins of 4 ps, with a timing error."""
    delays_ps = generator.exponential(tau_ps, (2, count)) + 1000.0
    delays_ps += 70.0 / 2.3548 / np.sqrt(2) * generator.standard_normal((2, count))
    bins = np.floor(delays_ps / 4.0).astype(np.int64)
    edges = np.append(COLUMNS, COLUMNS[-1] + PER_COLUMN)
    return np.histogram(bins[1] - bins[0], edges)[0]


def drawn(seed: int, bunching_ps: float, excess: int = 1500) -> PulsedDelaysResult:
    generator = np.random.default_rng(seed)
    rows = [two_sided(100.0, generator, int(generator.poisson(3000))) for _ in LAGS]
    rows[10] += two_sided(bunching_ps, generator, int(generator.poisson(excess)))
    books = PairBooks(54_772, 54_772, 1_000_000, 109_544, 0)
    return PulsedDelaysResult(LAGS, COLUMNS, np.stack(rows), books)


def measure(seed: int, bunching_ps: float) -> Bunching:
    return measure_bunching(drawn(seed, bunching_ps), BIN_S, response=RESPONSE)


@pytest.mark.parametrize("bunching_ps", [100.0, 40.0])
def test_errors_are_honest(bunching_ps: float) -> None:
    found = [measure(seed, bunching_ps) for seed in range(40)]
    times = [one.bunching_ns for one in found if one.bunching_ns]
    for pulls in (
        np.array([one.area.g2_zero.pull(1.5) for one in found]),
        np.array([time.pull(1e-3 * bunching_ps) for time in times]),
        np.array([one.decay_ns.pull(0.1) for one in found]),
    ):
        assert len(pulls) == 40
        assert abs(pulls.mean()) < 0.4
        assert 0.75 < pulls.std() < 1.3
    assert min(one.significance for one in found) > 5


def test_light_without_bunching_says_so() -> None:
    found = measure_bunching(drawn(0, 100.0, excess=0), BIN_S, response=RESPONSE)
    assert found.bunching_ns is None
    assert "no bunching seen" in found.flags
    assert abs(found.significance) < 5


def test_a_superlattice_of_the_world_bunches_for_its_decay_time() -> None:
    """g2(0) = 1.5 and 0.3 ns, photons through detectors with all their faults."""
    block = detected(bunched(0.1, 1.5, (0.3, 0.3), 300.0), 0, 0.3, bin_ps=4)
    pairs = PulsedDelays(delay_bins=25_000, bins_per_column=8)
    pairs.feed(block)
    # Peaks of 0.3 ns: of the 100 ns, all that matters is within 5 ns.
    whole = pairs.result()
    near = np.abs(whole.delay_bins) <= 1250
    part = PulsedDelaysResult(
        whole.pulses, whole.delay_bins[near], whole.counts[:, near], whole.books
    )
    found = measure_bunching(part, BIN_S, response=RESPONSE, side_pulses=(2, 10))
    assert found.area.g2_zero.covers(1.5, 4)
    assert found.bunching_ns is not None
    assert found.bunching_ns.covers(0.3, 4)
    assert found.decay_ns.value == pytest.approx(0.3, rel=0.1)


def test_the_world_s_cascades_give_their_closed_forms() -> None:
    """An Auger-limited and a weakly confined dot, through detectors with all their faults."""
    for at_most, truth in ((2, float(auger_g2(np.array([1.0]), 0.3)[0])), (None, 1.0)):
        other = 0.3 if at_most else 1.0
        shares = [0.05, 0.05]
        taus = [1000.0, 250.0]
        light = cascade(1.0, at_most, shares, [other * share for share in shares], taus)
        peaks = PulsedG2()
        peaks.feed(detected(light, 0, 0.5))
        result = peaks.result()
        # Darks; of the afterpulses those that come 23 ns or more after the dead time of 77 ns.
        late = 0.01 * np.exp(-23 / 30)
        sides = result.books.photons_a, result.books.photons_b
        clicks = [Measured(25 + late * n, 0.1 * late * n) for n in sides]
        background = PairBackground(clicks[0], clicks[1], Measured(1e-4, 1e-5))
        found = pulsed_g2(result, background=background, side_pulses=(3, 10))
        assert found.g2_zero.covers(truth, 5)
        assert found.g2_zero.error < 0.02


def test_what_cannot_be_measured() -> None:
    with pytest.raises(AnalysisError, match="too few"):
        measure_bunching(drawn(0, 100.0), BIN_S, side_pulses=(1, 3))
    with pytest.raises(AnalysisError, match="odd number"):
        measure_bunching(drawn(0, 100.0), BIN_S, response=np.ones(2))
