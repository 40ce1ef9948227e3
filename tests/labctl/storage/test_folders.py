from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from labctl.errors import StorageError
from labctl.storage import list_runs, new_run_folder, product_path
from labctl.storage._folders import slug

NOON = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)


def test_a_run_folder_says_when_what_and_which(tmp_path: Path) -> None:
    folder = new_run_folder(tmp_path, "CsPbBr3 23 nm", "temperature series", "6f1c0a52b7de", NOON)
    stem = "20260301-123015_CsPbBr3-23-nm_temperature-series_6f1c0a52"
    assert folder.path == tmp_path / "2026" / "20260301" / stem
    assert folder.path.is_dir()
    assert folder.journal.name == f"{stem}.lcj"
    assert folder.segment_journal(2).name == f"{stem}.s2.lcj"
    assert folder.sidecar(7).name == f"{stem}_p0007.ptu"
    assert product_path(folder.segment_journal(2)).name == f"{stem}.nxs"


def test_a_name_is_never_used_twice(tmp_path: Path) -> None:
    new_run_folder(tmp_path, "a", "b", "c", NOON)
    with pytest.raises(StorageError, match="cannot be created"):
        new_run_folder(tmp_path, "a", "b", "c", NOON)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("plain", "plain"),
        ("23 nm / 4 K", "23-nm-4-K"),
        ("µ-PL", "u-PL"),
        ("Löschen…", "Loschen"),
        ("../../etc", "etc"),
        ("", "unnamed"),
        ("量子", "unnamed"),
        ("a_b", "a-b"),
        ("x" * 100, "x" * 40),
        ("dots.", "dots"),
    ],
)
def test_names_suit_every_file_system(text: str, name: str) -> None:
    assert slug(text) == name


def test_runs_are_listed_oldest_first(tmp_path: Path, new_scribe: Callable[[Path], Any]) -> None:
    folders = [
        new_run_folder(tmp_path, "dot", name, name, NOON + timedelta(hours=hours))
        for hours, name in ((30, "third"), (0, "first"), (2, "second"))
    ]
    new_run_folder(tmp_path, "dot", "empty", "empty", NOON)
    for folder in folders:
        new_scribe(folder.journal).writer.close()
    names = [folder.stem.split("_")[2] for folder in list_runs(tmp_path)]
    assert names == ["first", "second", "third"]
    assert list_runs(tmp_path / "nowhere") == ()
