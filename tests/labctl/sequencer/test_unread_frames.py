"""The guard of an EM register in a live view that nobody looks at any more."""

import pytest

from fake_lab import FakeCamera, settings_of
from labctl.clock import VirtualClock
from labctl.errors import ProtectionError


def gained(clock: VirtualClock) -> FakeCamera:
    camera = FakeCamera(clock)
    camera.configure(settings_of(1))
    camera.start(1)
    clock.sleep(1.0)
    camera.read_frames()
    camera.configure(settings_of(10))
    camera.start(100)
    return camera


def test_frames_that_lie_unread_end_the_gain_and_latch() -> None:
    clock = VirtualClock()
    camera = gained(clock)
    # 5 s and two frames of 1 s after the first look that found one.
    for _ in range(8):
        clock.sleep(1.0)
        camera.look(clock.now())
    clock.sleep(1.0)
    with pytest.raises(ProtectionError, match="gained frames have lain unread for 5 s"):
        camera.look(clock.now())
    assert camera.gain == 1
    assert not camera.enabled
    assert camera.tripped
    camera.rearm()
    assert not camera.tripped


def test_frames_that_are_read_are_nobodys_business() -> None:
    clock = VirtualClock()
    camera = gained(clock)
    for _ in range(30):
        clock.sleep(1.0)
        camera.look(clock.now())
        camera.read_frames()
    assert not camera.tripped
    assert camera.gain == 10


def test_frames_without_gain_may_wait() -> None:
    clock = VirtualClock()
    camera = FakeCamera(clock)
    camera.configure(settings_of(1))
    camera.start(100)
    for _ in range(30):
        clock.sleep(1.0)
        camera.look(clock.now())
    assert not camera.tripped
