"""Runs recipes and scripts on a connected station: folder, journal, session, product."""

import getpass
import uuid
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from labctl.clock import Clock
from labctl.errors import StorageError
from labctl.host._black_box import keep_black_box
from labctl.host._calibrations import CalibrationStore, home_of_calibrations
from labctl.host._connection import Connection
from labctl.host._copies import copy_runs
from labctl.host._past import (
    calibrations_of,
    differences,
    segment_data,
    tell_past,
)
from labctl.measurements import LaserFacts, OpticalTable
from labctl.recipes import Demand
from labctl.sequencer import (
    Announcer,
    Book,
    Control,
    Listener,
    Look,
    Outcome,
    Past,
    Session,
    ending,
)
from labctl.setup import Setup
from labctl.storage import (
    BALLAST_BYTES,
    JournalWriter,
    environment,
    finalise_in_child,
    new_run_folder,
)

__all__ = [
    "Live",
    "Plan",
    "RunReport",
    "Watched",
    "kept",
    "open_run",
    "optical_table",
    "unwatched",
]


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
        origin: The request that it comes from, for who goes on with it; empty for a script.
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
    origin: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class RunReport:
    """What became of a run."""

    uid: str
    journal: Path
    outcome: Outcome = field(default_factory=Outcome)
    product: Path | None = None
    remarks: tuple[str, ...] = ()


@dataclass
class Live:
    """A run that is going on: its session and what will be reported of it."""

    session: Session
    report: RunReport


Watched = Callable[[Session, Path], AbstractContextManager[None]]
"""Is told the session and the folder of a run that begins; left when it has ended."""


def unwatched(_session: Session, _folder: Path) -> AbstractContextManager[None]:
    """Run without anybody who watches."""
    return nullcontext()


@contextmanager
def open_run(
    connection: Connection,
    setup: Setup,
    plan: Plan,
    *,
    out: Path | None = None,
    control: Control | None = None,
    listeners: Iterable[Listener] = (),
    past: Past | None = None,
    accept: bool = False,
    watched: Watched = unwatched,
    look: Look | None = None,
) -> Generator[Live]:
    """Begin a run, hand out its session, and end it in order when the block is left.

    ``look`` is shown points that grow.

    Calibrations of real instruments have one home; those of a simulated set-up go with its runs.
    With a ``past``, a new segment of that run is begun, if nothing differs from then or the
    differences are accepted; otherwise ConfigError names all of them.

    When the block has been left, the journal is closed and the product is built by a child
    process; a product that cannot be built leaves the journal, from which it can be built later.
    """
    clock = connection.clock
    root, store = kept(connection, setup, out)
    calibrations = store.load()
    accepted: list[str] = []
    if past is not None:
        station = connection.station
        accepted = differences(past, setup, plan.origin, station, calibrations, accept=accept)
        calibrations = calibrations_of(past, calibrations)
    store.demand(plan.demands, calibrations)
    uid = uuid.uuid4().hex[:12] if past is None else past.uid
    journal = _new_journal(root, plan, uid, clock, past)
    book = Book(journal, Announcer(uid, clock, listeners, look), clock)
    session = _session(connection, setup, book, control or Control(), store, calibrations)
    report = RunReport(uid, journal.path)
    with _closed_on_failure(book):
        data = _circumstances(connection, setup, session.calibrations)
        if past is None:
            session.start({**_plan_data(uid, connection, setup, plan), **data}, setup.monitors)
        else:
            session.go_on({**segment_data(past, accepted), **data}, past, setup.monitors)
    with (
        watched(session, journal.path.parent),
        _to_the_end(connection, session, report, setup.file.copy_to),
    ):
        if past is not None:
            tell_past(session, past, accepted, fresh_world=connection.has_own_world)
        for text in store.stale(calibrations):
            book.message("warning", "calibration", text)
        yield Live(session, report)


def _session(
    connection: Connection,
    setup: Setup,
    book: Book,
    control: Control,
    store: CalibrationStore,
    calibrations: dict[str, dict[str, Any]],
) -> Session:
    return Session(
        connection.station,
        book,
        control,
        calibrations=calibrations,
        keep_calibration=store.keep,
        begin_point=connection.begin_point,
        table=optical_table(setup),
        guard=connection.guard,
    )


def kept(connection: Connection, setup: Setup, out: Path | None) -> tuple[Path, CalibrationStore]:
    """Return the root of runs, and the calibrations that go with it."""
    simulated = connection.rig is not None
    root = out or setup.data_root / ("simulated" if simulated else "")
    home = home_of_calibrations(setup, out, simulated=simulated)
    return root, CalibrationStore(setup, home, connection.clock.utc)


@contextmanager
def _closed_on_failure(book: Book) -> Generator[None]:
    try:
        yield
    except BaseException:
        book.close()
        raise


@contextmanager
def _to_the_end(
    connection: Connection, session: Session, report: RunReport, copy_to: Path | None
) -> Generator[None]:
    """End the run in order, whatever ends the block; then build its product, then copy it."""
    try:
        with ending(session) as report.outcome:
            yield
    finally:
        if report.outcome.status != "complete":
            path = report.journal.with_name(f"{report.journal.stem}_failure.json")
            keep_black_box(connection, session, report.outcome, path)
        _finalise(report)
        if copy_to is not None:
            # The folder of all runs lies above those of year and day.
            run = report.journal.parent
            report.remarks = tuple(copy_runs(run.parents[2], run, copy_to))
        outcome = report.outcome
        product = str(report.product or "")
        session.book.stopped(outcome.status, outcome.reason, product, outcome.unsafe)


def _finalise(report: RunReport) -> None:
    try:
        report.product = finalise_in_child(report.journal).product
    except StorageError as error:
        report.outcome.reason = f"{report.outcome.reason} {error}".strip()


def _new_journal(
    root: Path, plan: Plan, uid: str, clock: Clock, past: Past | None
) -> JournalWriter:
    """Create the journal of a new run in a folder of its own, or that of the next segment."""
    if past is not None:
        folder, segment = past.folder, past.segment
    else:
        folder, segment = new_run_folder(root, plan.sample, plan.name, uid, clock.utc()), 0
    return JournalWriter(
        folder.segment_journal(segment),
        now=clock.now,
        utc=clock.utc,
        segment=segment,
        ballast_bytes=BALLAST_BYTES,
    )


def _circumstances(
    connection: Connection, setup: Setup, calibrations: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what may differ between the segments of a run."""
    identities = connection.station.identities
    return {
        "labctl_version": version("labctl"),
        "setup": setup.resolved(),
        "calibrations": dict(calibrations),
        "identities": {name: asdict(found) for name, found in identities.items()},
        "environment": environment(),
        "snapshot": connection.station.snapshot(),
    }


def _plan_data(uid: str, connection: Connection, setup: Setup, plan: Plan) -> dict[str, Any]:
    """Return what holds for all segments of a run."""
    return {
        "uid": uid,
        "name": plan.name,
        "title": plan.name,
        "schema_version": 1,
        "recipe": dict(plan.recipe),
        "origin": dict(plan.origin),
        "sample": {"name": plan.sample, "dot": plan.dot},
        "plan": {"points": plan.points, "expected_s": plan.expected_s},
        "seed": plan.seed,
        "simulated": connection.rig is not None,
        "user": plan.user or (setup.file.user.name if setup.file.user else _login()),
    }


def optical_table(setup: Setup) -> OpticalTable:
    """Return what a set-up says of its laser and light paths."""
    laser = setup.file.laser
    facts = None if laser is None else LaserFacts(**dict(laser))
    return OpticalTable(facts, setup.file.paths, setup.blocking)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
