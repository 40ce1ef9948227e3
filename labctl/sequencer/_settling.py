"""Slow quantities: waited for by their settle rule, and brought back after a suspension."""

from typing import TYPE_CHECKING, Literal

from labctl.errors import LabctlError, NoReplyError
from labctl.roles import Settable, SettleRule, SettleWatch, Thermostat
from labctl.sequencer._control import BETWEEN, Skipped
from labctl.storage import Quality

if TYPE_CHECKING:
    from labctl.sequencer._session import Session

__all__ = ["OnTimeout", "Settling"]

OnTimeout = Literal["skip", "abort", "flag"]


class Settling:
    """Waits for the slow quantities of a session."""

    def __init__(self, session: "Session") -> None:
        """Nothing has been set yet."""
        self._session = session
        self._by: dict[str, tuple[SettleRule | None, OnTimeout]] = {}

    def settle(
        self, settable: Settable, value: float, rule: SettleRule | None, on_timeout: OnTimeout
    ) -> tuple[float, bool]:
        """Wait until a quantity that was set has settled.

        Returns:
            The mean over the dwell time, and whether it has settled.

        Raises:
            Skipped: It has not, and the recipe wants the step left out then.
            NoReplyError: It has not, and the recipe wants the run to end then.
        """
        self._by[settable.name] = rule, on_timeout
        session, clock = self._session, self._session.clock
        rule = rule or self._rule_of(settable)
        watch = SettleWatch(rule, value)
        began_s = clock.now()
        while not watch.settled():
            if clock.now() >= began_s + rule.timeout_s:
                return self._not_settled(settable, watch, on_timeout)
            self._await_beat(began_s, rule.poll_s)
            reading = session.read(settable.name)
            session.book.readings.add(settable.name, clock.now(), reading, settable.spec.unit)
            watch.add(clock.now(), reading)
            session.progress(f"{settable.name} {reading:.3f} -> {value:g} {settable.spec.unit}")
        self._tell_alarm(settable)
        return watch.mean(), True

    def restore(self, device: str = "") -> None:
        """Give everything slow its value again, and let it settle by its full rule.

        Args:
            device: Only what belongs to this instrument; empty: everything.
        """
        session = self._session
        for name, (rule, on_timeout) in list(self._by.items()):
            if device not in ("", name.partition(".")[0]):
                continue
            settable, value = session.station.settable(name), session.set_values[name][0]
            session.begin_move(settable, value)
            session.book.readings.forget(name)
            self.settle(settable, value, rule, on_timeout)

    def _tell_alarm(self, settable: Settable) -> str:
        """Say what the instrument itself complains of, if it does."""
        instrument = self._session.station[settable.name.partition(".")[0]]
        try:
            alarm = instrument.alarm()
        except LabctlError as error:
            alarm = f"its alarm cannot be read: {error}"
        if alarm:
            self._session.book.message("warning", instrument.name, f"alarm: {alarm}")
        return alarm

    def _rule_of(self, settable: Settable) -> SettleRule:
        instrument = self._session.station[settable.name.partition(".")[0]]
        return getattr(instrument, "settle_rule", Thermostat.settle_rule)

    def _await_beat(self, began_s: float, period_s: float) -> None:
        # Beats are counted from the start, so that the time that readings take does not add up.
        session = self._session
        beats = int((session.clock.now() - began_s) / period_s + 1e-9) + 1
        session.pass_time(lambda: False, began_s + beats * period_s, "the next reading", BETWEEN)

    def _not_settled(
        self, settable: Settable, watch: SettleWatch, on_timeout: OnTimeout
    ) -> tuple[float, bool]:
        unit, rule, session = settable.spec.unit, watch.rule, self._session
        text = (
            f"{settable.name} has not settled at {watch.target:g} {unit}"
            f" within {rule.timeout_s:g} s: {watch.describe(unit)}"
        )
        alarm = self._tell_alarm(settable)
        text = f"{text}; alarm: {alarm}" if alarm else text
        session.book.message("warning", settable.name, text)
        if on_timeout == "skip":
            raise Skipped(text)
        if on_timeout == "abort":
            device = settable.name.partition(".")[0]
            remedy = "give it more time, or a wider tolerance"
            raise NoReplyError(device, settable.name, text, remedy)
        session.doubt(settable.name, Quality.TEMPERATURE_UNSTABLE | Quality.TEMPERATURE_TIMEOUT)
        return session.read(settable.name), False
