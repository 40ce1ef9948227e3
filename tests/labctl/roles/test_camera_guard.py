"""Protection of the EM register: preview with margin, trip, latch."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_lab import FakeCamera, settings_of
from labctl.clock import VirtualClock
from labctl.errors import DeviceRefusedError, NoReplyError, ProtectionError, RefusedError
from labctl.roles import CameraSettings


def camera() -> FakeCamera:
    return FakeCamera(VirtualClock())


def take(camera: FakeCamera, frames: int = 1) -> None:
    camera.start(frames)
    camera.clock.sleep(frames * camera.exposure_s)
    camera.read_frames()
    camera.stop()


def previewed(gain: int = 100, exposure_s: float = 1.0) -> FakeCamera:
    found = camera()
    found.configure(settings_of(1, exposure_s))
    take(found)
    found.configure(settings_of(gain, exposure_s))
    return found


def test_gain_without_a_preview_is_refused_before_anything_is_sent() -> None:
    found = camera()
    with pytest.raises(RefusedError, match="EM gain 100 without a preview"):
        found.configure(settings_of(100))
    assert found.diary == []


def test_gain_after_a_preview_with_margin_is_allowed() -> None:
    found = previewed(100)
    assert found.gain == 100
    take(found, 3)
    assert not found.tripped


def test_gain_beyond_the_margin_is_refused_and_the_largest_allowed_is_named() -> None:
    found = camera()
    found.configure(settings_of(1))
    take(found)
    # 100 counts above the offset; 80 % of 65535 are 52428.
    with pytest.raises(RefusedError, match=r"use at most 524"):
        found.configure(settings_of(525))
    assert found.configure(settings_of(524)).em_gain == 524


@pytest.mark.parametrize(
    "other",
    [
        replace(settings_of(100), exposure_s=2.0),
        replace(settings_of(100), quality="low_noise"),
        replace(settings_of(100), adc_mhz=5.0),
        replace(settings_of(100), analog_gain=3),
        replace(settings_of(100), roi=replace(settings_of().roi, height=2)),
    ],
)
def test_a_preview_counts_for_its_own_settings_only(other: CameraSettings) -> None:
    found = camera()
    found.configure(settings_of(1))
    take(found)
    with pytest.raises(RefusedError, match="without a preview"):
        found.configure(other)


def test_an_exposure_off_the_camera_s_grid_finds_its_preview_by_either_wording() -> None:
    found = camera()
    held = found.configure(settings_of(1, 0.0123456))
    assert held.exposure_s == 0.012
    take(found)
    assert found.configure(settings_of(10, 0.0123456)).exposure_s == 0.012
    found.configure(settings_of(1, 0.0123456))
    take(found)
    assert found.configure(settings_of(10, 0.012)).em_gain == 10


def test_a_camera_that_holds_other_settings_with_gain_goes_back_to_gain_1() -> None:
    found = camera()
    found.configure(settings_of(1, 0.0123456))
    take(found)
    found.step_s = 0.01
    with pytest.raises(DeviceRefusedError, match="take the preview again"):
        found.configure(settings_of(10, 0.0123456))
    assert found.gain == 1


def test_the_brightest_frame_of_a_preview_counts() -> None:
    found = camera()
    found.configure(settings_of(1))
    found.start(2)
    found.light_hz = 10_000.0
    found.clock.sleep(1.0)
    found.read_frames()
    found.light_hz = 1.0
    found.clock.sleep(1.0)
    found.read_frames()
    with pytest.raises(RefusedError, match="would bring"):
        found.configure(settings_of(100))


def test_a_new_acquisition_at_gain_1_makes_the_old_preview_void() -> None:
    found = camera()
    found.configure(settings_of(1))
    take(found)
    found.start(1)
    found.stop()
    with pytest.raises(RefusedError, match="without a preview"):
        found.configure(settings_of(10))


def test_light_on_all_pixels_is_not_taken_for_the_offset() -> None:
    found = camera()
    found.configure(settings_of(1))
    take(found)
    found.uniform_hz = 600.0
    found.configure(settings_of(1))
    take(found)
    # 700 counts above the offset: at gain 100 that is beyond 80 % of full scale.
    with pytest.raises(RefusedError, match="would bring 70000"):
        found.configure(settings_of(100))


def test_too_much_light_at_gain_shuts_drops_the_gain_and_latches() -> None:
    found = previewed(100)
    found.light_hz = 530.0
    with pytest.raises(ProtectionError, match=r"53500 counts at EM gain 100: too much light"):
        take(found)
    assert not found.enabled
    assert found.gain == 1
    assert not found.running
    for action in (lambda: found.configure(settings_of(1)), lambda: found.start(1)):
        with pytest.raises(ProtectionError, match="re-arm"):
            action()
    assert not found.enabled


def test_re_arming_asks_for_a_new_preview() -> None:
    found = previewed(100)
    found.light_hz = 600.0
    with pytest.raises(ProtectionError):
        take(found)
    found.rearm()
    found.light_hz = 100.0
    with pytest.raises(RefusedError, match="without a preview"):
        found.configure(settings_of(100))
    found.configure(settings_of(1))
    take(found)
    assert found.configure(settings_of(100)).em_gain == 100


def test_a_trip_whose_shutter_fails_still_drops_the_gain_and_says_so() -> None:
    found = previewed(100)
    found.light_hz = 600.0
    found.troubles.add("camera.shut", NoReplyError("camera", "shut", "silence"))
    with pytest.raises(ProtectionError, match="NOT SAFE: camera: 'shut': silence"):
        take(found)
    assert found.gain == 1
    assert found.tripped


@given(st.floats(0.0, 60_000.0), st.integers(2, 1000))
def test_no_gain_passes_that_would_exceed_the_guard_level(light_hz: float, gain: int) -> None:
    found = camera()
    found.light_hz = light_hz
    found.configure(settings_of(1))
    take(found)
    try:
        found.configure(settings_of(gain))
    except RefusedError:
        assert found.gain == 1
    else:
        # Half a count is lost when the preview is digitised.
        assert light_hz * gain <= 0.8 * 65535 + gain


def test_gain_that_came_with_a_failed_configuration_is_dropped() -> None:
    found = camera()
    found.configure(settings_of(1))
    take(found)
    found.troubles.add("confirm", DeviceRefusedError("camera", "read-back", "is not as asked"))
    with pytest.raises(DeviceRefusedError):
        found.configure(settings_of(50))
    assert found.gain == 50
    found.make_safe("em_gain_1")
    assert found.gain == 1


def test_a_warm_sensor_is_refused_unless_it_is_allowed() -> None:
    found = camera()
    found.locked = False
    found.configure(settings_of(1))
    with pytest.raises(RefusedError, match=r"-20.0 degC and not locked \(wait .* 'unlocked_sensor"):
        found.start(1)
    found.start(1, allow_unlocked=True)
    assert found.running


def test_starting_before_configuring_and_a_region_off_the_sensor_are_refused() -> None:
    found = camera()
    with pytest.raises(RefusedError, match="start before configure"):
        found.start(1)
    with pytest.raises(RefusedError, match="not on the sensor"):
        found.configure(replace(settings_of(), roi=replace(settings_of().roi, width=9)))
