"""Where runs lie: one folder per run, a name that is never used twice."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from labctl.errors import StorageError
from labctl.storage._durable import sync_directory

JOURNAL_SUFFIX = ".lcj"
PRODUCT_SUFFIX = ".nxs"
_NAME_LIMIT = 40
"""Longest sample or recipe name in a path; Windows allows 260 characters in all."""


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; all are named like the folder."""

    path: Path

    @property
    def stem(self) -> str:
        """Name of the run's files without suffix."""
        return self.path.name

    @property
    def journal(self) -> Path:
        """Journal of the first segment."""
        return self.segment_journal(0)

    def segment_journal(self, segment: int) -> Path:
        """Return the journal of a segment."""
        middle = f".s{segment}" if segment else ""
        return self.path / f"{self.stem}{middle}{JOURNAL_SUFFIX}"

    def sidecar(self, point: int, suffix: str = ".ptu") -> Path:
        """Return the file for raw data of one point."""
        return self.path / f"{self.stem}_p{point:04d}{suffix}"

    def new_sidecar(self, point: int, suffix: str) -> Path:
        """Return the file for raw data of one point; numbered on if an earlier attempt has it."""
        path, number = self.sidecar(point, suffix), 1
        while path.exists():
            number += 1
            path = self.sidecar(point, f"_{number}{suffix}")
        return path

    def journals(self) -> tuple[Path, ...]:
        """Return the existing journals, in the order of their segments."""
        found = sorted(self.path.glob(f"*{JOURNAL_SUFFIX}"), key=_segment_number)
        return journal_segments(found[0]) if found else ()

    def product(self) -> Path | None:
        """Return the newest product that holds everything that is in the journals."""
        from labctl.storage._products import current_product

        return current_product(self.path, self.journals())


def new_run_folder(root: Path, sample: str, name: str, uid: str, utc: datetime) -> RunFolder:
    """Create ``<root>/<YYYY>/<YYYYMMDD>/<YYYYMMDD-HHMMSS>_<sample>_<name>_<uid>/``.

    Args:
        root: Folder of all runs; created if need be.
        sample: Name of the sample.
        name: Name of the recipe.
        uid: Unique name of the run; its first eight characters are used.
        utc: Start time; the folder is named in its zone.

    Raises:
        StorageError: If the folder exists or cannot be created.
    """
    day = root.expanduser() / f"{utc:%Y}" / f"{utc:%Y%m%d}"
    parts = [f"{utc:%Y%m%d-%H%M%S}", slug(sample), slug(name), slug(uid[:8])]
    folder = day / "_".join(parts)
    try:
        day.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        for parent in (day, day.parent, day.parent.parent):
            sync_directory(parent)
    except OSError as error:
        message = f"the run folder {folder} cannot be created: {error.strerror or error}"
        raise StorageError(message) from error
    return RunFolder(folder)


def list_runs(root: Path) -> tuple[RunFolder, ...]:
    """Return all runs below a folder, oldest first."""
    found = {file.parent for file in _files(root.expanduser())}
    return tuple(RunFolder(path) for path in sorted(found, key=lambda path: path.name))


def journal_segments(journal: Path) -> tuple[Path, ...]:
    """Return the journals of all segments of the run to which a journal belongs.

    Raises:
        StorageError: If the journal of an earlier segment is missing.
    """
    stem = _base_stem(journal)
    pattern = re.compile(rf"{re.escape(stem)}(\.s\d+)?{re.escape(JOURNAL_SUFFIX)}")
    found = [path for path in journal.parent.iterdir() if pattern.fullmatch(path.name)]
    found.sort(key=_segment_number)
    numbers = [_segment_number(path) for path in found]
    if numbers != list(range(len(numbers))) or not numbers:
        message = f"{journal.parent}: the journals of segments {numbers} are not a whole run"
        raise StorageError(message)
    return tuple(found)


def product_path(journal: Path) -> Path:
    """Return the name of the product of the run to which a journal belongs."""
    return journal.with_name(f"{_base_stem(journal)}{PRODUCT_SUFFIX}")


def slug(text: str) -> str:
    """Return a part of a file name that every system and every HDF5 library takes."""
    plain = unicodedata.normalize("NFKD", text.replace("µ", "u").replace("μ", "u"))
    words = re.sub(r"[^A-Za-z0-9.-]+", "-", plain.encode("ascii", "ignore").decode())
    return words.strip("-.")[:_NAME_LIMIT].rstrip("-.") or "unnamed"


def _files(root: Path) -> Iterator[Path]:
    for suffix in (JOURNAL_SUFFIX, PRODUCT_SUFFIX):
        yield from root.rglob(f"*{suffix}")


def _base_stem(journal: Path) -> str:
    return re.sub(r"\.s\d+$", "", journal.name.removesuffix(JOURNAL_SUFFIX))


def _segment_number(journal: Path) -> int:
    found = re.search(r"\.s(\d+)\.lcj$", journal.name)
    return int(found.group(1)) if found else 0
