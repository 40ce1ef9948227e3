"""Named positions: only those that there are, and read back."""

from typing import Any

import pytest

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles import Identity, Selector


class Mirror(Selector):
    def __init__(self) -> None:
        super().__init__("mirror")
        self.at, self.started = "out", list[str]()

    def identity(self) -> Identity:
        return Identity("fake", "mirror")

    def snapshot(self) -> dict[str, Any]:
        return {"position": self.at}

    def positions(self) -> tuple[str, ...]:
        return ("out", "in")

    def is_moving(self) -> bool:
        return False

    def read_position(self) -> str:
        return self.at

    def _start(self, position: str) -> None:
        self.started.append(position)

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


def test_an_unknown_position_is_refused_before_anything_is_sent() -> None:
    mirror = Mirror()
    with pytest.raises(RefusedError, match=r"mirror: has no position 'up' \(positions: out, in\)"):
        mirror.start_position("up")
    assert mirror.started == []
    mirror.start_position("in")
    assert mirror.started == ["in"]


def test_the_position_is_read_back() -> None:
    mirror = Mirror()
    mirror.confirm_position("out")
    with pytest.raises(DeviceRefusedError, match="stands at 'out'"):
        mirror.confirm_position("in")
    mirror.at = ""
    with pytest.raises(DeviceRefusedError, match="none of its positions"):
        mirror.confirm_position("in")


def test_a_guard_that_is_not_there_cannot_be_re_armed() -> None:
    with pytest.raises(RefusedError, match="a selector has no guard that latches"):
        Mirror().rearm()
