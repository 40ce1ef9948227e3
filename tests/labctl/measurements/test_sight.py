"""Where an open-loop stage is by the picture of the sample, and maps that rest on it."""

import math
from typing import Any

import pytest

from labctl.errors import AnalysisError
from labctl.measurements._places import Places
from labctl.measurements._sight import Sight, sight_of
from picture_lab import SCALE_RECORD, PlainContext, open_loop_lab


def sight(context: PlainContext) -> Sight:
    context.calibrations["imaging_scale"] = {"imaging_camera": SCALE_RECORD}
    stage: Any = context.station["stage"]
    found = sight_of(context.context, Places(context.context, stage))
    assert found is not None
    return found


def apart_um(context: PlainContext, x_um: float, y_um: float) -> float:
    really = context.world.stage_um
    return math.dist(really[:2], (x_um, y_um))


def test_it_goes_far_and_comes_back_although_steps_are_of_another_size() -> None:
    """Steps are believed 5 to 15 % smaller; each place is met to 0.06 um by the picture, and that
    to 0.05 um by the creep of the piezo and the errors of pictures."""
    with open_loop_lab(0) as context:
        eye = sight(context)
        eye.look()
        for x_um, y_um in ((3.0, -2.0), (-14.0, 9.0), (11.0, 16.0), (0.0, 0.0)):
            eye.go(x_um, y_um)
            assert apart_um(context, x_um, y_um) < 0.11
            assert eye.places.read_axis("x") == pytest.approx(x_um, abs=0.06)


def test_a_slip_is_seen_and_believed() -> None:
    with open_loop_lab(0) as context:
        eye = sight(context)
        eye.look()
        context.inject("stage", "glitch", axis="x", by_um=2.5)
        x_um, y_um = eye.look()
        assert (x_um, y_um) == pytest.approx((2.5, 0.0), abs=0.05)
        eye.go(0.0, 0.0)
        assert apart_um(context, 0.0, 0.0) < 0.11


def test_where_nothing_was_seen_before_it_does_not_guess() -> None:
    with open_loop_lab(0) as context:
        eye = sight(context)
        eye.look()
        context.inject("stage", "glitch", axis="y", by_um=60.0)
        with pytest.raises(AnalysisError, match="nothing in common"):
            eye.look()


def test_without_a_scale_steps_are_trusted_and_the_user_is_told() -> None:
    with open_loop_lab(0) as context:
        stage: Any = context.station["stage"]
        assert sight_of(context.context, Places(context.context, stage)) is None
    assert any("imaging_scale" in text for text in context.messages)
