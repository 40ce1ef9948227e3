"""The small set-up with a stage, and the world's own log of where the sample has been."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from labctl.host import RunRequest
from labctl_sim.world import World
from small_setup import LEGACY, Bench

AXES = ("x", "y", "z")
Place = tuple[float, float, float]
_STAGES = {
    "attocube.anc350": "address: TCPIP::anc350.example::2101::SOCKET\n    tolerance: 0.1 um",
    "attocube.anc300": 'address: TCPIP::anc300.example::7230::SOCKET\n    password: "123456"',
}
_STAGE = """  stage:
    driver: DRIVER
    ADDRESS
    axes:
      x: {number: 0, step_voltage: 30 V, step_frequency: 1000 Hz, step_up: 0.1 um, step_down: 0.1 um}
      y: {number: 1, step_voltage: 30 V, step_frequency: 1000 Hz, step_up: 0.1 um, step_down: 0.1 um}
      z: {number: 2, step_voltage: 30 V, step_frequency: 1000 Hz, step_up: 0.1 um, step_down: 0.1 um}
    backlash: 1 um
    limits: {x: [-50 um, 50 um], y: [-50 um, 50 um], z: [-20 um, 20 um]}
    simulate: {truth: {drift: false}}
safe_state:"""  # noqa: E501 one axis per line


def request(bench: Bench, recipe: str, driver: str = "attocube.anc350") -> RunRequest:
    """Return the request for a recipe on the small set-up with this stage."""
    stage = _STAGE.replace("DRIVER", driver).replace("ADDRESS", _STAGES[driver])
    setup = bench.setup(LEGACY)
    text = setup.read_text("utf-8").replace("safe_state: [", f"{stage} [stage.stop, ")
    setup.write_text(text, "utf-8")
    return bench.request(setup=setup, recipe=bench.recipe(recipe))


@contextmanager
def places_log() -> Generator[list[Place]]:
    """Give the displacements of the sample, um, whatever moved it, as the world knows them."""
    log: list[Place] = []
    move: Any = World.move_stage

    def moved(world: World, axis: int, by_um: float) -> None:
        move(world, axis, by_um)
        if by_um and world.stage_um is not None:
            log.append(world.stage_um)

    with patch.object(World, "move_stage", moved):
        yield log
