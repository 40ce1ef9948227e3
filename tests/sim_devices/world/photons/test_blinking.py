"""Dwell times."""

import numpy as np
import pytest

from labctl_sim.sample import Blinking
from labctl_sim.world.photons import Dwells, blinking, charging
from labctl_sim.world.photons._blinking import power_law_s


def law_of(**changes: object) -> Blinking:
    plain = {"on_share": 0.8, "on_share_after_one_hour": 0.8, "longest": "1 s"}
    return Blinking.model_validate(plain | changes)


def dwells(**changes: object) -> Dwells:
    return blinking(law_of(**changes), np.random.default_rng(0))


def durations(
    process: Dwells, until_s: float, *, on: bool
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    states = process.states(0.0, until_s)
    starts = np.array([at_s for at_s, _ in states])
    which = np.array([state for _, state in states])
    return np.diff(starts)[which[:-1] == on]


@pytest.mark.parametrize("kind", ["power_law", "telegraph"])
def test_the_on_share_is_reached(kind: str) -> None:
    assert dwells(kind=kind).on_share(0.0, 3000.0) == pytest.approx(0.8, abs=0.05)


def test_the_on_share_falls_in_the_light() -> None:
    process = dwells(on_share=0.98, on_share_after_one_hour=0.6)
    assert process.on_share(0.0, 300.0) > process.on_share(5000.0, 6000.0) + 0.2


def test_off_times_follow_the_power_law() -> None:
    law = law_of()
    times = durations(dwells(), 2000.0, on=False)
    assert times.min() >= 1e-3
    assert times.max() <= 1.0
    uniform = np.linspace(0.05, 0.95, 19)
    found = np.quantile(times, uniform)
    wanted = [power_law_s(law, float(u)) for u in uniform]
    assert found == pytest.approx(wanted, rel=5.0 * 1.6 / len(times) ** 0.5 + 0.1)


def test_what_was_asked_before_does_not_change_it() -> None:
    one, other = dwells(), dwells()
    for until_s in (0.1, 3.0, 7.7):
        other.states(0.0, until_s)
    assert one.states(2.0, 9.0) == other.states(2.0, 9.0)
    assert one.states(2.0, 9.0)[0][0] == 2.0


def test_charging_is_a_telegraph() -> None:
    process = charging(0.2, 0.01, np.random.default_rng(0))
    assert process.on_share(0.0, 200.0) == pytest.approx(0.2, abs=0.02)
    assert durations(process, 100.0, on=True).mean() == pytest.approx(0.01, rel=0.1)
