"""A run in progress: what can be done in it, one step at a time.

The engine drives a session from a recipe's steps; a script drives one from its own loops.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import chain
from typing import Any

from numpy.typing import NDArray

from labctl.clock import Clock
from labctl.errors import (
    ConnectionLostError,
    DeviceRefusedError,
    GarbledReplyError,
    LabctlError,
    NoReplyError,
    RefusedError,
)
from labctl.events import MoveFinished, MoveStarted, Progress
from labctl.measurements import DOTS, Measurement, OpticalTable
from labctl.roles import Settable, SettleRule
from labctl.sequencer._book import Book, Status
from labctl.sequencer._control import (
    BETWEEN,
    DATA,
    HELD,
    MOVING,
    Control,
    Repeated,
    Skipped,
    Suspended,
    Wish,
)
from labctl.sequencer._dots import Dots
from labctl.sequencer._guard import Guard
from labctl.sequencer._links import Links
from labctl.sequencer._monitors import Monitors
from labctl.sequencer._past import Past
from labctl.sequencer._point import Point
from labctl.sequencer._settling import OnTimeout, Settling
from labctl.sequencer._shield import undisturbed
from labctl.sequencer._stages import Stages
from labctl.sequencer._trips import Trips
from labctl.sequencer._wall_clock import WallClock
from labctl.stations import SafeReport, Station

__all__ = ["OnTimeout", "Session"]

_BACK_OFF_S = (0.1, 0.5)
"""Before a reading is asked for again, s."""
_VERBS: dict[Status, tuple[str, str]] = {
    "complete": ("finish", "completed"),
    "aborted": ("abort", "aborted"),
    "failed": ("fail", "failed"),
}


class Session:
    """One run on one station."""

    def __init__(
        self,
        station: Station,
        book: Book,
        control: Control,
        *,
        calibrations: dict[str, dict[str, Any]],
        keep_calibration: Callable[[str, str, Mapping[str, Any]], None] | None = None,
        begin_point: Callable[[str], None] = lambda _: None,
        table: OpticalTable | None = None,
        guard: Guard | None = None,
    ) -> None:
        """``begin_point`` tells a simulated set-up which point is measured now.

        ``calibrations`` holds results by name and key; ``keep_calibration`` files new ones.
        ``guard`` looks at interlocks and detectors, and its trips are heeded.
        """
        self.station, self.book, self.control = station, book, control
        self.clock: Clock = book.clock
        self.calibrations = calibrations
        self.keep_calibration = keep_calibration
        self.begin_point = begin_point
        self.table = table or OpticalTable()
        self.stages = Stages(self)
        self.dots = Dots(self)
        self.trips = Trips(self, guard)
        self.settling = Settling(self)
        self.wall_clock = WallClock(self.clock, book)
        self.links = Links(self)
        self.memory: dict[str, float] = {}
        self.arrays: dict[str, NDArray[Any]] = {}
        self.news: dict[str, float] = {}
        """What of ``memory`` is not in the journal yet."""
        self.flags = 0
        """Quality bits of every point that is stored now."""
        self.set_values: dict[str, tuple[float, str]] = {}
        # Every point asks for the same few.
        self._settable = cache(station.settable)
        self.companions = cache(station.companions)
        self._quality: dict[str, int] = {}
        self.monitors = Monitors(self)
        self._warned: set[tuple[str, str]] = set()
        self.asked_again = False
        self._announced = control.machine.state
        self._doing: tuple[str, *tuple[Any, ...]] = ("",)
        """How to say what was begun last, and of what: every step begins, few are told of."""
        self.measuring = False
        """Whether a point is being measured now; light is let in at no other time."""

    # -- beginning and end ---------------------------------------------------------------------

    def start(self, data: Mapping[str, Any], monitors: Mapping[str, float]) -> None:
        """Store the start record, then begin; ``monitors`` maps readables to periods in s."""
        self._apply_calibrations()
        self.book.start(data)
        self._begin(monitors)

    def go_on(self, data: Mapping[str, Any], past: Past, monitors: Mapping[str, float]) -> None:
        """Begin a later segment of a run instead; ``data`` is the content of its first record."""
        self._apply_calibrations()
        self.memory.update(past.memory)
        self.arrays.update(past.arrays)
        self.dots.note(DOTS, past.dots)
        self.book.go_on(data, past.start, past.points)
        self._begin(monitors)

    @property
    def doing(self) -> str:
        """What was begun last, in words, for the report of a failure."""
        words, *fields = self._doing
        return " ".join(words.format(*fields).split())

    def _begin(self, monitors: Mapping[str, float]) -> None:
        self.control.machine.apply("start")
        self.tell_news()
        self.trips.begin()
        self.monitors.begin(monitors)

    def finish(self, status: Status, reason: str, safe: Iterable[SafeReport]) -> None:
        """Store how the run ended; everything has been made safe before.

        Args:
            status: How it ended.
            reason: In words.
            safe: What became of the safe state.

        Raises:
            StorageError: It could not be stored; the journal is closed all the same.
        """
        self.monitors.end()
        try:
            self._tell_safe(safe)
            self.trips.end()
            self.tell_news()
            machine = self.control.machine
            begin, end = _VERBS[status]
            if machine.allows(begin):
                machine.apply(begin)
                self.tell_news(reason)
            machine.apply(end)
            self.tell_news(reason)
            self.dots.keep_doses()
            self.book.tell_dropped()
            self.book.stop(status, reason, self.station.snapshot())
        finally:
            self.book.close()

    def make_safe(self) -> list[SafeReport]:
        """Carry out the safe state; what could not be verified is said loudly."""
        with undisturbed():
            reports = self.station.make_safe()
        self._tell_safe(reports)
        return reports

    def _tell_safe(self, reports: Iterable[SafeReport]) -> None:
        for report in reports:
            if report.error:
                self.book.message("error", report.action, f"NOT SAFE: {report.error}")

    # -- steps -----------------------------------------------------------------------------------

    def move(
        self,
        name: str,
        value: float,
        rule: SettleRule | None = None,
        on_timeout: OnTimeout = "abort",
    ) -> float:
        """Give ``instrument.quantity`` a value and wait until it has arrived.

        Returns:
            The read-back (the mean over the dwell time where a settle rule decides).
        """
        while True:
            try:
                return self._move(name, value, rule, on_timeout)
            except Suspended:
                self.trips.suspend()
            except ConnectionLostError as error:
                self.make_safe()
                self.links.recover(error)

    def _move(
        self, name: str, value: float, rule: SettleRule | None, on_timeout: OnTimeout
    ) -> float:
        settable = self._settable(name)
        unit = settable.spec.unit
        began_s = self.clock.now()
        self._doing = "setting {} to {:g} {}", name, value, unit
        tell = self.book.announcer.tell_often
        tell(MoveStarted, {"settable": name, "value": float(value), "units": unit})
        self._quality.pop(name, None)
        self.begin_move(settable, value)
        # A move may take no time at all, and what was read before it belongs to the point before.
        self.book.readings.forget(name, *self.companions(name))
        if settable.spec.settles:
            found, settled = self.settling.settle(settable, value, rule, on_timeout)
        else:
            found, settled = self.stages.arrive(settable, value), True
            self.stages.doubt_reckoned(settable)
        told = {
            "settable": name,
            "value": float(found),
            "units": unit,
            "seconds": self.clock.now() - began_s,
            "settled": settled,
        }
        tell(MoveFinished, told)
        return found

    def arrive(self, settable: Settable, value: float) -> float:
        """Start a fast move of a measurement, wait for its end, and read back."""
        self._quality.pop(settable.name, None)
        settable.start(value)
        return self.stages.arrive(settable, value)

    def wait_for(self, settable: Settable) -> None:
        """Wait for the end of a move that has been started."""
        self.wait_until(
            settable.arrived, timeout_s=settable.spec.timeout_s, what=f"{settable.name} to arrive"
        )

    def measure(
        self, measurement: Measurement, *, step_id: str, label: str = "", attempt: int = 0
    ) -> None:
        """Measure and store one point; after a pause with *repeat* it is measured anew.

        ``attempt`` is above 0 if earlier attempts are stored already.
        """
        self.measuring = True
        self._doing = "measuring {} {} (step {})", measurement.kind, label, step_id
        try:
            self._measure(measurement, step_id, label, attempt)
        finally:
            self.measuring = False

    def _measure(self, measurement: Measurement, step_id: str, label: str, attempt: int) -> None:
        self.stages.begin_point()
        self.trips.begin_point()
        self.links.begin_point()
        while True:
            point = Point(self, measurement, step_id=step_id, label=label, attempt=attempt)
            try:
                point.measure()
                return
            except Repeated:
                self.make_safe()
                attempt += 1
                self.hold()
            except Suspended:
                attempt += 1
                self.trips.suspend(in_point=True)
            except (NoReplyError, GarbledReplyError) as error:
                self.make_safe()
                attempt += 1
                self.links.recover(error)
            except BaseException as reason:
                # Excitation off comes before everything else, whatever went wrong.
                self.make_safe()
                if isinstance(reason, Skipped):
                    self.control.step_over()
                raise

    def wait(self, seconds: float) -> None:
        """Let lab time pass."""
        end_s = self.clock.now() + seconds
        while self.clock.now() < end_s:
            try:
                self.pass_time(lambda: False, end_s, f"wait of {seconds:g} s", BETWEEN)
            except Suspended:
                self.trips.suspend()

    def let_pass(self, seconds: float, *, what: str, bankable: bool = False) -> None:
        """Let time pass inside a measurement; ``bankable`` as in ``wait_until``."""
        end_s = self.clock.now() + seconds
        self.pass_time(lambda: False, end_s, what, DATA if bankable else MOVING)

    def read(self, name: str) -> float:
        """Read ``instrument.quantity``; asks again if no answer or a garbled one comes.

        Raises:
            DeviceError: The third answer was no better, or the instrument refuses.
        """
        for back_off_s in _BACK_OFF_S:
            try:
                value = self.station.read(name)
            except (NoReplyError, GarbledReplyError) as error:
                self.links.ask_again(error, back_off_s)
                continue
            if self.links.silent:
                self.links.silent.discard(name.partition(".")[0])
            return value
        try:
            return self.station.read(name)
        except (NoReplyError, GarbledReplyError) as error:
            self.links.asked_enough = error
            raise

    def calibrated(self, name: str, key: str, result: Mapping[str, Any], step_id: str) -> None:
        """Keep a calibration: journal it, and use it from now on."""
        self.calibrations.setdefault(name, {})[key] = dict(result)
        self._apply_calibrations(name)
        self.book.calibration(name, key, result, step_id)
        if self.keep_calibration is not None:
            self.keep_calibration(name, key, result)

    def _apply_calibrations(self, wanted: str = "") -> None:
        """Let instruments believe what is known of them by a calibration; empty: by all."""
        for device in (self.station[name] for name in self.station):
            for name in dict.fromkeys(chain.from_iterable(device.calibrated_by.values())):
                result = self.calibrations.get(name, {}).get(device.name)
                if result is not None and wanted in ("", name):
                    device.use_calibration(name, result)

    # -- between steps ---------------------------------------------------------------------------

    def checkpoint(self) -> None:
        """Between two steps: pause, stop or re-arm if that was asked for.

        Raises:
            Aborted: The run shall end here.
            Skipped: The next step shall be left out.
        """
        while not self._undisturbed():
            if self.control.wants_pause():
                self.hold()
            if self.control.rearm:
                self.rearm()
            if self._has_news():
                self.tell_news()
            try:
                self.control.raise_interruption(BETWEEN)
                return
            except Suspended:
                self.trips.suspend()

    def hold(self) -> None:
        """Pause: light off, then wait for a command. Virtual time stands still meanwhile.

        Raises:
            Aborted: The pause was ended by an abort or a stop.
        """
        self.make_safe()
        machine = self.control.machine
        while self.control.wants_pause():
            if machine.allows("paused"):
                machine.apply("paused")
            self.tell_news()
            self.rearm()
            if self.clock.virtual:
                self.control.wait_for_command(0.5)
            else:
                self.clock.sleep(0.05)
        self.tell_news()
        self.control.raise_interruption(HELD)

    def wait_until(
        self, ready: Callable[[], bool], *, timeout_s: float, what: str, bankable: bool = False
    ) -> None:
        """Let time pass until ``ready()``; commands interrupt.

        Args:
            ready: Asked again after everything that happens.
            timeout_s: Longest time, s.
            what: What is waited for; begins with the name of the device.
            bankable: Whether data come in meanwhile, so that a pause, repeat or skip may break
                it off. Otherwise an instrument moves, and only an abort does.

        Raises:
            NoReplyError: Not within ``timeout_s``.
            Interruption: What a command wants instead.
        """
        heeded = DATA if bankable else MOVING
        if self._undisturbed() and ready():
            # What happens while an instrument is asked may interrupt, too.
            self.control.raise_interruption(heeded)
        elif not self.pass_time(ready, self.clock.now() + timeout_s, what, heeded):
            device, _, wanted = what.replace(".", " ", 1).partition(" ")
            raise NoReplyError(device, wanted, f"not within {timeout_s:g} s", "is it stuck?")

    def doubt(self, name: str, bits: int) -> None:
        """Mark the points that follow, until ``instrument.quantity`` is moved again."""
        self._quality[name] = bits

    def quality(self) -> int:
        """Return the quality bits that the moves so far leave on the next point."""
        bits = self.flags
        for bit in self._quality.values():
            bits |= bit
        return bits

    def warn_once(self, device: str, text: str) -> None:
        """Warn the user, but only the first time in this run."""
        if (device, text) not in self._warned:
            self._warned.add((device, text))
            self.book.message("warning", device, text)

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Tell displays how far the present step has come."""
        self.book.announcer.tell(Progress, text=text, fraction=fraction)

    def pass_time(
        self, ready: Callable[[], bool], deadline_s: float, what: str, heeded: Wish
    ) -> bool:
        """Let time pass until ``ready()`` or the deadline; returns whether it was ready."""
        control = self.control

        def ended() -> bool:
            interrupted = control.interrupts(heeded)
            if self._has_news():
                self.tell_news()
                # News of a guard may end the wait.
                interrupted = control.interrupts(heeded)
            return interrupted or ready()

        done = self.clock.wait_until(ended, deadline_s=deadline_s, what=what)
        control.raise_interruption(heeded)
        return done

    def begin_move(self, settable: Settable, value: float) -> None:
        """Give a settable a value, which holds from now on; nothing here waits."""
        name = settable.name
        before = self.set_values.get(name)
        self.set_values[name] = (value, settable.spec.unit)
        try:
            settable.start(value)
        except (RefusedError, DeviceRefusedError):
            # Nothing was sent or taken, and a script may go on after this.
            del self.set_values[name]
            if before is not None:
                self.set_values[name] = before
            raise

    def _undisturbed(self) -> bool:
        """Whether nobody wants anything and nothing has changed."""
        control = self.control
        state = control.machine.state
        return control.is_idle() and state == self._announced and not self.trips.news

    def _has_news(self) -> bool:
        control = self.control
        changed = control.machine.state != self._announced or control.refused
        return bool(changed or self.trips.news)

    def tell_news(self, reason: str = "") -> None:
        """Store and tell what has changed: interlocks, the state, what was refused."""
        self.trips.heed()
        machine = self.control.machine
        if machine.state != self._announced:
            self._announced = machine.state
            self.book.state(machine, reason)
        while self.control.refused:
            self.book.message("warning", "run", self.control.refused.popleft())

    def rearm(self) -> None:
        """Release what a person has asked to re-arm."""
        while self.control.rearm:
            name = self.control.rearm.popleft()
            try:
                if not self.trips.rearm(name):
                    self.station[name].rearm()
                self.book.message("info", name, "guard re-armed by the user")
            except LabctlError as error:
                self.book.message("warning", name, str(error))
