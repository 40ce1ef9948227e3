"""The engine in this process: commands in, events out."""

from collections.abc import Iterable
from pathlib import Path

from labctl.errors import ConfigError
from labctl.events import Command
from labctl.host._calibrations import home_of_calibrations, not_in_force
from labctl.host._connection import SimulatedBy, connect_station
from labctl.host._past import open_past
from labctl.host._request import RunRequest
from labctl.host._runner import Live, Plan, RunReport, open_run
from labctl.host._supervised import supervised
from labctl.host._supervisor import SetupFiles
from labctl.recipes import Recipe, count, estimate, expand, load_recipe, parse_recipe
from labctl.sequencer import Control, Listener, Past, execute
from labctl.setup import Setup, draft_setup, load_setup

__all__ = ["LocalHost", "follow", "prepare", "prepare_again"]


class LocalHost:
    """Runs the engine on the calling thread."""

    def __init__(self, *, hung_s: float | None = None) -> None:
        """Begin without a run; ``hung_s`` as ``supervised`` takes it."""
        self._control = Control()
        self._hung_s = hung_s

    def post(self, command: Command) -> None:
        """Hand the run a command; safe from any thread and from signal handlers."""
        self._control.post(command)

    def run(self, request: RunRequest, listeners: Iterable[Listener] = ()) -> RunReport:
        """Carry out a recipe to its end and report.

        Raises:
            ConfigError: Something is wrong with the input; nothing was touched.
            NotConnectedError: Instruments do not answer; nothing was started.
        """
        try:
            return self._run(request, listeners)
        finally:
            self._control = Control()

    def _run(self, request: RunRequest, listeners: Iterable[Listener]) -> RunReport:
        past = None if request.resume is None else open_past(request.resume)
        setup, recipe, plan = prepare(request) if past is None else prepare_again(request, past)
        if past is None:
            _calibrated(request, setup, plan)
        by = _simulated(request, plan)
        connection = connect_station(setup, by)
        files = SetupFiles(setup=request.setup, changes=request.changes, sample=request.sample)
        with (
            connection,
            supervised(connection, files, by, hung_s=self._hung_s) as watched,
            open_run(
                connection,
                setup,
                plan,
                out=request.out,
                control=self._control,
                listeners=listeners,
                past=past,
                accept=request.accept,
                watched=watched,
            ) as live,
        ):
            follow(live, recipe, past)
        return live.report


def follow(live: Live, recipe: Recipe, past: Past | None = None) -> None:
    """Carry out a recipe in a run that is open; with a ``past`` what is left of it."""
    outcome = live.report.outcome
    outcome.skipped = execute(live.session, expand(recipe), past)
    if outcome.skipped:
        outcome.reason = f"{outcome.skipped} steps were skipped, see the messages"


def prepare(request: RunRequest) -> tuple[Setup, Recipe, Plan]:
    """Read and check everything that a request names; touches nothing.

    Raises:
        ConfigError: With every problem of set-up, sample and recipe.
    """
    setup, recipe = _load(request.setup, request.recipe, request.sample, request.changes)
    return setup, recipe, _plan(request, setup, recipe)


def prepare_again(request: RunRequest, past: Past) -> tuple[Setup, Recipe, Plan]:
    """Read and check what is needed to go on with a run: its own recipe, whatever the file says.

    Raises:
        ConfigError: With every problem.
    """
    setup = load_setup(request.setup, sample=request.sample, changes=request.changes)
    recipe = parse_recipe(past.start["recipe"], setup)
    return setup, recipe, _plan(request, setup, recipe)


def _plan(request: RunRequest, setup: Setup, recipe: Recipe) -> Plan:
    expected = estimate(recipe, setup)
    sample = recipe.file.sample
    return Plan(
        name=recipe.name,
        recipe=recipe.resolved(),
        points=count(recipe),
        expected_s=expected.seconds,
        sample=sample.name or setup.sample_name,
        dot=request.dot or sample.dot,
        seed=request.seed if request.simulate else None,
        user=request.user,
        demands=recipe.demands,
        origin=request.origin(),
    )


def _load(
    setup_path: Path, recipe_path: Path, sample: Path | None, changes: Iterable[str]
) -> tuple[Setup, Recipe]:
    setup, problems = draft_setup(setup_path, sample=sample, changes=changes)
    try:
        recipe = load_recipe(recipe_path, setup)
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from error
    if problems or setup is None:
        raise ConfigError(problems)
    return setup, recipe


def _calibrated(request: RunRequest, setup: Setup, plan: Plan) -> None:
    """Refuse what will be refused for lack of a calibration before minutes go by in connecting."""
    root = home_of_calibrations(setup, request.out, simulated=request.simulate)
    if problems := not_in_force(setup, plan.demands, root):
        raise ConfigError(problems)


def _simulated(request: RunRequest, plan: Plan) -> SimulatedBy | None:
    if not request.simulate:
        return None
    return SimulatedBy(
        seed=request.seed,
        dot=plan.dot,
        speed=request.speed,
        world_port=request.world_port,
        world_key=request.world_key,
    )
