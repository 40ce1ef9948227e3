"""Loading a set-up: everything that is wrong with it is found before anything is touched."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from labctl.errors import ConfigError, Problem
from labctl.setup._blocking import unblocked_paths
from labctl.setup._changes import changed
from labctl.setup._checks import check_references
from labctl.setup._instrument import InstrumentSetup, read_instrument
from labctl.setup._models import InstrumentBlock, Recording, SetupFile
from labctl.setup._plugins import Plugins
from labctl.setup._recorded import recorded_light
from labctl.setup._rig import check_rig
from labctl.setup._setup import Setup
from labctl.setup._words import explain
from labctl.setup._yaml import Document, load_yaml

__all__ = ["check_sample", "draft_setup", "load_setup", "read_draft", "read_setup"]

Draft = tuple[Setup | None, list[Problem]]
"""What could be understood of a set-up (None: nothing), and everything that is wrong with it."""


def load_setup(
    path: Path | str, *, sample: Path | str | None = None, changes: Iterable[str] = ()
) -> Setup:
    """Read and check a set-up file; connects nothing.

    Args:
        path: The file.
        sample: Sample file that replaces the one named in the set-up.
        changes: ``key=value`` changes of the set-up.

    Raises:
        ConfigError: With every problem of set-up and sample, each with file and line.
    """
    document = changed(load_yaml(Path(path)), changes)
    return read_setup(document, sample=Path(sample) if sample else None)


def read_setup(document: Document, *, sample: Path | None = None) -> Setup:
    """Check a set-up that is already read; otherwise as ``load_setup``."""
    setup, problems = read_draft(document, sample=sample)
    if problems or setup is None:
        raise ConfigError(problems)
    return setup


def draft_setup(
    path: Path | str, *, sample: Path | str | None = None, changes: Iterable[str] = ()
) -> Draft:
    """Read as much of a set-up as can be read, so that a recipe can be checked all the same.

    Arguments as of ``load_setup``.

    Returns:
        The set-up without its ``unread`` instruments (None: there is nothing to check against),
        and every problem; without problems it is what ``load_setup`` returns.
    """
    try:
        document = changed(load_yaml(Path(path)), changes)
    except ConfigError as error:
        return None, list(error.problems)
    return read_draft(document, sample=Path(sample) if sample else None)


def read_draft(document: Document, *, sample: Path | None = None) -> Draft:
    """Check a set-up that is already read; otherwise as ``draft_setup``."""
    plugins = Plugins()
    file, problems = _file(document)
    instruments, found = _instruments(document, plugins)
    problems += found + check_references(document, plugins)
    sample_document, found = _sample(document, sample)
    problems += found
    recorded, found = _recorded(document)
    problems += found
    if sample_document is not None:
        problems += check_rig(document, sample_document, instruments, plugins)
    if problems or file is None:
        return _draft(document, instruments, sample_document, plugins), in_order(problems)
    setup = Setup(document.path, file, instruments, sample_document, _notices(file), recorded)
    return setup, [
        Problem(what, document.where(("paths", path)), hint)
        for path, what, hint in unblocked_paths(setup.blocking, file.paths)
    ]


def _draft(
    document: Document,
    instruments: Mapping[str, InstrumentSetup],
    sample: Document | None,
    plugins: Plugins,
) -> Setup | None:
    """Return the set-up with its sound instruments and, if it is sound, its sample."""
    blocks: Any = document.data.get("instruments")
    if not isinstance(blocks, dict):
        return None
    named = [name for name in cast(Mapping[Any, Any], blocks) if isinstance(name, str)]
    # Not validated: a file with nothing sound in it has no instruments, either.
    content: dict[str, Any] = {"schema_version": 1, "name": "draft", "instruments": {}}
    for key, value in document.data.items():
        if key not in content and _valid(SetupFile, {**content, key: value}):
            content[key] = value
    sound = sample is not None and not check_rig(None, sample, {}, plugins)
    return Setup(
        document.path,
        SetupFile.model_construct(**content),
        instruments,
        sample if sound else None,
        unread=frozenset(named) - set(instruments),
    )


def check_sample(path: Path | str) -> Document:
    """Read and check a sample file by itself.

    Raises:
        ConfigError: With every problem.
    """
    document = load_yaml(Path(path))
    problems = check_rig(None, document, {}, Plugins())
    if problems:
        raise ConfigError(in_order(problems))
    return document


def in_order(problems: list[Problem]) -> list[Problem]:
    """Return the problems file by file, in the order of the lines, each once."""
    files = list(dict.fromkeys(problem.where.rpartition(":")[0] for problem in problems))

    def position(problem: Problem) -> tuple[int, int]:
        file, _, line = problem.where.rpartition(":")
        return files.index(file), int(line) if line.isdigit() else 0

    return sorted(dict.fromkeys(problems), key=position)


def _file(document: Document) -> tuple[SetupFile | None, list[Problem]]:
    try:
        return SetupFile.model_validate(document.data), []
    except ValidationError as error:
        return None, explain(error, SetupFile, document)


def _instruments(
    document: Document, plugins: Plugins
) -> tuple[dict[str, InstrumentSetup], list[Problem]]:
    blocks = document.data.get("instruments")
    instruments: dict[str, InstrumentSetup] = {}
    problems: list[Problem] = []
    if not isinstance(blocks, dict):
        return instruments, problems
    for name, block in cast(Mapping[Any, Any], blocks).items():
        if not isinstance(name, str) or not _valid(InstrumentBlock, block):
            continue  # the model of the whole file has said why
        instrument, found = read_instrument(name, document, plugins)
        problems += found
        if instrument is not None:
            instruments[name] = instrument
    return instruments, problems


def _valid(model: type[BaseModel], data: Any) -> bool:
    try:
        model.model_validate(data)
    except ValidationError:
        return False
    return True


def _sample(document: Document, given: Path | None) -> tuple[Document | None, list[Problem]]:
    named = document.data.get("sample")
    if given is None and not isinstance(named, str):
        return None, []
    where = "--sample" if given else document.where(("sample",))
    path = given or _beside(document.path, Path(str(named)))
    if not path.is_file():
        hint = "a relative name is looked for beside the set-up file, then in the present folder"
        return None, [Problem(f"there is no sample file '{given or named}'", where, hint)]
    try:
        return load_yaml(path), []
    except ConfigError as error:
        return None, list(error.problems)


def _recorded(document: Document) -> tuple[dict[str, list[float]] | None, list[Problem]]:
    block: Any = document.data.get("simulate")
    given: Any = cast(Mapping[Any, Any], block).get("spectrum") if isinstance(block, dict) else None
    if given is None or not _valid(Recording, given):
        return None, []  # the model of the whole file has said what is wrong
    recording = Recording.model_validate(given)
    try:
        return recorded_light(recording, _beside(document.path, recording.file)), []
    except ConfigError as error:
        where = document.where(("simulate", "spectrum"))
        return None, [Problem(entry.what, where, entry.hint) for entry in error.problems]


def _beside(setup: Path, named: Path) -> Path:
    named = named.expanduser()
    beside = setup.parent / named
    return beside if beside.is_file() else named


def _notices(file: SetupFile) -> tuple[str, ...]:
    notices: list[str] = []
    recording = file.simulate.spectrum
    if recording is not None:
        notices.append(f"a simulation shows the light recorded in '{recording.file}', not the dot")
    return tuple(notices)
