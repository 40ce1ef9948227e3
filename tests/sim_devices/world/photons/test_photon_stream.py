"""A stream does not depend on how it is asked, and follows what changes."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from labctl_sim.sample import Blinking
from labctl_sim.world._table import Timeline
from labctl_sim.world.photons import (
    Dwells,
    Light,
    PhotonStream,
    Source,
    Times,
    Timing,
    blinking,
    bunched,
    cascade,
    grid_of,
)

Make = Callable[..., PhotonStream]
REAL = Timing(30.0, 60.0, 0.1, 41.0)
MODELS = (
    cascade(1.0, None, (0.01, 0.01), (0.01, 0.01), [500.0, 125.0]),
    cascade(1.0, 1, (0.002, 0.002), (0.0, 0.0), [200.0]),
    cascade(1.0, 1, (0.001, 0.001), (0.0, 0.0), [200.0]),
)


def shine(make: Make, seed: int = 0) -> PhotonStream:
    lit = Timeline(0.0, 1.0)
    lit.set(0.31234, 0.0)
    lit.set(0.4, 1.0)
    dwells = blinking(Blinking(on_share=0.7, on_share_after_one_hour=0.7), np.random.default_rng(1))

    def of_the_dot(_name: str) -> Dwells:
        return dwells

    return make(
        MODELS,
        seed=seed,
        lit=lit,
        blinking=of_the_dot,
        charged=0.1,
        timing=REAL,
        steady_hz=(50.0, 3000.0),
        dead_ps=77_000,
        afterpulse_probability=0.05,
        crosstalk_probability=0.01,
        crosstalk_ps=20_000,
        module_dead_ps=650,
    )


def test_any_division_in_time_gives_the_same_photons(make_stream: Make) -> None:
    whole = shine(make_stream).until(0.6543, end=True)
    assert len(whole) > 30_000
    for seed, steps in itertools.product((0, 1), (3, 100)):
        times = np.sort(np.random.default_rng(seed).uniform(0.0, 0.6543, steps))
        stream = shine(make_stream)
        parts = [stream.until(float(at_s)) for at_s in times]
        parts.append(stream.until(0.6543, end=True))
        assert np.array_equal(np.concatenate(parts), whole)


def test_events_are_sorted_and_inside_the_run(make_stream: Make) -> None:
    events = shine(make_stream).until(0.6543, end=True)
    assert (np.diff(events) >= 0).all()
    assert 0 <= events[0] >> 3
    assert events[-1] >> 3 < round(0.6543e12)


def test_another_seed_gives_other_photons(make_stream: Make) -> None:
    one, other = (shine(make_stream, seed).until(0.1, end=True) for seed in (0, 1))
    assert not np.array_equal(one, other)


def test_a_closed_shutter_leaves_the_darks(make_stream: Make) -> None:
    events = shine(make_stream).until(0.6543, end=True) >> 3
    dark = (events > 0.3124e12) & (events < 0.4e12)
    assert dark.sum() == pytest.approx(3050 * 0.0876, abs=5.0 * (3050 * 0.0876) ** 0.5)
    open_again = (events >= 0.4e12) & (events < 0.42e12)
    assert open_again.sum() > 500


def test_offsets_move_and_reorder(make_stream: Make) -> None:
    model = bunched(0.05, 1.0, (0.5, 0.5), 0.0)
    plain = make_stream([model]).until(0.05, end=True)
    moved = make_stream([model], shift_ps=99_999).until(0.05, end=True)
    shifted = plain + (99_999 << 3)
    assert np.array_equal(moved, shifted[shifted >> 3 < round(0.05e12)])
    back = make_stream([model], shift_ps=-99_999).until(0.05, end=True)
    expected = plain - (99_999 << 3)
    expected = expected[expected >= 0]
    assert np.array_equal(back[: len(expected)], expected)


def test_a_change_of_light_acts_from_its_time_on(make_stream: Make) -> None:
    stream = make_stream([bunched(0.01, 1.0, (0.5, 0.5), 0.0)])
    stream.until(0.1)
    bright = Source((bunched(0.1, 1.0, (0.5, 0.5), 0.0),))
    stream.note(0.10005, Light({"dot": bright}, (0.0, 0.0), (REAL, REAL)))
    rest = stream.until(0.2, end=True) >> 3
    late = rest[rest > 0.10005e12]
    assert len(late) == pytest.approx(1e7 * 0.09995 * 0.1, abs=5.0 * 1e5**0.5)


def test_bright_light_makes_room_for_itself(make_stream: Make) -> None:
    model = bunched(3.0, 1.0, (0.5, 0.5), 0.0)
    events = make_stream([model], rep_rate_hz=8e7).until(0.005, end=True)
    assert len(events) == pytest.approx(0.005 * 8e7 * 3.0, abs=5.0 * 1.2e6**0.5)


@pytest.mark.parametrize("rate_hz", [1e5, 1e6, 4999960.0, 1e7, 8e7])
def test_a_cell_is_a_whole_number_of_ps(rate_hz: float) -> None:
    grid = grid_of(rate_hz)
    assert grid.pulses * grid.period_fs == 1000 * grid.length_ps
    assert grid.period_fs == pytest.approx(1e15 / rate_hz, rel=1e-7)
    assert grid.length_ps <= 10**10


def test_a_change_of_timing_does_not_depend_on_how_it_is_asked(make_stream: Make) -> None:
    model = bunched(0.02, 1.0, (0.5, 0.5), 0.0)
    other = Light({"dot": Source((model,))}, (0.0, 0.0), (REAL, REAL))
    found: list[Times] = []
    for steps in ((), (0.01, 0.0233, 0.024, 0.0241, 0.06)):
        stream = make_stream([model])
        stream.note(0.02345, other)
        parts = [stream.until(at_s) for at_s in steps]
        found.append(np.concatenate([*parts, stream.until(0.1, end=True)]))
    assert np.array_equal(found[0], found[1])
    delays = (found[0] >> 3) % 100_000
    before = (found[0] >> 3) < 0.023e12
    assert not delays[before].any()
    assert delays[~before].any()
