"""A part that a person moves, and what its positions do to the light."""

from typing import Any

import pytest

from labctl_sim.manual import ManualSelector
from labctl_sim.world import World

POSITIONS = {"positions": ["sample", "scatterer"]}


def selector(world: World, settings: dict[str, Any] = POSITIONS, **truth: Any) -> ManualSelector:
    return ManualSelector("target", world, settings, truth)


def test_the_scatterer_stands_in_the_light_in_its_position_only(world: World) -> None:
    part = selector(world, scattered_per_pulse=3.0)
    hand = part.face(part.call)
    assert (hand.position(), world.table.scatterer) == ("sample", False)
    hand.move("scatterer")
    assert (hand.position(), world.table.scatterer) == ("scatterer", True)
    assert world.scattered_photons() == 3.0
    hand.move("sample")
    assert (hand.position(), world.table.scatterer) == ("sample", False)
    assert world.scattered_photons() == 0.0


def test_the_position_of_the_scatterer_may_have_another_name(world: World) -> None:
    settings = {"positions": ["mirror", "dot"]}
    part = selector(world, settings, scatterer_position="mirror")
    assert world.table.scatterer
    part.call("move", ["dot"])
    assert not world.table.scatterer


def test_a_part_without_scatterer_leaves_the_light_alone(world: World) -> None:
    target = selector(world)
    target.call("move", ["scatterer"])
    mirror = ManualSelector("mirror", world, {"positions": ["out", "in"]}, {})
    mirror.call("move", ["in"])
    assert mirror.call("position", []) == "in"
    assert world.table.scatterer


def test_unknown_positions_and_actions(world: World) -> None:
    part = selector(world)
    with pytest.raises(ValueError, match="position 'elsewhere' is none of sample, scatterer"):
        part.face(part.call).move("elsewhere")
    with pytest.raises(ValueError, match="nobody can 'juggle' with 1 things"):
        part.call("juggle", [3])


def test_a_stuck_part(world: World) -> None:
    part = selector(world)
    part.fault_stuck()
    part.call("move", ["scatterer"])
    assert (part.call("position", []), world.table.scatterer) == ("sample", False)
    part.clear_faults()
    part.call("move", ["scatterer"])
    assert world.table.scatterer
