"""Keeps Ctrl-C away from what must not be broken off."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

__all__ = ["undisturbed"]


@contextmanager
def undisturbed() -> Generator[None]:
    """Let interrupts of the terminal pass without effect while the block makes the set-up safe.

    Only the main thread is ever interrupted; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # CTRL_BREAK exists on Windows only.
    names = ("SIGINT", "SIGBREAK")
    kinds = [signal.Signals[name] for name in names if name in signal.Signals.__members__]
    before = {kind: signal.signal(kind, _ignore) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            # None: installed by other than Python code, which cannot be put back from here.
            signal.signal(kind, signal.SIG_DFL if handler is None else handler)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing; unlike SIG_IGN, this is not inherited by child processes."""
