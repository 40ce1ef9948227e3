"""The set-up in a user's own Python: ``with labctl.station("setup.yaml") as lab:``.

A script uses the same session as a recipe: same journal, safe state, monitors and file.
"""

import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labctl.clock import Clock
from labctl.errors import RefusedError, StorageError
from labctl.events import Command
from labctl.host._connection import Connection, SimulatedBy, connect_station
from labctl.host._past import script_past
from labctl.host._retrace import Retrace
from labctl.host._runner import Plan, RunReport, Watched, open_run, unwatched
from labctl.host._supervised import supervised
from labctl.host._supervisor import SetupFiles
from labctl.host._unstored import unstored_session
from labctl.measurements import FoundDot, Measurement
from labctl.recipes import DotChoice
from labctl.roles import Camera, Cryostat, Instrument, Lamp, SettleRule, Shutter, Spectrograph
from labctl.sequencer import (
    Aborted,
    Control,
    Guard,
    Listener,
    OnTimeout,
    Session,
    Skipped,
    undisturbed,
)
from labctl.setup import Setup, load_setup
from labctl.stations import SafeReport, Station
from labctl.storage import PointFollower, Run, read_run

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CryostatHandle", "Lab", "ScriptRun", "station"]


class CryostatHandle:
    """The cryostat of a script: setting a temperature can wait until it has settled."""

    def __init__(self, lab: "Lab", cryostat: Cryostat) -> None:
        """Wrap the driver; every other attribute is the driver's own."""
        self._lab, self._cryostat = lab, cryostat

    def set_temperature(
        self,
        kelvin: float,
        *,
        wait: bool = True,
        settle: SettleRule | None = None,
        on_timeout: OnTimeout = "abort",
    ) -> float:
        """Set the sample's temperature.

        Args:
            kelvin: Set point, K.
            wait: Whether to return only when it has settled.
            settle: Settle rule; None: that of the role.
            on_timeout: What a temperature that does not settle does to the run.

        Returns:
            The mean reading over the dwell time, K (the present reading without ``wait``).
        """
        if wait:
            name = f"{self._cryostat.name}.temperature"
            return self._lab.set(name, kelvin, settle=settle, on_timeout=on_timeout)
        self._cryostat.start_temperature(kelvin)
        return self._cryostat.read_temperature()

    def __repr__(self) -> str:
        """Return what a notebook shows, that of the driver."""
        return repr(self._cryostat)

    def __dir__(self) -> list[str]:
        """Return what completion offers: the driver's own, too."""
        return sorted({*super().__dir__(), *dir(self._cryostat)})

    def temperature(self) -> float:
        """Return the present temperature nearest the sample, K."""
        return self._cryostat.read_temperature()

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the driver."""
        return getattr(self._cryostat, name)


class ScriptRun:
    """A run that a script has opened."""

    def __init__(self, lab: "Lab", session: Session, report: RunReport) -> None:
        """Hand out what the script may do."""
        self._lab, self._session, self._report = lab, session, report

    def __repr__(self) -> str:
        """Return what a notebook shows."""
        status = "going on" if self._lab.holds(self._session) else self.status
        return f"<run {self.uid}, {status}: {self.product or self.journal}>"

    @property
    def uid(self) -> str:
        """Uid of the run."""
        return self._report.uid

    @property
    def journal(self) -> Path:
        """Where it is stored while it goes on."""
        return self._report.journal

    @property
    def product(self) -> Path | None:
        """The finished file; None while the run goes on."""
        return self._report.product

    @property
    def status(self) -> str:
        """``complete``, ``aborted`` or ``failed``, once the run has ended."""
        return self._report.outcome.status

    def note(self, text: str) -> None:
        """Store a remark with the run."""
        self._session.book.message("info", "note", text)

    def data(self) -> Run:
        """Return what has been stored so far."""
        return read_run(self._report.product or self._report.journal)


class Lab:
    """A connected set-up, its instruments by their names in the set-up file."""

    cryostat: CryostatHandle
    spectrograph: Spectrograph
    camera: Camera
    shutter: Shutter
    lamp: Lamp

    def __init__(
        self,
        setup: Setup,
        connection: Connection,
        *,
        out: Path | None,
        by: SimulatedBy | None,
        listeners: Iterable[Listener],
        watched: Watched = unwatched,
    ) -> None:
        """Take over a connected station; use ``labctl.station`` to make one."""
        self.setup = setup
        self._connection, self._out, self._by = connection, out, by
        self._listeners, self._watched = tuple(listeners), watched
        self._control: Control | None = None
        self._session: Session | None = None
        self._points: PointFollower | None = None
        self._retrace: Retrace | None = None
        self._steps = self._moves = 0
        for name in connection.station:
            setattr(self, name, self._handle(connection.station[name]))

    def __repr__(self) -> str:
        """Return what a notebook shows."""
        names = ", ".join(self.station)
        now = "no run is open" if self._session is None else "a run is open"
        return f"<Lab {self.setup.name!r}, {now}; instruments: {names}>"

    @property
    def station(self) -> Station:
        """The connected station."""
        return self._connection.station

    def holds(self, session: Session) -> bool:
        """Return whether a session is that of the run that is open."""
        return self._session is session

    @property
    def guard(self) -> Guard:
        """What looks at interlocks and detectors, in runs and between them.

        ``lab.guard.standings()`` tells how everything stands, ``lab.guard.rearm("apd_1")``
        releases what has latched, after a person has looked.
        """
        return self._connection.guard

    @property
    def clock(self) -> Clock:
        """The clock of the set-up; ``lab.wait`` waits by it."""
        return self._connection.clock

    @contextmanager
    def run(
        self,
        name: str,
        *,
        sample: str = "",
        dot: str = "",
        points: int | None = None,
        resume: str | Path | None = None,
        accept: bool = False,
    ) -> Generator[ScriptRun]:
        """Open a run around ordinary loops; everything measured inside is stored in it.

        Whatever ends the block (its end, Ctrl-C, an exception) makes the set-up safe first, then
        stores how the run ended, then builds its file. Ctrl-C and exceptions go on to the script.

        Args:
            name: Name of the run.
            sample: Name of the sample, for the file; empty: that of the set-up.
            dot: Name of the dot, for the file; empty: the simulated one.
            points: Number of points, if known; displays show the progress by it.
            resume: A run of this script that was broken off, to go on with. What it did then is
                passed over: ``measure`` returns what is stored, ``set`` moves nothing, until the
                script comes to where it was; there the set-up is led back, and the last point is
                taken once more to show what has changed.
            accept: Whether differences of the set-up between then and now are accepted.

        Raises:
            ConfigError: The run to go on with is complete, comes from a recipe, or differs.
            RefusedError: A run is open already, or the script does something else than then.
            LabctlError: What ended the block.
        """
        if self._session is not None:
            raise RefusedError("run", "a run is already open", "close it first")
        plan = self._plan(name, sample, dot, points)
        past = None if resume is None else script_past(Path(resume))
        self._retrace = None if past is None else Retrace(past)
        self._control = Control()
        self._steps = self._moves = 0
        try:
            with open_run(
                self._connection,
                self.setup,
                plan,
                out=self._out,
                control=self._control,
                listeners=self._listeners,
                past=past,
                accept=accept,
                watched=self._watched,
            ) as live:
                self._session = live.session
                self._points = PointFollower(live.report.journal)
                yield ScriptRun(self, live.session, live.report)
                if self._retrace is not None:
                    self._retrace.end()
                live.session.checkpoint()
        finally:
            self._session = self._control = self._points = self._retrace = None
        if live.report.outcome.error is not None:
            raise live.report.outcome.error

    def measure(self, measurement: Measurement, *, label: str = "") -> "xr.Dataset":
        """Measure one point and store it.

        Outside a run, a run of this one point is made, because nothing measured is ever lost.

        Returns:
            The stored point, named coordinates with units.
        """
        if self._session is None:
            with self.run(measurement.kind, points=1) as run:
                return self._measure(measurement, label)
            raise Aborted(run.status)
        return self._measure(measurement, label)

    def set(
        self,
        settable: str,
        value: float,
        *,
        settle: SettleRule | None = None,
        on_timeout: OnTimeout = "abort",
    ) -> float:
        """Give ``instrument.quantity`` a value and wait for it; returns the read-back.

        Outside a run nothing is stored; the next run's snapshot tells how things stand.

        Args:
            settable: Like ``"spectrograph.wavelength"``.
            value: In the unit of the settable.
            settle: When a slow quantity counts as arrived; None: as its role says.
            on_timeout: If it has not settled in time, ``abort`` raises NoReplyError, ``skip``
                raises ``labctl.sequencer.Skipped``, ``flag`` goes on and marks the points.
        """
        if self._session is None:
            with unstored_session(self.station, self.clock) as session:
                return session.move(settable, value, settle, on_timeout)
        self._session.checkpoint()
        step_id = f"script/set/{self._moves}"
        self._moves += 1
        if self._retrace is not None and self._retrace.passing:
            return self._retrace.set(self._session, step_id, (settable, value, settle, on_timeout))
        try:
            return self._session.move(settable, value, settle, on_timeout)
        except Skipped:
            text = f"step {step_id} skipped: {settable} did not arrive at {value:g}"
            self._session.book.message("warning", "run", text, skipped_step=step_id)
            raise

    def wait(self, seconds: float) -> None:
        """Let lab time pass."""
        if self._session is None:
            self.clock.sleep(seconds)
        elif self._retrace is None or not self._retrace.passing:
            self._session.wait(seconds)

    def dots(
        self, *, at_most: int = 1000, least_share: float = 0.3, brightest_first: bool = True
    ) -> Generator[FoundDot]:
        """Go to the dots of the last map of the open run, one after the other.

        A dot that is gone or bleached is left out; a message of the run says why. What is measured
        inside the loop is stored with the name and place of the dot.

        Args:
            at_most: Largest number of dots: the brightest ones.
            least_share: A dot dimmer than this share of its brightness on the map is gone; of
                dots in a wide field, of what brightness there has meant for most dots so far.
            brightest_first: Their order; otherwise each is the nearest of those left.

        Raises:
            RefusedError: No run is open.
        """
        if self._session is None:
            raise RefusedError("run", "dots belong to a run", "open one, and map in it")
        if self._retrace is not None and self._retrace.passing:
            hint = "a recipe with a loop over dots can go on"
            raise RefusedError("run", "a script cannot go on behind a loop over dots", hint)
        order = {"brightest_first": brightest_first, "least_share": least_share}
        choice = DotChoice.model_validate({"at_most": at_most, **order})
        yield from self._session.dots.each(choice, step_id="script/dots")

    def post(self, command: Command) -> None:
        """Hand the open run a command; safe from any thread and from signal handlers."""
        if self._control is not None:
            self._control.post(command)

    def make_safe(self) -> list[SafeReport]:
        """Carry out the safe state now; the reports say what could not be verified."""
        with undisturbed():
            return self.station.make_safe()

    def _measure(self, measurement: Measurement, label: str) -> "xr.Dataset":
        session, points = self._session, self._points
        if session is None or points is None:
            raise RefusedError("run", "the run has ended", "measure inside its block")
        session.checkpoint()
        step_id = f"script/{self._steps}"
        self._steps += 1
        if self._retrace is not None and self._retrace.passing:
            return self._retrace.measure(session, step_id, measurement, label)
        session.measure(measurement, step_id=step_id, label=label)
        found = points.newest()
        if found is None:
            message = f"the point that was just measured is not in {points.path}"
            raise StorageError(message)
        return found

    def _handle(self, instrument: Instrument) -> Any:
        return CryostatHandle(self, instrument) if isinstance(instrument, Cryostat) else instrument

    def _plan(self, name: str, sample: str, dot: str, points: int | None) -> Plan:
        script = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "interactive"
        by = self._by
        return Plan(
            name=name,
            recipe={"script": script},
            points=points,
            sample=sample or self.setup.sample_name,
            dot=dot or (by.dot if by else ""),
            seed=by.seed if by else None,
        )


@contextmanager
def station(
    setup: str | Path,
    *,
    simulate: bool = False,
    sample: str | Path | None = None,
    dot: str = "",
    seed: int = 0,
    speed: float | None = None,
    out: str | Path | None = None,
    changes: Sequence[str] = (),
    listeners: Iterable[Listener] = (),
) -> Generator[Lab]:
    """Connect a set-up and hand it to a script.

    Args:
        setup: Set-up file.
        simulate: Whether every instrument is replaced by its simulator.
        sample: Sample file of the simulation instead of the one that the set-up names.
        dot: The dot on the optical axis of the simulation.
        seed: Seed of everything random in the simulation.
        speed: None: virtual time; else clock seconds per second of life.
        out: Folder for runs instead of the set-up's ``data_root``.
        changes: ``key=value`` changes of the set-up.
        listeners: Are told every event of every run.

    Raises:
        ConfigError: Something is wrong with the input; nothing was touched.
        NotConnectedError: Instruments do not answer.
    """
    loaded = load_setup(setup, sample=sample, changes=changes)
    by = SimulatedBy(seed=seed, dot=dot, speed=speed) if simulate else None
    files = SetupFiles(
        setup=Path(setup), changes=tuple(changes), sample=Path(sample) if sample else None
    )
    connection = connect_station(loaded, by)
    with connection, supervised(connection, files, by) as watched:
        lab = Lab(
            loaded,
            connection,
            out=Path(out) if out else None,
            by=by,
            listeners=listeners,
            watched=watched,
        )
        try:
            yield lab
        finally:
            lab.make_safe()
