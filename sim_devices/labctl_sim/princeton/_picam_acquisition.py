"""A running acquisition: frames become ready as events of the world."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labctl_sim.princeton._picam_faults import Faults

__all__ = ["Acquisition", "FramePlan", "Scheduler", "Update"]

DATA_LOST, CONNECTION_LOST = 1, 2
"""Bits of the library's acquisition errors."""


class Scheduler(Protocol):
    """What an acquisition needs of the world."""

    @property
    def now(self) -> Callable[[], float]:
        """World time in seconds."""
        ...

    def after(self, delay_s: float, action: Callable[[], None]) -> Callable[[], None]:
        """Carry out the action later; returns what cancels it."""
        ...


@dataclass(frozen=True)
class FramePlan:
    """How the next frame is taken.

    Attributes:
        exposure_s: Exposure time.
        frame_s: From the start of this exposure to the start of the next one.
        render: Called at the end of the exposure with its start; gives (rows, columns) uint16.
        stamps: Bits of the time stamps behind the pixels: 1 exposure start, 2 its end.
        numbered: Whether the frame number follows.
        ticks_hz: Unit of the time stamps.
    """

    exposure_s: float
    frame_s: float
    render: Callable[[float], NDArray[np.uint16]]
    stamps: int
    numbered: bool
    ticks_hz: float


@dataclass(frozen=True)
class Update:
    """One answer to a wait for news.

    Attributes:
        first: Index of the first new readout in the ring.
        data: The new readouts, one after the other.
        count: Their number.
        running: Whether there is, or will be, more.
        errors: Acquisition errors since the last update.
    """

    first: int
    data: bytes
    count: int
    running: bool
    errors: int


class Acquisition:
    """Frames from start to the moment at which the client has fetched the last update.

    It counts as running until then, also when the last exposure is long over.
    """

    def __init__(
        self,
        world: Scheduler,
        faults: Faults,
        plan: Callable[[], FramePlan],
        *,
        frames: int,
        ring: int,
    ) -> None:
        """Start the first exposure now.

        Args:
            world: Clock and events.
            faults: Faults in force.
            plan: Asked at the start of each frame.
            frames: Number of readouts, 0 for no end.
            ring: Readouts that fit into the client's buffer.
        """
        self._world, self._faults, self._plan = world, faults, plan
        self._frames, self._ring = frames, ring
        self._began_s = world.now()
        self._taken = self._ready = self._fetched = 0
        self._slots: dict[int, bytes] = {}
        self._errors = 0
        self._over = self._told = False
        self.overrun = False
        self._cancel: Callable[[], None] = lambda: None
        self._expose(self._began_s)

    @property
    def running(self) -> bool:
        """Whether the client may still learn something new."""
        return not self._told

    def stop(self) -> None:
        """End the exposure; what was read out before can still be fetched."""
        self._cancel()
        self._over = True

    def lose(self) -> None:
        """The connection breaks."""
        self._errors |= CONNECTION_LOST
        self.stop()

    def update(self) -> Update | None:
        """Return what is new since the last call, None if nothing is.

        One update never runs over the end of the ring.
        """
        new = self._ready - self._fetched
        if self._told or not (new or self._errors or self._over):
            return None
        start = self._fetched % self._ring
        count = min(new, self._ring - start)
        data = b"".join(self._slots[slot] for slot in range(start, start + count))
        self._fetched += count
        running = not self._over or self._fetched < self._ready
        self._told = not running
        errors, self._errors = self._errors, 0
        return Update(start, data, count, running, errors)

    def _at(self, time_s: float, action: Callable[[], None]) -> None:
        self._cancel = self._world.after(max(0.0, time_s - self._world.now()), action)

    def _expose(self, start_s: float) -> None:
        plan = self._plan()
        self._at(start_s + plan.exposure_s, lambda: self._close(start_s, plan))

    def _close(self, start_s: float, plan: FramePlan) -> None:
        data = plan.render(start_s).astype("<u2").tobytes() + self._stamps(start_s, plan)
        next_s = start_s + plan.frame_s
        self._at(next_s, lambda: self._arrive(data, next_s))

    def _stamps(self, start_s: float, plan: FramePlan) -> bytes:
        opened_s = start_s - self._began_s
        values = [
            round(time_s * plan.ticks_hz)
            for bit, time_s in ((1, opened_s), (2, opened_s + plan.exposure_s))
            if plan.stamps & bit
        ]
        if plan.numbered:
            values.append(self._taken + 1)
        return b"".join(value.to_bytes(8, "little") for value in values)

    def _arrive(self, data: bytes, next_s: float) -> None:
        if self._faults.frames_stopped:
            return
        self._taken += 1
        if self._faults.drop > 0:
            self._faults.drop -= 1
            self._errors |= DATA_LOST
        else:
            self._slots[self._ready % self._ring] = data
            self._ready += 1
            self.overrun = self.overrun or self._ready - self._fetched > self._ring
        if self._taken == self._frames:
            self._over = True
        else:
            self._expose(next_s)
