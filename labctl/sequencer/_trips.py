"""What trips of interlocks and guards mean for a run: told, stored, waited for, or the end."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from labctl.errors import ProtectionError
from labctl.sequencer._control import HELD, STORING, Aborted, Suspended
from labctl.sequencer._guard import Guard
from labctl.sequencer._watches import Standing
from labctl.storage import Quality

if TYPE_CHECKING:
    from labctl.sequencer._session import Session

__all__ = ["Trips"]

_MOST = 10
"""So often a point may be suspended; then things go on and off, and a person has to look."""


class Trips:
    """Heeds the guard for a session."""

    def __init__(self, session: "Session", guard: Guard | None) -> None:
        """Without a guard nothing ever trips."""
        self._session, self._guard = session, guard
        self._bits = self._seen_bits = self._suspensions = 0
        self.news: Collection[Standing] = () if guard is None else guard.news
        """What has changed and was not heeded yet."""

    def begin(self) -> None:
        """Tell how everything stands; what has tripped before the run acts on it."""
        if self._guard is None:
            return
        self._guard.news.clear()
        for standing in self._guard.standings():
            # That all is well needs no record: the set-up is in the start record.
            self._session.book.interlock(standing, stored=standing.state == "tripped")
            self._act(standing)

    def heed(self) -> None:
        """Store and tell what has changed, and let it act; the light is off already."""
        while self._guard is not None and self._guard.news:
            standing = self._guard.news.popleft()
            self._session.book.interlock(standing)
            self._act(standing)

    def end(self) -> None:
        """Store what has latched by itself, where a measurement was told before the guard."""
        if self._guard is not None:
            self._guard.take_note()
            self.heed()

    def begin_point(self) -> None:
        """Count anew."""
        self._suspensions = 0

    def begin_attempt(self) -> None:
        """Forget what was bad before."""
        if self._guard is not None:
            self._guard.begin_point()

    def check(self) -> int:
        """Return the quality bits that a point has by now, before it is stored.

        Raises:
            Suspended: It must not be stored: something has tripped.
            LabctlError: It ends the run.
        """
        self.heed()
        self._session.control.raise_interruption(STORING)
        return self._bits | (0 if self._guard is None else self._guard.doubts())

    def stored(self) -> None:
        """Take note that the point which was suspended is stored."""
        self._bits = 0

    def suspend(self, *, in_point: bool = False) -> None:
        """Light off, wait until all is well again, bring the set-up back to where it was.

        Args:
            in_point: Whether a point was interrupted, which is measured again and marked.

        Raises:
            Aborted: It takes too long, happens again and again, or a command ends the run.
            LabctlError: Something trips meanwhile that ends the run.
        """
        self._suspensions += 1
        session = self._session
        while True:
            try:
                self._await_rearm()
                session.settling.restore()
                break
            except Suspended:
                continue
        if in_point:
            self._bits |= self._seen_bits | Quality.SUSPENDED_DURING
        self._seen_bits = 0
        if session.control.wants_pause():
            session.hold()

    def rearm(self, name: str) -> bool:
        """Release what a person means by a name; returns whether the guard knows it."""
        return self._guard is not None and self._guard.rearm(name)

    def _await_rearm(self) -> None:
        session, control, machine = (
            self._session,
            self._session.control,
            self._session.control.machine,
        )
        session.make_safe()
        control.release()
        tripped = self._suspending()
        reason = "; ".join(one.reason for one in tripped) or "an interlock"
        if machine.allows("trip"):
            machine.apply("trip")
        session.tell_news(reason)
        if self._suspensions > _MOST:
            raise Aborted(f"suspended {_MOST} times in one point, the last time by {reason}")
        wait_s = min((one.wait_s for one in tripped), default=0.0)
        if not session.pass_time(self._all_well, session.clock.now() + wait_s, reason, HELD):
            raise Aborted(f"not re-armed within {wait_s:g} s: {reason}")
        control.release()
        if machine.allows("rearm"):
            machine.apply("rearm")
            session.tell_news("interlocks are armed again")

    def _all_well(self) -> bool:
        self._session.rearm()
        return not self._suspending()

    def _suspending(self) -> list[Standing]:
        tripped = [] if self._guard is None else self._guard.tripped()
        return [one for one in tripped if one.action == "suspend"]

    def _act(self, standing: Standing) -> None:
        control = self._session.control
        if standing.state != "tripped":
            return
        reason = standing.reason
        match standing.action:
            case "suspend":
                self._seen_bits |= standing.bits
                control.trip(reason)
            case "abort":
                control.end(reason)
            case "close_light":
                remedy = "remove the cause, then re-arm"
                what = reason.removeprefix(f"{standing.device}: ")
                control.end(reason, ProtectionError(standing.device, what, remedy))
