"""Stands for the class of a driver that calls a library, which lives in the library's process."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from labctl.transport.isolated._process import Isolation, LibraryProcess

__all__ = ["opened_in"]

_LOADING_S = 60.0
"""Loading a library and what it needs may take as long, s of wall time."""


class _Proxy:
    """Every method is carried out in the child; every other attribute is fetched from there."""

    def __init__(self, kind: Callable[..., Any], process: LibraryProcess) -> None:
        self._kind, self._process = kind, process

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if callable(getattr(self._kind, name, None)):
            return partial(self._call, name)
        return self._process.ask({"method": name}, name)

    def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        order = {"method": name, "arguments": list(arguments), "named": named}
        # Most of these classes have few methods, which are told what to call.
        what = " ".join([name, *(one for one in arguments[:1] if isinstance(one, str))])
        return self._process.ask(order, what)


def opened_in(
    process: LibraryProcess,
    kind: Callable[..., Any],
    device: str,
    isolation: Isolation,
    arguments: Sequence[Any],
    named: Mapping[str, Any],
) -> object:
    """Build ``kind(device, link, …)`` in the child; returns what stands for it here."""
    stand_in = isolation.stand_in
    order = {
        "path": list(sys.path),
        "kind": f"{kind.__module__}:{kind.__qualname__}",
        "device": device,
        "arguments": list(arguments),
        "named": dict(named),
        "stand_in": "" if stand_in is None else stand_in.build,
    }
    process.ask({"open": order}, "load the library", _LOADING_S)
    return _Proxy(kind, process)
