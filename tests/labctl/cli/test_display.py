"""What a person sees of a run, on a terminal and in a file."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from labctl.cli._display import RunDisplay, lab_time
from labctl.events import (
    Event,
    LiveResult,
    MoveFinished,
    PointStored,
    Progress,
    Reading,
    RunStarted,
    RunStopped,
    StateChanged,
)

COMMON: dict[str, Any] = {"run": "r", "seq": 0, "t_utc": datetime(2026, 1, 1, tzinfo=UTC)}
POINT: dict[str, Any] = {
    "index": 0, "step_id": "s", "measurement": "spectrum", "label": "", "arrays": (),
    "set": {}, "quality": 0, "brief": "peak 3014 counts in 2.2 s",
}  # fmt: skip


def started(points: int | None = 2) -> RunStarted:
    return RunStarted(
        **COMMON, t_mono_s=10.0, name="n", journal="a.lcj", points=points, expected_s=None,
        simulated=True,
    )  # fmt: skip


def moved() -> MoveFinished:
    return MoveFinished(
        **COMMON, t_mono_s=70.0, settable="cryostat.temperature", value=4.0, units="K", seconds=1.0
    )


def stored() -> PointStored:
    return PointStored(**COMMON, **POINT, t_mono_s=80.0, read={"cryostat.temperature": 3.9995})


def stopped(status: Any, reason: str, points: int) -> RunStopped:
    return RunStopped(
        **COMMON, t_mono_s=80.0, status=status, reason=reason, points=points, journal="a.lcj"
    )


def shown(*events: Event, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=terminal, color_system=None)
    with RunDisplay(console) as display:
        for event in events:
            display(event)
    return out.getvalue()


def test_a_point_is_told_with_units_and_lab_time() -> None:
    lines = shown(started(), moved(), stored()).splitlines()
    assert "point 0: peak 3014 counts in 2.2 s" in lines[1]
    assert "cryostat.temperature 3.9995 K" in " ".join(lines)
    assert "1 min 10 s" in " ".join(lines)


def test_the_end_says_how_many_points_of_those_planned_are_there() -> None:
    assert "complete: 1 of 2 points in" in shown(started(), stopped("complete", "", 1))
    assert "complete: 1 points in" in shown(started(None), stopped("complete", "", 1))


def test_a_reason_is_told_once() -> None:
    reason = "cryostat: no reply"
    states = [StateChanged(**COMMON, t_mono_s=20.0, state=s, reason=reason) for s in
              ("stopping", "failed")]  # fmt: skip
    text = shown(started(), *states, stopped("failed", reason, 0))
    assert text.count(reason) == 1
    assert f"stopping: {reason}" in text
    assert "failed: 0 of 2 points" in text


def test_an_end_with_a_reason_of_its_own_tells_it() -> None:
    assert "aborted: 0 of 2 points in 1 min 10 s of lab time: by hand" in shown(
        started(), stopped("aborted", "by hand", 0)
    )


def test_a_terminal_of_80_columns_has_room_for_temperature_and_counts() -> None:
    reading = Reading(**COMMON, t_mono_s=75.0, quantity="cryostat.temperature", value=4, units="K")
    text = shown(
        started(), reading, Progress(**COMMON, t_mono_s=76.0, text="frame 2 of 2"), stored(),
        terminal=True,
    )  # fmt: skip
    assert "1/2" in text
    assert "cryostat.temperature 4 K" in text
    assert "peak 3014 counts" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3.25, "3.25 s"), (59.9, "59.9 s"), (70.0, "1 min 10 s"), (10_140.0, "2 h 49 min")],
)
def test_lab_time(seconds: float, words: str) -> None:
    assert lab_time(seconds) == words


def test_what_has_come_out_so_far_is_seen_on_a_terminal_only() -> None:
    live = LiveResult(**COMMON, t_mono_s=20.0, measurement="trpl", values={"lifetime_ps": 1234.0})
    assert "lifetime_ps 1234" in shown(started(), live, terminal=True)
    assert "lifetime_ps" not in shown(started(), live)
