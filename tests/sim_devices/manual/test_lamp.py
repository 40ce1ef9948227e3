"""The calibration lamp and the hand on it."""

import pytest

from labctl_sim.manual import CalibrationLamp
from labctl_sim.world import World


def test_on_and_off(world: World) -> None:
    lamp = CalibrationLamp("lamp", world, {}, {})
    hand = lamp.face(lamp.call)
    assert hand.state() is None
    hand.turn_on("neon")
    assert (hand.state(), world.table.lamp) == ("neon", "neon")
    hand.turn_on("mercury")
    assert hand.state() == "mercury"
    hand.turn_off()
    assert world.table.lamp is None


def test_unknown_lamps_and_actions(world: World) -> None:
    lamp = CalibrationLamp("lamp", world, {}, {})
    with pytest.raises(ValueError, match="lamp 'neno' is none of neon"):
        lamp.face(lamp.call).turn_on("neno")
    with pytest.raises(ValueError, match="nobody can 'juggle' with 1 things"):
        lamp.call("juggle", [3])


def test_a_dark_lamp(world: World) -> None:
    lamp = CalibrationLamp("lamp", world, {}, {})
    lamp.fault_dark()
    lamp.call("turn_on", ["neon"])
    assert world.table.lamp is None
    lamp.clear_faults()
    lamp.call("turn_on", ["neon"])
    assert world.table.lamp == "neon"
