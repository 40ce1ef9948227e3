"""Tells listeners what happens, each event with its number and both times."""

from collections.abc import Callable
from typing import Any

from labctl.clock import Clock
from labctl.events import Event, unchecked

__all__ = ["Announcer", "Listener"]

Listener = Callable[[Event], None]


class Announcer:
    """Numbers events and hands them to the listeners.

    Displays are told by ``listeners``: one that fails is dropped and the run goes on. What must
    not fail (the journal) is not a listener; the session writes it first.
    """

    def __init__(self, run: str, clock: Clock) -> None:
        """Announce events of the run with this uid."""
        self._run, self._clock = run, clock
        self._seq = 0
        self._listeners: list[Listener] = []
        self.dropped: list[str] = []

    def add(self, listener: Listener) -> None:
        """Tell this listener from now on."""
        self._listeners.append(listener)

    def tell(self, kind: type[Any], **fields: Any) -> None:
        """Make an event of this class, number it and hand it on."""
        self._hand_on(kind(**self._stamp(), **fields))

    def tell_often(self, kind: type[Any], fields: dict[str, Any]) -> None:
        """As ``tell``, but without checking the fields: for what every point tells."""
        self._hand_on(unchecked(kind, {**self._stamp(), **fields}))

    def _stamp(self) -> dict[str, Any]:
        clock = self._clock
        return {
            "run": self._run,
            "seq": self._seq,
            "t_mono_s": clock.now(),
            "t_utc": clock.utc(),
        }

    def _hand_on(self, event: Event) -> None:
        self._seq += 1
        for listener in tuple(self._listeners):
            try:
                listener(event)
            # A display of any kind must not end a run.
            except Exception as error:
                self._listeners.remove(listener)
                self.dropped.append(f"{listener!r}: {error!r}")
