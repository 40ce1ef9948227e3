"""What software ran: written into the start record of every run."""

import platform
import shutil
import subprocess
import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

_GIT_TIMEOUT_S = 5.0


def environment() -> dict[str, Any]:
    """Return python, packages (name → version), os, machine and git revision of labctl.

    ``git`` is the commit of the source tree that runs, with ``-dirty`` if it was changed, or empty
    if labctl was not installed from a tree under version control. The answer is the same during
    the life of a process and is collected once.
    """
    return dict(_environment())


@lru_cache(maxsize=1)
def _environment() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "os": platform.platform(),
        "machine": platform.machine(),
        "byte_order": sys.byteorder,
        "packages": _packages(),
        "git": git_revision(Path(__file__).resolve().parent),
    }


def _packages() -> dict[str, str]:
    found = {dist.name: dist.version for dist in metadata.distributions()}
    return {name: found[name] for name in sorted(found, key=str.lower)}


def git_revision(folder: Path) -> str:
    """Return the commit of the tree that holds this module's file in ``folder``, or empty."""
    program = shutil.which("git")
    if program is None:
        return ""
    # A package inside somebody else's repository (a virtual environment there) is not tracked.
    if not _git(program, folder, "ls-files", Path(__file__).name):
        return ""
    commit = _git(program, folder, "rev-parse", "HEAD")
    changed = _git(program, folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}-dirty" if commit and changed else commit


def _git(program: str, folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [program, "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
