"""One point: the context in which a measurement works, and what is stored around its arrays."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labctl.clock import Clock
from labctl.errors import DeviceError, GarbledReplyError, LabctlError, NoReplyError
from labctl.events import Level
from labctl.measurements import (
    ASSUMED,
    Array,
    Grown,
    Lit,
    Measurement,
    OpticalTable,
    as_the_laser_stands,
    light_on,
)
from labctl.roles import Settable
from labctl.stations import Station
from labctl.storage import Quality, RunFolder

if TYPE_CHECKING:
    from labctl.sequencer._session import Session

__all__ = ["KEPT", "Point"]

KEPT = "kept"
"""Name under which arrays are journalled that later measurements of the run look at."""
_LIGHT_COLUMNS = ("x_um", "y_um", "peak_fluence_of_all_pulses_uj_cm2", "spot_1e2_diameter_um")
_COMPLIANCE = ".in_compliance"
_NO_NUMBER = "no reading (over range, or the output went off); such points are flagged"
_LESS = "the limit of current holds the voltage below what was set; such points are flagged"


class Point:
    """The sequencer as a measurement sees it while one point is measured."""

    def __init__(
        self,
        session: "Session",
        measurement: Measurement,
        *,
        step_id: str,
        label: str,
        attempt: int,
    ) -> None:
        """Prepare to measure; nothing happens yet."""
        self._session, self._measurement = session, measurement
        self.station: Station = session.station
        self.clock: Clock = session.clock
        self._step_id, self._label, self._attempt = step_id, label, attempt
        self._began_s = 0.0
        self._part = 0
        self._quality = 0
        self._table: OpticalTable | None = None

    @property
    def calibrations(self) -> Mapping[str, Any]:
        """Calibrations of the set-up by name."""
        return self._session.calibrations

    @property
    def table(self) -> OpticalTable:
        """What the set-up says of the laser and of the light paths, and the laser of itself."""
        if self._table is None:
            # Once per point: nothing changes the laser while one is measured.
            self._table = as_the_laser_stands(self._session.table, self.station)
        return self._table

    def measure(self) -> None:
        """Carry the measurement out."""
        session = self._session
        # Numbered, not named by the step: a script draws the same noise as a recipe.
        session.begin_point(f"{session.book.points}/{self._attempt}")
        self._began_s = self.clock.now()
        session.trips.begin_attempt()
        session.links.check()
        for name, (_, unit) in session.set_values.items():
            self._read(name, unit)
        self._measurement.run(self)

    def wait_until(
        self, ready: Callable[[], bool], *, timeout_s: float, what: str, bankable: bool = False
    ) -> None:
        """Let time pass until ``ready()``; commands interrupt, see ``Session.wait_until``."""
        self._session.wait_until(ready, timeout_s=timeout_s, what=what, bankable=bankable)

    def wait(self, seconds: float, *, what: str, bankable: bool = False) -> None:
        """Let time pass; commands interrupt."""
        self._session.let_pass(seconds, what=what, bankable=bankable)

    def move(self, settable: Settable, value: float) -> float:
        """Start a move, wait until it has arrived, read back."""
        return self._session.arrive(settable, value)

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Tell displays how far it is."""
        self._session.progress(text, fraction)

    def live(self, values: Mapping[str, float]) -> None:
        """Tell displays what has come out so far."""
        self._session.book.live(self._measurement.kind, values)

    def show(self, grown: Callable[[], Grown]) -> None:
        """Show displays what the point has come to so far."""
        self._session.book.announcer.show(self._measurement.kind, grown)

    def message(self, level: Level, device: str, text: str) -> None:
        """Tell the user something; it is stored with the run."""
        self._session.book.message(level, device, text)

    def warn_once(self, device: str, text: str) -> None:
        """Warn the user, but only the first time in this run."""
        self._session.warn_once(device, text)

    def part(self, arrays: Sequence[Array], **data: Any) -> None:
        """Bank a part of the point, then pause."""
        fields = {
            "index": self._session.book.points,
            "part": self._part,
            "measurement": self._measurement.kind,
            **data,
        }
        self._part += 1
        self._quality |= Quality.SUSPENDED_DURING
        self._session.book.part(arrays, fields, self._step_id)
        self._session.hold()

    def exposed(self, lit_s: float, lit: Lit | None = None) -> None:
        """Count the light as dose of the dots that it falls on."""
        dots, on_places = self._session.dots, lit is not None
        if lit is None:
            if not dots.lit:
                return
            lit = Lit(np.array([dots.doses.place_um(dots.lit)]))
        try:
            light = light_on(self, lit, lit_s)
        except LabctlError as error:
            self.warn_once("dose", f"the dose of dots is not complete: {error}")
            return
        if light is not None:
            dots.doses.fall(light, on_places=on_places)

    def remember(self, name: str, value: float) -> None:
        """Keep a number for later measurements of this run; it is stored with the next point."""
        self._session.memory[name] = value
        self._session.news[name] = value

    def remembered(self, name: str) -> float | None:
        """Return what an earlier measurement of this run has kept."""
        return self._session.memory.get(name)

    def keep(self, name: str, values: NDArray[Any], **data: Any) -> None:
        """Keep an array for later measurements of this run, also if another process goes on."""
        self._session.arrays[name] = values
        axes = tuple(f"axis_{number}" for number in range(values.ndim))
        array = Array("values", values, "", axes)
        self._session.book.found(KEPT, {"name": name, **data}, self._step_id, [array])

    def _keep_light(self) -> None:
        """Keep where light of a map or a picture fell, and what the dots there got of it."""
        fallen = self._session.dots.doses.take_unkept()
        if fallen is not None:
            name, rows, doses = fallen
            self.keep(name, rows, doses=doses, assumed=ASSUMED, columns=_LIGHT_COLUMNS)

    def kept(self, name: str) -> NDArray[Any] | None:
        """Return the array that an earlier measurement of this run has kept."""
        return self._session.arrays.get(name)

    @property
    def found_dots(self) -> Mapping[str, Any]:
        """The last record of dots that were found in this run."""
        return self._session.dots.record

    def found(self, what: str, data: Mapping[str, Any]) -> None:
        """Journal something that later steps depend on."""
        self._session.book.found(what, data, self._step_id)
        self._session.dots.note(what, data)

    def calibrated(self, name: str, key: str, result: Mapping[str, Any]) -> None:
        """Keep a calibration for the points that follow, and in the run."""
        self._session.calibrated(name, key, result, self._step_id)

    def new_sidecar(self, suffix: str) -> Path:
        """Return a file for raw data of this point that does not exist yet."""
        folder = RunFolder(self._session.book.journal.path.parent)
        return folder.new_sidecar(self._session.book.points, suffix)

    def keep_sidecar(self, path: Path, **data: Any) -> None:
        """Journal a sidecar that is complete, with its size and checksum."""
        fields = {"index": self._session.book.points, "attempt": self._attempt, **data}
        self._session.book.sidecar(path, fields, self._step_id)

    def store(
        self,
        arrays: Sequence[Array],
        *,
        settings: Mapping[str, Any],
        live_time_s: float,
        quality: int = 0,
        brief: str = "",
    ) -> None:
        """Store the point; it counts once this returns.

        Raises:
            Repeated: A stage has moved meanwhile; what was measured is worth nothing.
            Suspended: An interlock has tripped meanwhile.
        """
        session = self._session
        session.stages.check()
        self._keep_light()
        self._check_settings()
        self._read_back()
        self._quality |= session.trips.check()
        book, dot, ended_s = session.book, session.dots.stored(), self.clock.now()
        data = {
            "index": book.points,
            "measurement": self._measurement.kind,
            "label": self._label,
            "set": {
                name: {"value": value, "units": units}
                for name, (value, units) in session.set_values.items()
            },
            "read": book.readings.during(self._began_s, session.monitors.periods_s),
            "settings": settings if dot is None else {**settings, "dot": dot},
            "quality": quality | self._doubts() | session.wall_clock.look(ended_s),
            "began_s": self._began_s,
            "ended_s": ended_s,
            "live_time_s": live_time_s,
        }
        for name, um in session.stages.stand().items():
            if session.memory.get(name) != um:
                self.remember(name, um)
        if session.news:
            data["remembered"] = session.news
            session.news = {}
        book.point(
            data,
            arrays,
            step_id=self._step_id,
            attempt=self._attempt,
            brief=brief,
            stored=session.control.step_over,
        )
        session.asked_again = False
        session.trips.stored()

    def _check_settings(self) -> None:
        """See that nothing was reset; what has been measured is stored even if nobody answers."""
        try:
            self._session.links.check()
        except (NoReplyError, GarbledReplyError) as error:
            self._quality |= Quality.STALE_READING
            self.message("warning", error.device, f"no answer after the point: {error}")

    def _read_back(self) -> None:
        """Read what was set; what has been measured is stored even if a reading fails now."""
        for name, (_, unit) in self._session.set_values.items():
            try:
                self._read(name, unit)
            except DeviceError as error:
                self._quality |= Quality.STALE_READING
                self.message("warning", error.device, f"no reading after the point: {error}")

    def _doubts(self) -> int:
        retried = Quality.RETRIED if self._session.asked_again else 0
        session = self._session
        return self._quality | retried | session.stages.doubt | session.quality()

    def _read(self, name: str, unit: str) -> None:
        """Read what was set, and what belongs to it: of a bias its current, too."""
        session = self._session
        add, now = session.book.readings.add, self.clock.now
        value = session.read(name)
        add(name, now(), value, unit)
        for beside in session.companions(name):
            value = session.read(beside)
            add(beside, now(), value, self.station.unit(beside))
            device = beside.partition(".")[0]
            if math.isnan(value):
                # What is off has no current; what was set to something has.
                if session.set_values[name][0]:
                    self._quality |= Quality.STALE_READING
                    self.warn_once(device, f"{beside}: {_NO_NUMBER}")
            elif value and beside.endswith(_COMPLIANCE):
                self._quality |= Quality.COMPLIANCE
                self.warn_once(device, f"{beside}: {_LESS}")
