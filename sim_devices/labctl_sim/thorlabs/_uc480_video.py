"""Free-running video: one frame after the other into a sequence of buffers, until stopped."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Video", "VideoFaults", "VideoWorld"]

Render = Callable[[float], NDArray[np.uint16]]
"""Makes the frame whose exposure began then, in world time, s."""


class VideoWorld(Protocol):
    """Time and events."""

    @property
    def now(self) -> Callable[[], float]:
        """World time, s."""
        ...

    def after(self, delay_s: float, action: Callable[[], None]) -> Callable[[], None]:
        """Carry out the action later; returns what cancels it."""
        ...


class VideoFaults:
    """What goes wrong with frames.

    Attributes:
        hangs: No frame comes any more.
        to_lose: So many frames are lost on the way.
    """

    def __init__(self) -> None:
        """Begin without."""
        self.hangs, self.to_lose = False, 0


class Video:
    """One run of the video."""

    def __init__(
        self,
        world: VideoWorld,
        faults: VideoFaults,
        render: Render,
        *,
        exposure_s: float,
        period_s: float,
        readout_s: float,
        buffers: list[int],
    ) -> None:
        """Start; the first exposure begins now. ``buffers`` are filled in turn."""
        self._world, self._faults, self._render = world, faults, render
        self._exposure_s, self._period_s, self._readout_s = exposure_s, period_s, readout_s
        self._buffers = buffers
        self._images: dict[int, tuple[int, NDArray[np.uint16]]] = {}
        self.count = self.lost = self._exposed = 0
        self._cancel: Callable[[], None] | None = None
        self._expose()

    @property
    def running(self) -> bool:
        """Whether frames still come."""
        return self._cancel is not None

    @property
    def filling(self) -> int:
        """Index in the sequence of the buffer that is filled next."""
        return self.count % len(self._buffers)

    @property
    def last(self) -> int:
        """Index in the sequence of the buffer that was filled last."""
        return (self.count - 1) % len(self._buffers) if self.count else 0

    def image(self, buffer: int) -> tuple[int, NDArray[np.uint16]] | None:
        """Return number and picture of the frame in a buffer; None: nothing has come there."""
        return self._images.get(buffer)

    def stop(self) -> None:
        """End; what has come stays readable."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _expose(self) -> None:
        began_s = self._world.now()

        def read_out() -> None:
            self._read_out(began_s)

        self._cancel = self._world.after(self._exposure_s + self._readout_s, read_out)

    def _read_out(self, began_s: float) -> None:
        self._exposed += 1
        if self._faults.to_lose:
            self._faults.to_lose -= 1
            self.lost += 1
        elif not self._faults.hangs:
            buffer = self._buffers[self.filling]
            self._images[buffer] = self._exposed, self._render(began_s)
            self.count += 1
        pause_s = max(0.0, self._period_s - self._exposure_s - self._readout_s)
        self._cancel = self._world.after(pause_s, self._expose)
