"""Row 27: the network share for data is not there, breaks off, or copies wrongly."""

import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from interrupted import SHORT, points_of, request_of
from labctl.host import LocalHost, RunReport
from labctl.host._copies import copy_runs
from labctl.storage import file_digest, read_run
from small_setup import Bench, arrays


def made(root: Path, name: str) -> Path:
    run = root / "2026" / name
    run.mkdir(parents=True)
    (run / f"{name}.lcj").write_bytes(name.encode() * 1000)
    (run / f"{name}.nxs").write_bytes(b"product" + name.encode())
    return run


def same(run: Path, copy: Path) -> bool:
    names = sorted(path.name for path in run.iterdir())
    return names == sorted(path.name for path in copy.iterdir()) and all(
        file_digest(run / name) == file_digest(copy / name) for name in names
    )


def test_what_could_not_be_copied_is_copied_after_the_next_run(tmp_path: Path) -> None:
    root, share = tmp_path / "data", tmp_path / "share"
    share.write_text("a file where the folder of the share should be")
    first, second = made(root, "first"), made(root, "second")
    (text,) = copy_runs(root, first, share / "runs")
    assert "2026/first is not copied to" in text
    share.unlink()
    assert copy_runs(root, second, share / "runs") == []
    assert same(first, share / "runs" / "2026" / "first")
    assert same(second, share / "runs" / "2026" / "second")
    assert sorted(path.name for path in root.iterdir()) == ["2026"]
    assert copy_runs(root, second, share / "runs") == []


@pytest.mark.parametrize("bad", range(3))
def test_a_share_that_breaks_off_is_tried_again(tmp_path: Path, bad: int) -> None:
    root, share = tmp_path / "data", tmp_path / "share"
    run, calls, copy = made(root, "run"), list[Path](), shutil.copyfile

    def breaks(source: Path, target: Path) -> Any:
        calls.append(source)
        if len(calls) <= bad:
            target.write_bytes(b"torn")
            if bad % 2:
                raise OSError("the network name is no longer available")
            return target
        return copy(source, target)

    with patch("labctl.host._copies.shutil.copyfile", breaks):
        assert copy_runs(root, run, share) == []
    assert same(run, share / "2026" / "run")


def run_with_share(bench: Bench, share: Path) -> RunReport:
    request = request_of(bench, SHORT)
    text = request.setup.read_text("utf-8") + f"copy_to: {share.as_posix()}\n"
    request.setup.write_text(text, "utf-8")
    return LocalHost().run(request)


def test_a_run_does_not_depend_on_the_share(bench: Bench) -> None:
    share = bench.folder / "share"
    share.write_text("in the way")
    report = run_with_share(bench, share / "runs")
    assert (report.outcome.status, report.outcome.reason) == ("complete", "")
    assert report.product is not None
    assert "not copied" in report.remarks[0]
    run = report.journal.parent
    assert len(points_of(run)) == 4
    share.unlink()
    again = run_with_share(bench, share / "runs")
    assert again.remarks == ()
    for folder in (run, again.journal.parent):
        copy = share / "runs" / folder.relative_to(bench.folder / "data")
        assert same(folder, copy)
        assert arrays(read_run(copy)) == arrays(read_run(folder))
