"""Ctrl-C on a run: once after this point, twice now, thrice at once; always safe."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from labctl.events import Abort, Command, Stop

__all__ = ["commands_by_interrupt"]


@contextmanager
def commands_by_interrupt(
    post: Callable[[Command], None], say: Callable[[str], None]
) -> Generator[None]:
    """Turn interrupts of the terminal into commands while the block runs.

    SIGINT everywhere, and CTRL_BREAK on Windows, count alike; SIGTERM aborts.
    """
    presses = 0

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            post(Stop())
            say("stopping after this point; press again to abort now")
        elif presses == 2:
            post(Abort())
            say("aborting; press again to break off at once")
        elif presses == 3:
            # Only once: what follows is the clean-up, which must not be broken off.
            raise KeyboardInterrupt

    # CTRL_BREAK exists on Windows only.
    names = ("SIGINT", "SIGBREAK")
    kinds = [signal.Signals[name] for name in names if name in signal.Signals.__members__]
    before = {kind: signal.signal(kind, press) for kind in kinds}
    before[signal.SIGTERM] = signal.signal(
        signal.SIGTERM, lambda number, frame: post(Abort(reason="the program was told to end"))
    )
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
