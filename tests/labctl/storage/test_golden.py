import importlib.util
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labctl.storage import RunStatus, TailState, read_journal, read_run, recover

NAMES = ("aborted", "complete", "crashed", "resumed", "resumed.s1")
PlainReader = Callable[[Path], Iterator[tuple[dict[str, Any], dict[str, Any]]]]


@pytest.fixture
def golden(root: Path) -> Path:
    return root / "tests" / "golden"


@pytest.fixture
def plain_reader(root: Path) -> PlainReader:
    """The reader that the specification prints, taken out of it."""
    text = (root / "docs" / "spec" / "journal.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- reader: begin -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    code = found.group(1)
    assert "labctl" not in code
    lines = [line for line in code.splitlines() if line.strip() and '"""' not in line]
    assert len(lines) <= 20
    names: dict[str, Any] = {}
    exec(code, names)
    return names["records"]


@pytest.mark.parametrize("name", NAMES)
def test_golden_files_are_written_byte_for_byte(name: str, golden: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_golden", golden / "make_golden.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert sorted(module.GOLDEN) == list(NAMES)
    module.main(tmp_path)
    assert (tmp_path / f"{name}.lcj").read_bytes() == (golden / f"{name}.lcj").read_bytes()
    assert (golden / f"{name}.lcj").stat().st_size < 20_000


@pytest.mark.parametrize(
    ("name", "kinds", "state", "status"),
    [
        ("aborted", "start point event stop", TailState.END, RunStatus.ABORTED),
        (
            "complete",
            "start event monitor point found point_part point monitor point sidecar analysis stop",
            TailState.END,
            RunStatus.COMPLETE,
        ),
        ("crashed", "start point point point monitor", TailState.INCOMPLETE, RunStatus.CRASHED),
        ("resumed", "start point found point", TailState.INCOMPLETE, RunStatus.CRASHED),
    ],
)
def test_golden_files_are_read(
    name: str, kinds: str, state: TailState, status: RunStatus, golden: Path, tmp_path: Path
) -> None:
    # Alone in a folder, because all journals of one folder are segments of one run.
    path = Path(shutil.copy(golden / f"{name}.lcj", tmp_path))
    with read_journal(path) as reader:
        assert [record.kind for record in reader] == kinds.split()
    assert reader.tail.state is state
    run = read_run(path)
    assert run.status is status
    assert run.uid == "6f1c0a52b7de4c18"
    first = run.data["spectrum"].isel(point=0)
    assert first["counts"].values.tolist() == [100 + pixel**2 for pixel in range(16)]
    assert first["frames"].sum("frame").values.tolist() == [first["counts"].values.tolist()]
    assert float(first["offset"]) == 100.5
    assert float(first["cryostat_temperature"]) == 4.003


@pytest.mark.parametrize("name", NAMES)
def test_the_reader_of_the_specification_reads_the_same(
    name: str, golden: Path, plain_reader: PlainReader
) -> None:
    plain = list(plain_reader(golden / f"{name}.lcj"))
    with read_journal(golden / f"{name}.lcj") as reader:
        ours = list(reader)
    assert len(plain) == len(ours)
    for (header, arrays), record in zip(plain, ours, strict=True):
        assert (header["kind"], header["seq"]) == (record.kind, record.seq)
        assert header["data"] == record.data
        assert list(arrays) == list(record.arrays)
        for array_name, values in arrays.items():
            assert np.array_equal(values, record.arrays[array_name].values)


def test_the_reader_of_the_specification_stops_at_damage(
    golden: Path, plain_reader: PlainReader, tmp_path: Path
) -> None:
    damaged = bytearray((golden / "complete.lcj").read_bytes())
    with read_journal(golden / "complete.lcj") as reader:
        places = [record.address for record in reader]
    damaged[places[4].offset + 20] ^= 4
    (tmp_path / "a.lcj").write_bytes(damaged)
    assert len(list(plain_reader(tmp_path / "a.lcj"))) == 4
    (tmp_path / "b.lcj").write_bytes(b"something else")
    with pytest.raises(ValueError, match="not a journal"):
        list(plain_reader(tmp_path / "b.lcj"))


def test_the_golden_segments_are_one_run(golden: Path, tmp_path: Path) -> None:
    for name in ("resumed", "resumed.s1"):
        shutil.copy(golden / f"{name}.lcj", tmp_path / f"{name}.lcj")
    report = recover(tmp_path)
    assert (report.status, report.points) == (RunStatus.COMPLETE, 4)
    for run in (read_run(tmp_path / "resumed.lcj"), read_run(report.product)):
        points = run.points
        assert points["index"].values.tolist() == [0, 1, 1, 2]
        assert points["segment"].values.tolist() == [0, 0, 1, 1]
        assert points["quality"].values.tolist() == [0, 0, 1 << 14, 0]
        assert points["superseded"].values.tolist() == [False, True, False, False]
        assert run.data["spectrum"]["point"].values.tolist() == [0, 1, 2]
        # Of the hour between the two processes only the time of day tells.
        assert points["time_s"].values.tolist() == [60.0, 120.0, 3660.0, 3720.0]
        first, second = run.segments
        assert (first.number, first.reason, first.stop) == (0, "", None)
        assert (first.ended_utc - first.began_utc).total_seconds() == 120.0
        assert second.reason == "crashed: the process ended without a word"
        assert (second.began_utc - first.began_utc).total_seconds() == 3600.0
        assert (second.ended_utc - second.began_utc).total_seconds() == 122.0
        assert second.stop is not None


def test_the_golden_crash_can_be_recovered(golden: Path, tmp_path: Path) -> None:
    shutil.copy(golden / "crashed.lcj", tmp_path / "crashed.lcj")
    report = recover(tmp_path)
    assert (report.status, report.points) == (RunStatus.RECOVERED, 3)
    run = read_run(tmp_path)
    assert run.data["spectrum"]["attempt"].values.tolist() == [0, 1]
