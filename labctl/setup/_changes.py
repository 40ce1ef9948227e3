"""Changes of a file from the command line: ``--set laser.wavelength='410 nm'``."""

import re
from collections.abc import Iterable
from pathlib import Path

from labctl.errors import ConfigError, Problem
from labctl.setup._yaml import Document, Key, Location, parse_yaml

__all__ = ["changed"]

_PART = re.compile(r"[^.\[\]]+|\[\d+\]")


def changed(document: Document, changes: Iterable[str]) -> Document:
    """Return the document with ``key=value`` changes; the value is read as YAML.

    Raises:
        ConfigError: Those that are not of this form or lead nowhere.
    """
    problems: list[Problem] = []
    for change in changes:
        name, separator, text = change.partition("=")
        origin = f"--set {name}"
        if not separator or not name:
            what = f"{change!r} is no change"
            problems.append(Problem(what, "--set", "write it like 'laser.wavelength=410 nm'"))
            continue
        try:
            value = parse_yaml(f"value: {text}", Path(origin)).data["value"]
            document = document.with_value(_location(name), value, origin)
        except ConfigError as error:
            problems += [Problem(problem.what, origin) for problem in error.problems]
        except (KeyError, IndexError, TypeError, ValueError):
            what = f"{name!r} does not lead to a key of {document.where().rpartition(':')[0]}"
            hint = "write it like 'steps[1].spectrum.exposure=2 s'"
            problems.append(Problem(what, origin, hint))
    if problems:
        raise ConfigError(problems)
    return document


def _location(name: str) -> Location:
    return tuple(_key(part) for part in _PART.findall(name))


def _key(part: str) -> Key:
    return int(part[1:-1]) if part.startswith("[") else part
