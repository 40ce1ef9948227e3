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

    SIGINT everywhere, and CTRL_BREAK on Windows, count alike.
    """
    presses = 0

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            say("stopping after this point; press again to abort now")
            post(Stop())
        elif presses == 2:
            say("aborting; press again to break off at once")
            post(Abort())
        elif presses == 3:
            # Only once: what follows is the clean-up, which must not be broken off.
            raise KeyboardInterrupt

    # CTRL_BREAK exists on Windows only.
    names = ("SIGINT", "SIGBREAK")
    kinds = [signal.Signals[name] for name in names if name in signal.Signals.__members__]
    before = {kind: signal.signal(kind, press) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
