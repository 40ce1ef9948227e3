"""Libraries that crash and hang: really, in the process that has them loaded."""

import ctypes
import functools
import os
import threading
from collections.abc import Callable
from typing import Any

from labctl_sim.libraries._library import VendorLibrary

__all__ = ["breakable", "broken"]

Call = Callable[[str, list[Any]], Any]

_LOOK_S = 0.01
_KEY = "the library"
_pause = threading.Event()


def broken(how: str) -> dict[str, str]:
    """Give the answer of a simulated instrument that breaks the library which asked for it.

    Args:
        how: ``hangs`` (until another answer comes), ``segfault`` or ``abort``.
    """
    return {_KEY: how}


def breakable(build: Callable[[Call], VendorLibrary]) -> Callable[[Call], VendorLibrary]:
    """Let the library that ``build`` makes heed such answers, wherever it is loaded."""

    @functools.wraps(build)
    def built(call: Call) -> VendorLibrary:
        def heeding(method: str, arguments: list[Any]) -> Any:
            while _is_broken(answer := call(method, arguments)):
                _suffer(answer[_KEY])
            return answer

        return build(heeding)

    return built


def _is_broken(answer: Any) -> bool:
    return isinstance(answer, dict) and _KEY in answer


def _suffer(how: str) -> None:
    if how == "hangs":
        # Nobody sets it; the client waits in a call that does not return.
        _pause.wait(_LOOK_S)
        return
    if how == "segfault":
        try:
            ctypes.string_at(0)
        except OSError:
            # Windows turns it into an exception, which the vendor's own code would not catch.
            os.abort()
    os.abort()
