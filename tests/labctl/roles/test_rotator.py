"""Rotation mounts: limits, the search for the home before the first move, angles on a circle."""

from typing import Any

import pytest

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles import Identity, Limits, Rotator


class Mount(Rotator):
    """A mount that arrives when it is told to, and stands where it is told to."""

    def __init__(self, limits: dict[str, Limits] | None = None, *, homed: bool = True) -> None:
        super().__init__("mount", limits)
        self.orders: list[str] = []
        self.moving, self.homed, self.finds_home = False, homed, True
        self.at_deg = 0.0

    def identity(self) -> Identity:
        return Identity("nobody", "mount")

    def snapshot(self) -> dict[str, Any]:
        return {}

    def is_moving(self) -> bool:
        return self.moving

    def is_homed(self) -> bool:
        return self.homed

    def read_angle(self) -> float:
        return self.at_deg

    def arrive(self) -> None:
        if self.orders[-1] == "home":
            self.homed = self.finds_home
        self.moving = False

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None

    def _write_angle_deg(self, angle_deg: float) -> None:
        self.orders.append(f"{angle_deg:g}")
        self.moving = True

    def _write_home(self) -> None:
        self.orders.append("home")
        self.moving = True

    def _write_stop(self) -> None:
        self.orders.append("stop")
        self.moving = False


def test_a_move_is_started_asked_for_and_read_back() -> None:
    mount = Mount()
    angle = mount.settable("angle")
    angle.start(45.0)
    assert not angle.arrived()
    mount.arrive()
    assert angle.arrived()
    mount.at_deg = 45.05
    assert angle.confirm(45.0) == pytest.approx(45.05)


@pytest.mark.parametrize(
    ("at_deg", "target_deg", "told_deg"),
    [(359.95, 0.0, -0.05), (0.05, 360.0, 360.05), (0.0, 360.0, 360.0), (359.96, 360.0, 359.96)],
)
def test_angles_are_compared_on_the_circle(
    at_deg: float, target_deg: float, told_deg: float
) -> None:
    mount = Mount()
    mount.at_deg = at_deg
    assert mount.settable("angle").confirm(target_deg) == pytest.approx(told_deg)


@pytest.mark.parametrize("at_deg", [45.2, 44.8, 225.0, float("nan")])
def test_a_mount_that_does_not_arrive_is_an_error(at_deg: float) -> None:
    mount = Mount()
    mount.at_deg = at_deg
    with pytest.raises(DeviceRefusedError, match=r"mount: 'mount.angle = 45 deg'.*turn freely"):
        mount.settable("angle").confirm(45.0)


def test_a_mount_without_home_is_homed_first() -> None:
    mount = Mount(homed=False)
    mount.start_angle(30.0)
    assert mount.orders == ["home"]
    assert not mount.angle_arrived()
    mount.arrive()
    assert not mount.angle_arrived()
    assert mount.orders == ["home", "30"]
    mount.arrive()
    assert mount.angle_arrived()
    mount.start_angle(10.0)
    assert mount.orders == ["home", "30", "10"]


def test_a_home_that_is_not_found_is_an_error() -> None:
    mount = Mount(homed=False)
    mount.finds_home = False
    mount.start_angle(30.0)
    mount.arrive()
    with pytest.raises(DeviceRefusedError, match="does not find its home"):
        mount.angle_arrived()
    assert mount.orders == ["home"]


@pytest.mark.parametrize("order", ["stop", "start_home"])
def test_a_later_order_replaces_the_move_behind_the_search(order: str) -> None:
    mount = Mount(homed=False)
    mount.start_angle(30.0)
    getattr(mount, order)()
    mount.arrive()
    assert mount.angle_arrived()
    assert "30" not in mount.orders


def test_a_full_turn_is_none() -> None:
    mount = Mount()
    mount.start_angle(360.0)
    assert mount.orders == ["0"]


@pytest.mark.parametrize("angle_deg", [-0.1, 360.1, 80.0, float("nan"), float("inf")])
def test_nothing_is_sent_for_an_angle_out_of_limits(angle_deg: float) -> None:
    mount = Mount({"angle": Limits(0.0, 75.0)})
    with pytest.raises(RefusedError, match="angle"):
        mount.start_angle(angle_deg)
    assert mount.orders == []
