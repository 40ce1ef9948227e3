"""Raw data beside a journal that no record names: the process died before it could."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from labctl.storage._durable import file_digest
from labctl.storage._folders import JOURNAL_SUFFIX


def stray_sidecars(journal: Path, known: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return sidecars of points that lie beside the first journal of a run and are not ``known``.

    Returns:
        By name: ``name``, ``size`` (bytes) and ``sha256`` as in a sidecar record, and ``stray``.
        To which attempt they belong nobody has written down.

    Raises:
        OSError: One cannot be read.
    """
    stem = re.escape(journal.name.removesuffix(JOURNAL_SUFFIX))
    pattern = re.compile(rf"{stem}_p\d{{4,}}(_\d+)?\.\w+")
    names = {str(entry.get("name", "")) for entry in known}
    found = sorted(path for path in journal.parent.iterdir() if pattern.fullmatch(path.name))
    return [
        {"name": path.name, **file_digest(path), "stray": True}
        for path in found
        if path.name not in names
    ]
