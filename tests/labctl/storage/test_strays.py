"""Raw data that were being written when a process died."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from labctl.storage import RecordKind, finalise, read_run, recover

Begin = Callable[..., Any]
CONTENT = b"raw records"


@pytest.fixture
def broken_off(scribe: Begin, folder: Path) -> Path:
    """A run that ended in its second point, with files beside."""
    with scribe() as run:
        run.start()
        run.point(0)
        known = folder / "run_p0000.ptu"
        known.write_bytes(b"known")
        entry = {"name": known.name, "size": 5, "sha256": sha256(b"known").hexdigest()}
        run.writer.append(RecordKind.SIDECAR, entry)
    for name in ("run_p0001.ptu", "run_p0001_2.ptu"):
        (folder / name).write_bytes(CONTENT)
    # Of no point, or of another run.
    for name in ("run_failure.json", "notes.txt", "other_p0001.ptu", "run_p1.ptu"):
        (folder / name).write_bytes(b"else")
    return folder / "run.lcj"


def test_files_that_no_record_names_belong_to_the_recovered_run(broken_off: Path) -> None:
    report = recover(broken_off)
    assert [text.split()[0] for text in report.remarks] == ["run_p0001.ptu", "run_p0001_2.ptu"]
    assert all(f"({len(CONTENT)} bytes)" in text for text in report.remarks)
    known, *strays = read_run(report.product).sidecars
    assert known["name"] == "run_p0000.ptu"
    digest = sha256(CONTENT).hexdigest()
    assert [dict(entry) for entry in strays] == [
        {"name": name, "size": len(CONTENT), "sha256": digest, "stray": True}
        for name in ("run_p0001.ptu", "run_p0001_2.ptu")
    ]


def test_doing_it_again_changes_nothing(broken_off: Path, folder: Path) -> None:
    finalise(broken_off)
    before = (folder / "run.nxs").read_bytes()
    assert not recover(folder).made
    assert (folder / "run.nxs").read_bytes() == before
