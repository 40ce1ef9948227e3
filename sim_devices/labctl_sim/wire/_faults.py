"""Fault injection: kinds that every simulator knows, and those that a simulator adds itself.

A simulator adds a kind by a method ``fault_<kind>(**parameters)``; ``clear_faults()`` and
``reset()`` are used if it has them.
"""

import inspect
import threading
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from itertools import count
from typing import Any

import numpy as np

from labctl_sim.wire._faulty import faulty_opener
from labctl_sim.wire._rules import Rule, Rules
from labctl_sim.wire._session import Opener, Timeline

_PREFIX = "fault_"
_WIRED = {"drop": "_drop", "garble": "_garble", "late": "_late", "disconnect": "_go_away"}
_FOREVER_S = float("inf")
_CRASHES = ("segfault", "abort")


class Faults:
    """The faults of one instrument.

    Args:
        name: The instrument.
        simulator: The simulator; its own kinds and ``reset`` are found on it.
        timeline: The world.
        generator: Makes a seeded generator for a running number.
        disconnect: Ends the instrument's connections; None for one without a wire.
    """

    def __init__(
        self,
        name: str,
        simulator: object,
        timeline: Timeline,
        *,
        generator: Callable[[int], np.random.Generator],
        disconnect: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._simulator = simulator
        self._timeline = timeline
        self._generator = generator
        self._numbers = count()
        self._disconnect = disconnect
        self._rules = Rules()
        self._awake = threading.Event()
        self._awake.set()
        self._crashes: list[str] = []
        self._kinds: dict[str, Callable[..., None]] = {"clear": self.clear, "hang": self._hang}
        if _is_library(simulator):
            self._kinds["crash"] = self._crash
        if disconnect is not None:
            self._kinds |= {kind: getattr(self, method) for kind, method in _WIRED.items()}
        self._kinds |= _own_kinds(simulator)

    def kinds(self) -> Sequence[str]:
        """List the kinds that :meth:`inject` accepts."""
        return sorted(self._kinds)

    def inject(self, kind: str, **parameters: Any) -> None:
        """Bring a fault about, or get it ready for the next replies.

        Kinds with a wire: ``drop`` (the reply is lost), ``garble`` (it is spoilt; ``mode`` flip or
        cut), ``late`` (``delay_s``), each with ``times`` (default 1; None until cleared), ``after``
        (replies that pass first) and ``command`` (only replies to input that contains this text);
        ``disconnect`` (``for_s``: new connections end at once for so long); ``hang`` (``for_s``,
        default until cleared; without a wire a call does not return). Of a library ``crash``: the
        next calls (``times``) end the process that has it loaded (``how`` segfault or abort).
        Everywhere ``clear``; of the simulator ``reset`` and its own kinds, which win over these.

        Raises:
            ValueError: The kind or a parameter is unknown; the message lists what there is.
        """
        if kind not in self._kinds:
            close = get_close_matches(kind, self._kinds, 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            known = ", ".join(self.kinds())
            raise ValueError(f"{self._name} has no fault {kind!r}; {hint}there are {known}")
        action = self._kinds[kind]
        try:
            inspect.signature(action).bind(**parameters)
            action(**parameters)
        except TypeError as error:
            takes = ", ".join(inspect.signature(action).parameters) or "no parameters"
            raise ValueError(f"{self._name}, fault {kind!r}: {error}; it takes {takes}") from error

    def guard(self, opener: Opener) -> Opener:
        """Put the faults between a simulator's sessions and the wire."""
        return faulty_opener(
            self._timeline, self._rules, opener, lambda: self._generator(next(self._numbers))
        )

    def wait_awake(self) -> None:
        """Block while the instrument hangs: a library call that does not return (wall time)."""
        self._awake.wait()

    def strike(self) -> str:
        """Give what befalls the library in this call: ``hangs``, a kind of crash, or nothing."""
        if not self._awake.is_set():
            return "hangs"
        return self._crashes.pop() if self._crashes else ""

    def release(self) -> None:
        """Let calls that hang return, when the rig closes."""
        self._awake.set()

    def clear(self) -> None:
        """End every fault; calls that hang return."""
        self._rules.clear()
        self._crashes.clear()
        self._awake.set()
        clear_own: Any = getattr(self._simulator, "clear_faults", None)
        if clear_own is not None:
            clear_own()

    def _hang(self, for_s: float = _FOREVER_S) -> None:
        self._rules.hung_until_s = self._timeline.now() + for_s
        if self._disconnect is None:
            self._awake.clear()
            if for_s < _FOREVER_S:
                self._timeline.after(for_s, self._awake.set)

    def _crash(self, how: str = "segfault", times: int = 1) -> None:
        if how not in _CRASHES:
            known = " or ".join(_CRASHES)
            raise ValueError(f"{self._name}, fault 'crash': how is {known}, not {how!r}")
        self._crashes = [how] * times

    def _drop(self, times: int | None = 1, after: int = 0, command: str = "") -> None:
        self._rules.waiting.append(Rule("drop", times, after, command))

    def _garble(
        self, times: int | None = 1, after: int = 0, command: str = "", mode: str = "flip"
    ) -> None:
        if mode not in {"flip", "cut"}:
            raise ValueError(f"{self._name}, fault 'garble': mode is flip or cut, not {mode!r}")
        self._rules.waiting.append(Rule("garble", times, after, command, mode=mode))

    def _late(
        self, delay_s: float, times: int | None = 1, after: int = 0, command: str = ""
    ) -> None:
        self._rules.waiting.append(Rule("late", times, after, command, delay_s))

    def _go_away(self, for_s: float = 0.0) -> None:
        self._rules.away_until_s = self._timeline.now() + for_s
        if self._disconnect is not None:
            self._disconnect()


def fault_signatures(simulator_type: type[Any]) -> dict[str, inspect.Signature]:
    """Give the kinds that `Faults.inject` accepts for a simulator, and their parameters."""
    methods = {"clear": "clear", "hang": "_hang"}
    if simulator_type.interface in {"stream", "http"}:
        methods |= _WIRED
    if _is_library(simulator_type):
        methods["crash"] = "_crash"
    kinds: dict[str, Callable[..., None]] = {
        kind: getattr(Faults, method) for kind, method in methods.items()
    }
    kinds |= _own_kinds(simulator_type)
    return {kind: _without_self(inspect.signature(action)) for kind, action in kinds.items()}


def _without_self(signature: inspect.Signature) -> inspect.Signature:
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _own_kinds(simulator: object) -> dict[str, Callable[..., None]]:
    names = [name for name in dir(simulator) if name.startswith(_PREFIX)]
    kinds: dict[str, Callable[..., None]] = {
        name.removeprefix(_PREFIX): getattr(simulator, name) for name in names
    }
    reset: Callable[..., None] | None = getattr(simulator, "reset", None)
    return kinds if reset is None else {**kinds, "reset": reset}


def _is_library(simulator: object) -> bool:
    return getattr(simulator, "interface", "") == "library"
