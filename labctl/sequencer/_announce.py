"""Tells listeners what happens, each event with its number and both times."""

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from labctl.clock import Clock
from labctl.events import Event, unchecked
from labctl.measurements import Grown

__all__ = ["Announcer", "Listener", "Look"]

Listener = Callable[[Event], None]
Look = Callable[[str, Grown], None]
"""Is given the kind of measurement and what its point has come to so far."""

_LEAST_S, _SHARE = 0.25, 0.05
"""Growing points are shown no more often, s of life, and for no larger share of it."""


class Announcer:
    """Numbers events and hands them to the listeners.

    Displays are told by ``listeners``: one that fails is dropped and the run goes on. What must
    not fail (the journal) is not a listener; the session writes it first. ``look`` is shown points
    that grow; what nobody looks at costs nothing.
    """

    def __init__(
        self,
        run: str,
        clock: Clock,
        listeners: Iterable[Listener] = (),
        look: Look | None = None,
    ) -> None:
        """Announce events of the run with this uid."""
        self._look = look
        self._again_s = 0.0
        self._run, self._clock = run, clock
        self._seq = 0
        self._listeners = tuple(listeners)
        self.dropped: list[str] = []

    def add(self, listener: Listener) -> None:
        """Tell this listener from now on."""
        self._listeners = (*self._listeners, listener)

    def show(self, measurement: str, grown: Callable[[], Grown]) -> None:
        """Show what a point has come to so far, unless that was shown just now."""
        began_s = monotonic()
        if self._look is None or began_s < self._again_s:
            return
        try:
            self._look(measurement, grown())
        # Whatever becomes of a picture, the photons go on; and no more pictures are made.
        except Exception as error:
            self._look = None
            self.dropped.append(f"pictures of points that grow: {error!r}")
        now_s = monotonic()
        self._again_s = now_s + max(_LEAST_S, (now_s - began_s) / _SHARE)

    def tell(self, kind: type[Any], **fields: Any) -> None:
        """Make an event of this class, number it and hand it on."""
        self.tell_often(kind, fields, checked=True)

    def tell_often(self, kind: type[Any], fields: dict[str, Any], *, checked: bool = False) -> None:
        """Tell what every point tells, as fields that need no check; the event keeps the dict."""
        clock = self._clock
        fields["run"], fields["seq"] = self._run, self._seq
        fields["t_mono_s"], fields["t_utc"] = clock.now(), clock.utc()
        event: Event = kind(**fields) if checked else unchecked(kind, fields)
        self._seq += 1
        for listener in self._listeners:
            try:
                listener(event)
            # A display of any kind must not end a run.
            except Exception as error:
                self._listeners = tuple(one for one in self._listeners if one is not listener)
                self.dropped.append(f"{listener!r}: {error!r}")
