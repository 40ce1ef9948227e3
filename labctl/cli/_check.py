"""``labctl check``: everything that is wrong with files and runs, before anything is touched."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from labctl.cli._options import Sample
from labctl.cli._say import BAD_INPUT, FAILED, say_data, say_note, say_problems, screen
from labctl.errors import ConfigError, Problem, StorageError
from labctl.recipes import Recipe, count, estimate, read_recipe
from labctl.setup import Document, Setup, check_sample, draft_setup, load_yaml, read_draft

__all__ = ["check"]


@dataclass
class _Findings:
    """What is fine and what is wrong, over all files."""

    fine: dict[str, str] = field(default_factory=dict[str, str])
    problems: list[Problem] = field(default_factory=list[Problem])
    damages: list[Problem] = field(default_factory=list[Problem])
    notices: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _Stage:
    """What the recipes are checked against; None: their form alone is checked."""

    setup: Setup | None
    sound: bool


def check(
    files: Annotated[list[Path], typer.Argument(help="Set-ups, recipes, samples (YAML), or runs.")],
    setup: Annotated[
        Path | None, typer.Option(help="Set-up that shall carry out the recipes.")
    ] = None,
    sample: Sample = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False,
) -> None:
    """Check set-ups, recipes, samples and runs; status 2 if an input is wrong, 1 for a bad run."""
    found = _Findings()
    documents = _read([path for path in files if not _is_run(path)], found)
    stage = _setup(documents, setup, sample, found)
    for document in documents:
        _check_document(document, stage, found)
    for path in files:
        if _is_run(path):
            _check_run(path, found)
    _tell(found, as_json)


def _tell(found: _Findings, as_json: bool) -> None:
    wrong = [*found.problems, *found.damages]
    if as_json:
        problems = [asdict(problem) for problem in wrong]
        say_data({"ok": found.fine, "problems": problems, "notices": found.notices})
    else:
        for name, text in found.fine.items():
            screen().print(f"{name}: {text}")
        for notice in dict.fromkeys(found.notices):
            say_note(notice)
        if wrong:
            say_problems(wrong)
    if wrong:
        raise typer.Exit(BAD_INPUT if found.problems else FAILED)


def _read(paths: list[Path], found: _Findings) -> list[Document]:
    documents: list[Document] = []
    for path in paths:
        try:
            documents.append(load_yaml(path))
        except ConfigError as error:
            found.problems += error.problems
    return documents


def _kind(document: Document) -> str:
    for key, kind in (("instruments", "set-up"), ("dots", "sample"), ("steps", "recipe")):
        if key in document.data:
            return kind
    return ""


def _setup(
    documents: list[Document], given: Path | None, sample: Path | None, found: _Findings
) -> _Stage:
    """Return the set-up for the recipes: the one given, or the only one among the files."""
    among = [document for document in documents if _kind(document) == "set-up"]
    drafts = [read_draft(document, sample=sample) for document in among]
    for stage, problems in drafts:
        found.problems += problems
        if stage is not None and not problems:
            roles = len(stage.instruments)
            found.fine[str(stage.path)] = f"set-up '{stage.name}' with {roles} instruments"
            found.notices += stage.notices
    if given is not None:
        stage, problems = draft_setup(given, sample=sample)
        found.problems += problems
        return _Stage(stage, not problems)
    if len(drafts) != 1:
        return _Stage(None, True)
    return _Stage(drafts[0][0], not drafts[0][1])


def _check_document(document: Document, stage: _Stage, found: _Findings) -> None:
    kind, name = _kind(document), str(document.path)
    try:
        if kind == "recipe":
            found.fine[name] = _recipe(document, stage, found)
        elif kind == "sample":
            check_sample(document.path)
            found.fine[name] = (
                f"sample '{document.data['name']}', {len(document.data['dots'])} dots"
            )
        elif not kind:
            hint = "a set-up has 'instruments', a recipe 'steps', a sample 'dots'"
            what = "neither a set-up, nor a recipe, nor a sample"
            found.problems.append(Problem(what, document.where(), hint))
    except ConfigError as error:
        found.problems += error.problems


def _recipe(document: Document, stage: _Stage, found: _Findings) -> str:
    setup = stage.setup
    recipe = read_recipe(document, setup)
    points = f"recipe '{recipe.name}', {count(recipe)} points"
    if not stage.sound:
        return f"{points}; nothing wrong with it is seen, but the set-up is wrong"
    if setup is None:
        return f"{points}; its form is right (use --setup to check it against a set-up)"
    found.notices += _not_calibrated(recipe, setup)
    minutes = estimate(recipe, setup).seconds / 60
    return f"{points}, about {minutes:.0f} min on '{setup.name}'"


def _not_calibrated(recipe: Recipe, setup: Setup) -> list[str]:
    """Return what 'labctl run' would refuse for now; a notice, as another run may make it yet."""
    from labctl.host import home_of_calibrations, not_in_force

    lacking: dict[Problem, list[str]] = {}
    for place, simulated in (("the instruments", False), ("their simulators", True)):
        home = home_of_calibrations(setup, None, simulated=simulated)
        for problem in not_in_force(setup, recipe.demands, home):
            lacking.setdefault(problem, []).append(place)
    return [
        f"{problem.where}: {problem.what}; with {' and '.join(places)} the run is refused until"
        f" it is in force ({problem.hint})"
        for problem, places in lacking.items()
    ]


def _is_run(path: Path) -> bool:
    return path.is_dir() or path.suffix in (".nxs", ".lcj")


def _check_run(path: Path, found: _Findings) -> None:
    # The file formats take long to import and are not needed for anything else here.
    from labctl.storage import TailState, lint_product, read_run

    try:
        run = read_run(path)
        wrong = lint_product(run.path) if run.path.suffix == ".nxs" else []
    except StorageError as error:
        found.damages.append(Problem(str(error), str(path)))
        return
    wrong += [f"journal: {tail.reason}" for tail in run.tails if tail.state is TailState.CORRUPT]
    wrong += [text for entry in run.sidecars if (text := _sidecar(run.path.parent, entry))]
    found.damages += [Problem(text, str(run.path)) for text in wrong]
    if not wrong:
        points = int(run.points.sizes.get("point", 0))
        found.fine[str(run.path)] = f"run '{run.name}', {run.status.value}, {points} points"


def _sidecar(folder: Path, entry: Any) -> str:
    """Return what is wrong with a file that belongs to a run, or an empty text."""
    from labctl.storage import file_digest

    path = folder / str(entry["name"])
    if not path.is_file():
        return f"{path.name} is missing"
    same = file_digest(path)["sha256"] == entry["sha256"]
    return "" if same else f"{path.name} is not as it was written"
