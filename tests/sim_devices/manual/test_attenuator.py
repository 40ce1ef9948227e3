from typing import Any

import pytest

from labctl_sim.manual.attenuator import AttenuatorWheel
from tcspc_bench import HandClock, make_world


def wheel(settings: dict[str, Any] | None = None, **truth: Any) -> tuple[Any, Any, Any]:
    clock = HandClock()
    world = make_world(clock.now, clock.schedule)
    simulator = AttenuatorWheel("attenuator", world, settings or {}, truth)
    return simulator, AttenuatorWheel.face(simulator.call), world


def test_the_scale_is_not_what_the_light_does() -> None:
    _, hand, world = wheel(density_scale_rel=1.1)
    hand.turn_to(0.01)
    assert hand.mark() == 0.01
    # Optical density 2 on the scale is 2.2.
    assert world.table.attenuation_rel == pytest.approx(10**-2.2)
    hand.turn_to(1.0)
    assert world.table.attenuation_rel == 1.0
    hand.turn_to(0.0)
    assert world.excitations() == 0.0


def test_it_stands_where_it_was_left() -> None:
    _, hand, world = wheel({"stands_at_uj_cm2": 2.0, "full_fluence_uj_cm2": 10.0})
    assert hand.mark() == pytest.approx(0.2)
    assert world.table.attenuation_rel == pytest.approx(0.2**1.01)
    _, hand, _ = wheel({"full_fluence_uj_cm2": 10.0})
    assert hand.mark() == 1.0


def test_it_can_stick() -> None:
    simulator, hand, _ = wheel()
    simulator.fault_stick()
    hand.turn_to(0.5)
    assert hand.mark() == 1.0
    simulator.clear_faults()
    hand.turn_to(0.5)
    assert hand.mark() == 0.5


def test_impossible_marks_and_actions() -> None:
    simulator, hand, _ = wheel()
    with pytest.raises(ValueError, match="no mark"):
        hand.turn_to(1.2)
    with pytest.raises(ValueError, match="nobody can"):
        simulator.call("paint", [])
