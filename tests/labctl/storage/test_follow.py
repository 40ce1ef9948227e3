"""Points of a growing journal, each record read once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labctl.errors import StorageError
from labctl.storage import PointFollower, read_run
from labctl.storage import _reader as reader_module

Begin = Callable[..., Any]


def test_each_point_is_as_in_the_whole_run(scribe: Begin) -> None:
    with scribe() as run:
        follower = PointFollower(run.path)
        assert follower.newest() is None
        run.start()
        assert follower.newest() is None
        found: list[Any] = []
        for index in range(3):
            run.monitor(4.0 + index)
            run.point(index)
            found.append(follower.newest())
            assert follower.newest() is None
        whole = read_run(run.path).data["spectrum"]
    for index, point in enumerate(found):
        assert point.identical(whole.isel(point=index))


def test_of_several_new_points_the_last_is_given(scribe: Begin) -> None:
    with scribe() as run:
        run.start()
        follower = PointFollower(run.path)
        run.point(0)
        run.point(1, label="x")
        run.event("after it")
        point = follower.newest()
        assert point is not None
        assert point.identical(read_run(run.path).data["spectrum_x"].isel(point=0))


def test_the_work_per_point_does_not_grow(scribe: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[int] = []
    read: Any = vars(reader_module)["_read_record"]

    def count(file: Any, place: int, size: int) -> Any:
        places.append(place)
        return read(file, place, size)

    monkeypatch.setattr(reader_module, "_read_record", count)
    with scribe() as run:
        run.start()
        follower = PointFollower(run.path)
        per_point: list[int] = []
        for index in range(30):
            run.monitor(4.0)
            run.point(index)
            before = len(places)
            assert follower.newest() is not None
            per_point.append(len(places) - before)
    # One monitor, one point, and the end of the file; the first time also the start record.
    assert per_point == [4] + [3] * 29


def test_a_journal_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        PointFollower(tmp_path / "none.lcj").newest()
