"""Whole runs on the simulated set-up in which a test can look in and interfere."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from labctl.clock import Clock
from labctl.errors import NotConnectedError
from labctl.events import Event
from labctl.host import RunReport, RunRequest, SimulatedBy, connect_station, open_run, prepare
from labctl.recipes import expand
from labctl.sequencer import Control, Look, execute
from labctl.stations import Station
from labctl.storage import Record, RecordKind, Run, read_journal, read_run
from labctl.transport import FlightRecorder

POINTS = """
name: points
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: spectrograph.wavelength
    values: [530, 532, 534]
    steps:
      - spectrum: {grating: 300/mm, exposure: 1 s, frames: 4}
"""


@dataclass
class LiveRun:
    """A run that goes on, and what became of it.

    Attributes:
        rig: The simulated set-up, with its world.
        shutter_open: Of the world, when the run had ended and nothing was closed yet.
        reopened: What could not be opened again at once after the run, by instrument.
        target_k: What the simulated cryostat was left at, K; None: as cold as possible.
        goal: What its automation was left at.
        recorder: Keeps the last traffic of every instrument.
    """

    rig: Any
    clock: Clock
    control: Control
    events: list[Event] = field(default_factory=list[Event])
    errors: list[BaseException] = field(default_factory=list[BaseException])
    report: RunReport | None = None
    shutter_open: bool = True
    reopened: dict[str, BaseException] = field(default_factory=dict[str, BaseException])
    target_k: float | None = None
    goal: str = ""
    recorder: FlightRecorder | None = None

    @property
    def ended(self) -> RunReport:
        assert self.report is not None
        return self.report

    @property
    def run(self) -> Run:
        return read_run(self.ended.journal)

    def records(self, kind: RecordKind) -> list[Record]:
        return [record for record in read_journal(self.ended.journal) if record.kind == kind]

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.kind == kind]

    def light_s(self, begin_s: float, end_s: float) -> float:
        """Return for how long laser light reached the dot, by the world's own book."""
        return float(self.rig.world.table.excitation.integral(begin_s, end_s))

    def traffic(self, device: str) -> list[dict[str, Any]]:
        """Return the last traffic of an instrument, as far as it is kept."""
        assert self.recorder is not None
        return self.recorder.dump(device)


React = Callable[[Event, LiveRun], None]


def run_live(
    request: RunRequest, react: React, *, product: bool = False, look: Look | None = None
) -> LiveRun:
    """Run a recipe; ``react`` is told every event, ``look`` points that grow, by the engine.

    Time is virtual unless the request has a speed.
    """
    setup, recipe, plan = prepare(request)
    by = SimulatedBy(seed=request.seed, dot=plan.dot, speed=request.speed)
    connection = connect_station(setup, by)
    control = Control()
    live = LiveRun(connection.rig, connection.clock, control, recorder=connection.recorder)

    def listen(event: Event) -> None:
        live.events.append(event)
        try:
            react(event, live)
        except BaseException as error:
            live.errors.append(error)

    with connection:
        with (
            _with_product(product),
            open_run(
                connection,
                setup,
                plan,
                out=request.out,
                control=control,
                listeners=[listen],
                look=look,
            ) as opened,
        ):
            live.report = opened.report
            execute(opened.session, expand(recipe))
        _look_around(live, connection.station)
    assert live.errors == []
    assert live.rig.errors == []
    return live


def _look_around(live: LiveRun, station: Station) -> None:
    """Note how the run has left everything, then open it all again."""
    world = live.rig.world
    live.shutter_open = bool(world.table.shutter_open)
    for name in station:
        live.rig.inject(name, "clear")
    live.target_k, live.goal = world.thermal.target_k, world.thermal.goal
    station.close()
    try:
        station.connect()
    except NotConnectedError as error:
        live.reopened = error.failures


@contextmanager
def _with_product(wanted: bool) -> Generator[None]:
    """Leave the product out where a test is about something else: it costs seconds."""
    if wanted:
        yield
        return
    with patch("labctl.host._runner.finalise_in_child") as finalise:
        finalise.return_value.product = None
        yield


def once(wanted: Callable[[Event], bool], action: Callable[[LiveRun], None]) -> React:
    """React to the first event that is ``wanted``."""
    done: list[bool] = []

    def react(event: Event, live: LiveRun) -> None:
        if not done and wanted(event):
            done.append(True)
            action(live)

    return react


def frame(number: int, point: int = 0) -> Callable[[Event], bool]:
    """Match the progress of a point after so many frames."""
    stored: list[Event] = []

    def wanted(event: Event) -> bool:
        if event.kind == "point_stored":
            stored.append(event)
        fits = event.kind == "progress" and event.text.startswith(f"frame {number} of")
        return fits and len(stored) == point

    return wanted


def state(name: str) -> Callable[[Event], bool]:
    """Match a change of state."""
    return lambda event: event.kind == "state_changed" and event.state == name


def both(*reactions: React) -> React:
    """React in all these ways."""

    def react(event: Event, live: LiveRun) -> None:
        for reaction in reactions:
            reaction(event, live)

    return react
