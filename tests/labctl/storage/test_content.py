"""What a record can say, whatever its checksum."""

from typing import Any

import pytest

from labctl.storage import RecordKind
from labctl.storage._content import check_content

POSSIBLE: list[tuple[RecordKind, dict[str, Any]]] = [
    (RecordKind.SIDECAR, {"name": "run_p0001.ptu", "size": 0}),
    (RecordKind.POINT, {"index": 0, "quality": 3, "began_s": None, "live_time_s": 0.0}),
    (RecordKind.POINT, {"read": {"a.b": {"value": None, "units": "K"}}, "later": object}),
    (RecordKind.MONITOR, {"quantity": "a.b", "value": 4.0}),
]
IMPOSSIBLE: list[tuple[RecordKind, dict[str, Any]]] = [
    *((RecordKind.SIDECAR, {"name": name}) for name in ("../a", "a\\b", "C:a", "..", ".", "", 3)),
    (RecordKind.SIDECAR, {"size": -1}),
    *((RecordKind.POINT, {"index": value}) for value in (-1, True, 2**53, 1.0, "0")),
    *((RecordKind.POINT, {"began_s": value}) for value in (1e12, float("nan"), True, "1")),
    (RecordKind.POINT, {"live_time_s": -1e-9}),
    (RecordKind.POINT, {"read": {"a.b": 4.0}}),
    (RecordKind.MONITOR, {"value": 4.0}),
]


@pytest.mark.parametrize(("kind", "data"), POSSIBLE)
def test_what_is_written_is_taken(kind: RecordKind, data: dict[str, Any]) -> None:
    check_content(kind, data)


@pytest.mark.parametrize(("kind", "data"), IMPOSSIBLE)
def test_what_nobody_writes_is_refused(kind: RecordKind, data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"cannot have|a reading of nothing"):
        check_content(kind, data)
