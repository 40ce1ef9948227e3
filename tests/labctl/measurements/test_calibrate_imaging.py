"""The scale of pictures against a stage that moves the simulated sample."""

from collections.abc import Generator
from typing import Any, cast

import numpy as np
import pytest

from fake_stage import FakeAxis, FakeStage
from labctl.analysis import ImageScale, Measured, fit_image_scale, fit_image_turn
from labctl.clock import VirtualClock
from labctl.errors import AnalysisError, ConfigError
from labctl.measurements import CalibrateImagingScale, image_scale, laser_spot_px
from labctl.roles import Instrument
from labctl_sim.rig import Rig
from picture_lab import PlainContext, picture_lab

SCALE_UM, TURN_DEG = 0.0921, 1.8


class MovingStage(FakeStage):
    """A stage that carries the sample of a world."""

    world: Any = None

    def _move(self, one: FakeAxis, um: float) -> None:
        super()._move(one, um)
        if self.world is not None:
            self.world.stage_um = tuple(self.real[axis].um for axis in "xyz")


def moved_by_sensors(rig: Rig, clock: VirtualClock) -> Instrument:
    stage = MovingStage(clock, closed=True)
    stage.world = rig.world
    rig.world.stage_um = (0.0, 0.0, 0.0)
    return stage


@pytest.fixture
def context() -> Generator[PlainContext]:
    with picture_lab(moved_by_sensors) as context:
        yield context


def test_scale_rotation_and_handedness_come_out(context: PlainContext) -> None:
    """Truth 0.0921 um per pixel, 1.8 degrees, mirrored; nominally 0.0883, not turned, not so."""
    camera = cast("Any", context.station["imaging_camera"])
    with pytest.raises(ConfigError, match=r"calibrate: \{kind: imaging_scale"):
        image_scale(context.context, camera)
    calibration = CalibrateImagingScale(exposure="50 ms", roi=(400, 512, 250, 512))
    calibration.run(context.context)
    found = image_scale(context.context, camera)
    assert found.mirrored
    assert found.um_per_pixel.value == pytest.approx(SCALE_UM, rel=0.005)
    assert found.um_per_pixel.covers(SCALE_UM, 4.0)
    assert found.rotation_deg.covers(TURN_DEG, 4.0)
    assert found.um_per_pixel.error < 0.005 * SCALE_UM
    stage = cast("Any", context.station["stage"])
    assert stage.read_position("x") == pytest.approx(0.0, abs=0.2)
    assert cast("Any", context.station["led"]).is_off()
    assert {array.name for array in context.stored} == {"counts", "frames", "stage", "shift"}


def test_a_missing_spot_says_how_to_make_it(context: PlainContext) -> None:
    with pytest.raises(ConfigError, match=r"calibrate: \{kind: laser_spot"):
        laser_spot_px(context.context, cast("Any", context.station["imaging_camera"]))


@pytest.mark.parametrize("mirrored", [True, False])
def test_fit_of_movements(mirrored: bool) -> None:
    """12 draws with 20 nm scatter of the stage: pulls of scale and rotation within 1 +- 0.65."""
    truth = ImageScale(Measured(0.09, 0.0), Measured(-3.0, 0.0), mirrored, 0.0)
    pulls: list[tuple[float, float]] = []
    for number in range(12):
        rng = np.random.default_rng(number)
        moved = rng.uniform(-6.0, 6.0, (9, 2))
        shift = truth.to_px(moved + 0.02 * rng.standard_normal((9, 2))) + np.array([2.0, -1.0])
        found = fit_image_scale(moved, shift)
        assert found.mirrored is mirrored
        pulls.append((found.um_per_pixel.pull(0.09), found.rotation_deg.pull(-3.0)))
        assert np.allclose(found.to_um(found.to_px(moved)), moved)
        assert ImageScale.from_record(found.to_record()) == found
    assert np.all(np.abs(np.std(pulls, axis=0) - 1.0) < 0.65)


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_stage_that_is_no_ruler_tells_how_the_picture_is_turned(mirrored: bool) -> None:
    """Steps 1.6 and 0.7 times as large as believed, and 10 % more forwards than backwards."""
    truth = ImageScale(Measured(0.09, 0.0), Measured(5.0, 0.0), mirrored, 0.0)
    believed = np.array([[0, 0], [3, 0], [-3, 0], [6, 0], [-6, 0], [0, 3], [0, -3], [0, 6]], float)
    really = believed * np.array([1.6, 0.7]) * np.where(believed > 0, 1.1, 1.0)
    really += 0.02 * np.random.default_rng(0).standard_normal(really.shape)
    found = fit_image_turn(believed, truth.to_px(really), Measured(0.088, 0.004))
    assert found.mirrored is mirrored
    assert found.rotation_deg.covers(5.0, 4.0)
    assert found.rotation_deg.error < 3.0
    assert found.um_per_pixel == Measured(0.088, 0.004)


def test_movements_that_tell_nothing_are_refused() -> None:
    line = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    with pytest.raises(AnalysisError, match="one line only"):
        fit_image_scale(line, line)
    with pytest.raises(AnalysisError, match="at least 4"):
        fit_image_scale(line[:2], line[:2])
    rng = np.random.default_rng(0)
    with pytest.raises(AnalysisError, match="does not follow the stage"):
        fit_image_scale(rng.uniform(-5, 5, (9, 2)), rng.uniform(-50, 50, (9, 2)))
