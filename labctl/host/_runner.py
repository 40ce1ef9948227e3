"""Runs recipes and scripts on a connected station: folder, journal, session, product."""

import getpass
import json
import uuid
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from labctl.errors import StorageError
from labctl.host._calibrations import CalibrationStore
from labctl.host._connection import Connection
from labctl.measurements import LaserFacts, OpticalTable
from labctl.recipes import Demand
from labctl.sequencer import Announcer, Book, Control, Listener, Outcome, Session, ending
from labctl.setup import Setup
from labctl.storage import JournalWriter, environment, finalise_in_child, new_run_folder

__all__ = ["Live", "Plan", "RunReport", "open_run"]


@dataclass(frozen=True)
class Plan:
    """What a run is meant to do, as its start record says it.

    Attributes:
        name: Name of the recipe or script.
        recipe: The resolved recipe, or what is known of the script.
        points: Number of points, if that is known.
        expected_s: Expected lab time in s, if that is known.
        sample: Name of the sample.
        dot: Name of the dot.
        seed: Seed of the simulated set-up; None on a real one.
        user: Who measures.
        demands: Calibrations that must be in force before it begins.
    """

    name: str
    recipe: Mapping[str, Any]
    points: int | None = None
    expected_s: float | None = None
    sample: str = ""
    dot: str = ""
    seed: int | None = None
    user: str = ""
    demands: tuple[Demand, ...] = ()


@dataclass
class RunReport:
    """What became of a run."""

    uid: str
    journal: Path
    outcome: Outcome = field(default_factory=Outcome)
    product: Path | None = None


@dataclass
class Live:
    """A run that is going on: its session and what will be reported of it."""

    session: Session
    report: RunReport


@contextmanager
def open_run(
    connection: Connection,
    setup: Setup,
    plan: Plan,
    *,
    out: Path | None = None,
    control: Control | None = None,
    listeners: Iterable[Listener] = (),
) -> Generator[Live]:
    """Begin a run, hand out its session, and end it in order when the block is left.

    When the block has been left, the journal is closed and the product is built by a child
    process; a product that cannot be built leaves the journal, from which it can be built later.
    """
    clock = connection.clock
    uid = uuid.uuid4().hex[:12]
    simulated = connection.rig is not None
    root = out or setup.data_root / ("simulated" if simulated else "")
    # Calibrations of real instruments have one home; those of a simulated set-up go with its runs.
    store = CalibrationStore(setup, root if simulated else setup.data_root, clock.utc)
    calibrations = store.load()
    store.demand(plan.demands, calibrations)
    folder = new_run_folder(root, plan.sample, plan.name, uid, clock.utc())
    journal = JournalWriter(folder.journal, now=clock.now, utc=clock.utc)
    book = Book(journal, Announcer(uid, clock), clock)
    for listener in listeners:
        book.announcer.add(listener)
    session = Session(
        connection.station,
        book,
        control or Control(),
        calibrations=calibrations,
        keep_calibration=store.keep,
        begin_point=connection.begin_point,
        table=_table(setup),
    )
    report = RunReport(uid, folder.journal)
    try:
        start = _start_data(uid, connection, setup, plan, session.calibrations)
        session.start(start, setup.monitors)
    except BaseException:
        book.close()
        raise
    try:
        with ending(session) as report.outcome:
            for text in store.stale(calibrations):
                book.message("warning", "calibration", text)
            yield Live(session, report)
    finally:
        if report.outcome.status == "failed":
            _keep_traffic(connection, folder.path / f"{folder.stem}_traffic.json")
        _finalise(report, book)


def _keep_traffic(connection: Connection, path: Path) -> None:
    """Write the last traffic of all instruments beside a failed run."""
    try:
        path.write_text(json.dumps(connection.recorder.dump(), indent=1, default=str), "utf-8")
    except OSError:
        # A full disk must not hide the failure that is being reported.
        return


def _finalise(report: RunReport, book: Book) -> None:
    try:
        report.product = finalise_in_child(report.journal).product
    except StorageError as error:
        report.outcome.reason = f"{report.outcome.reason} {error}".strip()
    outcome = report.outcome
    book.stopped(outcome.status, outcome.reason, str(report.product or ""), outcome.unsafe)


def _start_data(
    uid: str, connection: Connection, setup: Setup, plan: Plan, calibrations: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "uid": uid,
        "name": plan.name,
        "title": plan.name,
        "labctl_version": version("labctl"),
        "schema_version": 1,
        "recipe": dict(plan.recipe),
        "setup": setup.resolved(),
        "calibrations": dict(calibrations),
        "sample": {"name": plan.sample, "dot": plan.dot},
        "plan": {"points": plan.points, "expected_s": plan.expected_s},
        "environment": environment(),
        "snapshot": connection.station.snapshot(),
        "seed": plan.seed,
        "simulated": connection.rig is not None,
        "user": plan.user or (setup.file.user.name if setup.file.user else _login()),
    }


def _table(setup: Setup) -> OpticalTable:
    laser = setup.file.laser
    facts = None if laser is None else LaserFacts(**dict(laser))
    return OpticalTable(facts, setup.file.paths, setup.blocking)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
