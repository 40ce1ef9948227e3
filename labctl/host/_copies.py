"""Copies of finished runs on another disk or a network share, made afterwards.

A run is always written where the computer itself keeps it. What could not be copied is remembered
in a file beside the runs, and tried again when the next run has ended.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from labctl.storage import file_digest

__all__ = ["copy_runs"]

_PENDING = "not-copied.json"
_TRIES = 3


def copy_runs(root: Path, run: Path, target: Path) -> list[str]:
    """Copy a run, and what could not be copied before; returns in words what failed.

    Args:
        root: Folder of all runs; the same folders are made below ``target``.
        run: Folder of a run that has ended.
        target: Where to.
    """
    pending = [*_pending(root), run.relative_to(root).as_posix()]
    failed: dict[str, str] = {}
    for name in dict.fromkeys(pending):
        if (root / name).is_dir() and (text := _copied(root / name, target / name)):
            failed[name] = text
    _remember(root, list(failed))
    return [f"{name} is not copied to {target}: {text}" for name, text in failed.items()]


def _copied(run: Path, target: Path) -> str:
    """Copy a folder; returns why it failed, in words, or an empty text."""
    text = ""
    for _ in range(_TRIES):
        try:
            target.mkdir(parents=True, exist_ok=True)
            for file in sorted(run.iterdir()):
                if file.is_file():
                    _copy(file, target / file.name)
        except OSError as error:
            text = str(error)
        else:
            return ""
    return text


def _copy(file: Path, to: Path) -> None:
    """Copy a file so that its name stands for all of it, as it was."""
    digest = file_digest(file)
    if to.exists() and file_digest(to) == digest:
        return
    part = to.with_name(f"{to.name}.part")
    shutil.copyfile(file, part)
    if file_digest(part) != digest:
        message = f"{part} is not what was copied; is the share sound?"
        raise OSError(message)
    os.replace(part, to)


def _pending(root: Path) -> list[str]:
    try:
        return [str(name) for name in json.loads((root / _PENDING).read_text("utf-8"))]
    except (OSError, ValueError):
        # None yet; what a torn file named is copied by hand.
        return []


def _remember(root: Path, names: Sequence[str]) -> None:
    path = root / _PENDING
    if not names:
        path.unlink(missing_ok=True)
        return
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(list(names), indent=1), "utf-8")
    os.replace(part, path)
