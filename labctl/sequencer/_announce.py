"""Tells listeners what happens, each event with its number and both times."""

from collections.abc import Callable, Iterable
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

    def __init__(self, run: str, clock: Clock, listeners: Iterable[Listener] = ()) -> None:
        """Announce events of the run with this uid."""
        self._run, self._clock = run, clock
        self._seq = 0
        self._listeners = tuple(listeners)
        self.dropped: list[str] = []

    def add(self, listener: Listener) -> None:
        """Tell this listener from now on."""
        self._listeners = (*self._listeners, listener)

    def tell(self, kind: type[Any], **fields: Any) -> None:
        """Make an event of this class, number it and hand it on."""
        self._hand_on(kind(**self._stamped(fields)))

    def tell_often(self, kind: type[Any], **fields: Any) -> None:
        """As ``tell``, but without checking the fields: for what every point tells."""
        self._hand_on(unchecked(kind, self._stamped(fields)))

    def _stamped(self, fields: dict[str, Any]) -> dict[str, Any]:
        clock = self._clock
        fields["run"] = self._run
        fields["seq"] = self._seq
        fields["t_mono_s"] = clock.now()
        fields["t_utc"] = clock.utc()
        return fields

    def _hand_on(self, event: Event) -> None:
        self._seq += 1
        for listener in self._listeners:
            try:
                listener(event)
            # A display of any kind must not end a run.
            except Exception as error:
                self._listeners = tuple(one for one in self._listeners if one is not listener)
                self.dropped.append(f"{listener!r}: {error!r}")
