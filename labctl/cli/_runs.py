"""Runs that are named on the command line."""

from pathlib import Path

from labctl.errors import ConfigError, Problem
from labctl.storage import list_runs

__all__ = ["one_run"]


def one_run(path: Path) -> Path:
    """Return the only run at or below a path.

    Raises:
        ConfigError: There is none, or there are several; it lists them.
    """
    found = list_runs(path) if path.is_dir() else ()
    if any(folder.path == path for folder in found) or not path.is_dir():
        return path
    if len(found) == 1:
        return found[0].path
    if not found:
        raise ConfigError([Problem("there is no run in this folder", str(path))])
    names = "\n".join(f"  {folder.path}" for folder in found)
    what = f"{len(found)} runs lie in this folder; name those that you want:\n{names}\n"
    raise ConfigError([Problem(what, str(path), f"labctl show {path} tells more of them")])
