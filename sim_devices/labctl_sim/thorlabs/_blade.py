"""The blade of a beam shutter: it takes its time, and the world sees when it has moved."""

from collections.abc import Callable

from labctl_sim.world import World


class Blade:
    """A normally closed blade in the excitation beam.

    Args:
        world: The world; its excitation shutter is this one.
        open_time_s: From the order to open until the beam passes.
        close_time_s: From the order to close until the beam is blocked.
    """

    def __init__(self, world: World, *, open_time_s: float, close_time_s: float) -> None:
        self._world = world
        self._open_time_s = open_time_s
        self._close_time_s = close_time_s
        self._cancel: Callable[[], None] | None = None
        self.stuck = False
        self.is_open = False
        world.table.shutter_open = False

    def order(self, *, is_open: bool) -> None:
        """Begin to move; an order not yet carried out is forgotten."""
        if self._cancel is not None:
            self._cancel()

        def arrive() -> None:
            self._cancel = None
            if not self.stuck:
                self.is_open = is_open
                self._world.table.shutter_open = is_open

        delay_s = self._open_time_s if is_open else self._close_time_s
        self._cancel = self._world.after(delay_s, arrive)
