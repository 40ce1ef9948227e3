"""Photons of successive pulses on a splitter, against closed forms at 5 standard deviations."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl_sim.world import Interferometer
from labctl_sim.world.photons import PhotonStream, cascade, equalized, interfering
from photon_statistics import pulses

TOTAL = 4_000_000
END_S = TOTAL * 1e-7
SEEN = 0.3
EVEN = (0.5 * SEEN, 0.5 * SEEN)
T1_PS, T2_PS = 100.0, 80.0
DEPHASING = 1.0 / T2_PS - 0.5 / T1_PS
Make = Callable[..., PhotonStream]
SHIFT_PS = 5000
"""Photons come a little after their pulse, so that none falls into the slot before."""


def peaks(make: Make, device: Interferometer, *, seed: int = 0, q: float = 0.0) -> "Peaks":
    """Coincidences by the difference of pulses, of a dot of which nearly every pulse excites."""
    at_most = 2 if q else 1
    single = cascade(8.0, at_most, EVEN, [q * share for share in EVEN], [T1_PS, 25.0])
    model = interfering(single, device, DEPHASING)
    return Peaks(make([model], seed=seed, shift_ps=SHIFT_PS).until(END_S, end=True))


class Peaks:
    """Areas of the peaks of coincidences."""

    def __init__(self, events: NDArray[np.int64]) -> None:
        self.events = events
        self.first = np.bincount(pulses(events, 0), minlength=TOTAL + 2)
        self.second = np.bincount(pulses(events, 1), minlength=TOTAL + 2)
        self.side = float(np.mean([self.area(k) for k in range(2, 22)]))

    def area(self, k: int) -> int:
        if k == 0:
            return int((self.first * self.second).sum())
        return int((self.first[:-k] * self.second[k:]).sum())

    def rel(self, k: int) -> tuple[float, float]:
        """Area against that of far peaks, and its standard deviation."""
        area = self.area(k)
        return area / self.side, math.sqrt(max(area, 1)) / self.side


def agrees(found: tuple[float, float], expected: float) -> None:
    assert found[0] == pytest.approx(expected, abs=5.0 * found[1])


def test_crossed_polarizations_give_one_half_and_three_quarters(make_stream: Make) -> None:
    """Single photons: C(0) = 1/2, C(1) = 3/4 of the far peaks, for one photon takes one arm."""
    found = peaks(make_stream, Interferometer(crossed=True))
    agrees(found.rel(0), 0.5)
    agrees(found.rel(1), 0.75)
    agrees(found.rel(3), 1.0)


@pytest.mark.parametrize("delay_ps", [0.0, 60.0, -150.0, 1000.0])
def test_the_dip_has_depth_t2_over_2_t1_and_width_t1(make_stream: Make, delay_ps: float) -> None:
    found = peaks(make_stream, Interferometer(delay_ps=delay_ps))
    alike = T2_PS / (2.0 * T1_PS) * math.exp(-abs(delay_ps) / T1_PS)
    agrees(found.rel(0), 0.5 * (1.0 - alike))
    agrees(found.rel(1), 0.75)


def test_without_dephasing_the_dip_goes_to_nothing(make_stream: Make) -> None:
    model = interfering(cascade(8.0, 1, EVEN, (0.0, 0.0), [T1_PS]), Interferometer(), 0.0)
    stream = make_stream([model], shift_ps=SHIFT_PS)
    found = Peaks(stream.until(END_S, end=True))
    # Photons of the last and the first pulse of two cells of 10 000 do not meet.
    assert found.area(0) <= 5.0 * 1e-4 * 0.5 * found.side


def test_photons_of_one_pulse_do_not_interfere(make_stream: Make) -> None:
    """C(0) = 1/2 (1 - I + g2(0)) with g2(0) = 2 p2 q / (p1 + p2 q)^2 of the source."""
    q = 0.2
    p1, p2 = -math.expm1(-8.0), 1.0 - math.exp(-8.0) * 9.0
    g2 = 2.0 * p2 * q / (p1 + p2 * q) ** 2
    # Two excitons meet as often as without biexcitons, but less often among all photons.
    exciton = (p1 / (p1 + p2 * q)) ** 2
    mixed = 1.0 - exciton
    alike = T2_PS / (2.0 * T1_PS)
    # The exciton that follows a biexciton comes later by the biexciton's own decay: with it the
    # excitations differ by |d|, d the difference of two exponentials of 25 ps.
    apart = T1_PS / (T1_PS + 25.0)
    found = peaks(make_stream, Interferometer(), q=q)
    agrees(found.rel(0), 0.5 * (exciton * (1.0 - alike * apart) + mixed + g2))


@pytest.mark.parametrize("transmitted", [0.4, 0.62])
def test_an_uneven_splitter(make_stream: Make, transmitted: float) -> None:
    """C(0) is (R^2 + T^2 - 2 R T I) / (R T + ...) of pairs against far peaks."""
    turned = 1.0 - transmitted
    device = Interferometer(short_rel=0.45, long_rel=0.35, transmitted_rel=transmitted)
    found = peaks(make_stream, device)
    port_0, port_1 = device.ports_rel
    alike = T2_PS / (2.0 * T1_PS)
    pairs = 0.45 * 0.35 * (transmitted**2 + turned**2 - 2.0 * transmitted * turned * alike)
    agrees(found.rel(0), pairs / (port_0 * port_1))


@pytest.mark.parametrize("arms", ["short", "long"])
def test_with_one_arm_it_is_a_plain_splitter(make_stream: Make, arms: str) -> None:
    device = Interferometer(arms=arms, transmitted_rel=0.6, delay_ps=200.0)
    found = peaks(make_stream, device)
    assert found.area(0) == 0
    agrees(found.rel(1), 1.0)
    counts = found.first.sum(), found.second.sum()
    expected = 0.6 if arms == "short" else 0.4
    total = counts[0] + counts[1]
    sd = math.sqrt(0.24 / total)
    assert counts[0] / total == pytest.approx(expected, abs=5.0 * sd)
    assert total == pytest.approx(0.5 * SEEN * TOTAL, rel=0.01)


def test_the_long_arm_comes_later_by_period_and_delay(make_stream: Make) -> None:
    device = Interferometer(arms="long", delay_ps=300.0)
    model = interfering(cascade(8.0, 1, EVEN, (0.0, 0.0), [T1_PS]), device, DEPHASING)
    events = make_stream([model], shift_ps=SHIFT_PS).until(0.05, end=True) >> 3
    delays = (events - SHIFT_PS) % 100_000
    sd = T1_PS / math.sqrt(len(delays))
    assert delays.mean() + 0.5 == pytest.approx(300.0 + T1_PS, abs=5.0 * sd)
    assert events.min() > 100_000


def test_coincidences_vanish_at_equal_times(make_stream: Make) -> None:
    """P(other port | |t - t'|) = (1 - exp(-2 gamma |t - t'|)) / 2: none at once."""
    found = peaks(make_stream, Interferometer())
    times, who = (found.events >> 3) - SHIFT_PS, found.events & 7
    slot = times // 100_000
    both = (slot[:-1] == slot[1:]) & (who[:-1] != who[1:])
    apart = np.abs(np.diff(times))[both]
    half = 0.5 * TOTAL * (0.5 * SEEN) ** 2
    expected = half * sum(
        math.exp(-t / T1_PS) * (1.0 - math.exp(-2.0 * DEPHASING * t)) / T1_PS
        for t in np.arange(0.5, 20.0)
    )
    near = int((apart < 20).sum())
    assert near == pytest.approx(expected, abs=5.0 * math.sqrt(expected) + 0.03 * expected)
    assert near < 0.2 * half * -math.expm1(-20.0 / T1_PS)


def test_detectors_of_different_efficiency(make_stream: Make) -> None:
    seen, keep = equalized([0.2, 0.1])
    assert (sum(seen), keep) == (0.2, (1.0, 0.5))
    model = interfering(
        cascade(8.0, 1, seen, (0.0, 0.0), [T1_PS]), Interferometer(crossed=True), DEPHASING, keep
    )
    found = Peaks(make_stream([model], shift_ps=SHIFT_PS).until(END_S, end=True))
    ratio = found.first.sum() / found.second.sum()
    assert ratio == pytest.approx(2.0, abs=5.0 * 3.0 / math.sqrt(found.second.sum()))
    agrees(found.rel(0), 0.5)
    expected = [TOTAL * mean for mean in model.mean]
    for count, mean in zip((found.first.sum(), found.second.sum()), expected, strict=True):
        assert count == pytest.approx(mean, abs=6.0 * math.sqrt(mean))


def test_the_answer_does_not_depend_on_how_often_it_is_asked(make_stream: Make) -> None:
    model = interfering(cascade(8.0, 2, EVEN, EVEN, [100.0, 25.0]), Interferometer(), DEPHASING)
    whole = make_stream([model], shift_ps=SHIFT_PS).until(0.05, end=True)
    stream = make_stream([model], shift_ps=SHIFT_PS)
    parts = [stream.until(0.007), stream.until(0.0301), stream.until(0.05, end=True)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
