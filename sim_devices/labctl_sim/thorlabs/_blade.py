"""The blade of a beam shutter: it takes its time, and the world sees when it has moved."""

from collections.abc import Callable

from labctl_sim.world import World
from labctl_sim.world.photons import Bench


class Blade:
    """A normally closed blade in a beam.

    Args:
        world: The world.
        blocks: What it keeps light from: "excitation" (the sample), "detectors" (all of them), or
            the name of one detector.
        open_time_s: From the order to open until the beam passes.
        close_time_s: From the order to close until the beam is blocked.
    """

    def __init__(
        self, world: World, *, blocks: str, open_time_s: float, close_time_s: float
    ) -> None:
        self._world, self._blocks = world, blocks
        self._open_time_s = open_time_s
        self._close_time_s = close_time_s
        self._cancel: Callable[[], None] | None = None
        self.stuck = False
        self.is_open = False
        self._move()

    def order(self, *, is_open: bool) -> None:
        """Begin to move; an order not yet carried out is forgotten."""
        if self._cancel is not None:
            self._cancel()

        def arrive() -> None:
            self._cancel = None
            if not self.stuck:
                self.is_open = is_open
                self._move()

        delay_s = self._open_time_s if is_open else self._close_time_s
        self._cancel = self._world.after(delay_s, arrive)

    def _move(self) -> None:
        if self._blocks == "excitation":
            self._world.table.shutter_open = self.is_open
        else:
            before = "" if self._blocks == "detectors" else self._blocks
            Bench.of(self._world).set_shutter(before, is_open=self.is_open)
