"""Step sizes of an open-loop stage by the picture of the sample, against what steps really are."""

import math
from typing import Any

import numpy as np
import pytest

from labctl.analysis import measure_step_size
from labctl.errors import AnalysisError, ConfigError
from labctl.measurements import CalibrateStepSizes
from labctl.roles import Positioner
from picture_lab import SCALE_RECORD, SCALE_UM, PlainContext, open_loop_lab

# Per volt and step at 300 K, upwards and downwards; at 60 V and 4 K twice as much over 3.5.
TRUTH_UM = {"x": (0.12, 0.12 * 0.93), "y": (0.11, 0.11 * 1.08)}
NOMINAL_UM = 5.3 / 60
ROI = (512, 256, 384, 256)


def calibrated(context: PlainContext, scale: dict[str, Any], **more: Any) -> dict[str, Any]:
    context.calibrations["imaging_scale"] = {"imaging_camera": scale}
    CalibrateStepSizes(exposure="50 ms", roi=ROI, **more).run(context.context)
    return context.calibrations["step_sizes"]["stage"]


def really_um(axis: str, direction: str) -> float:
    return 2.0 / 3.5 * TRUTH_UM[axis][("up", "down").index(direction)]


@pytest.mark.timeout(180)
def test_sizes_and_their_errors_are_honest() -> None:
    """Seeds 0 to 4, four sizes each, 8 ways: each within 4 errors and 2 %, rms pull 0.6 to 1.5.

    The bounds of the rms are those of 20 pulls at about 1 in 1000.
    """
    pulls: list[float] = []
    for number in range(5):
        with open_loop_lab(number) as context:
            found = calibrated(context, SCALE_RECORD, ways=8)
        for axis, one in found["axes"].items():
            for direction in ("up", "down"):
                truth_um = really_um(axis, direction)
                um, error_um = one[f"{direction}_um"], one[f"{direction}_error_um"]
                assert um == pytest.approx(truth_um, rel=0.02)
                pulls.append((um - truth_um) / error_um)
            assert one["at_v"] == 60.0
    assert max(map(abs, pulls)) < 4.0
    assert 0.6 < math.sqrt(float(np.mean(np.square(pulls)))) < 1.5


def test_the_error_of_the_scale_is_in_all_sizes_and_the_stage_believes_them() -> None:
    """The nominal scale is 4 % off, which the 5 % of its error cover."""
    nominal = {**SCALE_RECORD, "um_per_pixel": NOMINAL_UM, "um_per_pixel_error": 0.05 * NOMINAL_UM}
    with open_loop_lab(0) as context:
        found = calibrated(context, nominal, ways=6)
        stage = context.station.get("stage", Positioner)
        facts = stage.facts("y")
        # It is back where it was, by the picture, and believes so.
        here_um = [stage.read_position(axis) + stage.read_fine_position(axis) for axis in "xy"]
    one = found["axes"]["y"]
    assert one["up_um"] == pytest.approx(really_um("y", "up") * NOMINAL_UM / SCALE_UM, rel=0.02)
    assert abs(one["up_um"] - really_um("y", "up")) < 2.0 * one["up_error_um"]
    assert one["up_error_um"] == pytest.approx(0.05 * one["up_um"], rel=0.05)
    assert (facts.step_up_um, facts.step_down_um) == (one["up_um"], one["down_um"])
    assert here_um == pytest.approx([0.0, 0.0], abs=0.15)
    assert {array.name for array in context.stored} == {"counts", "frames", "way"}


def test_a_way_on_which_the_axis_sticks_is_left_out() -> None:
    """It sticks once per 150 steps, for 20: about every fifth way of 35 steps is short."""
    with open_loop_lab(0, steps_per_stick=150.0) as context:
        found = calibrated(context, SCALE_RECORD, ways=16)
    ways = [one[f"{d}_stuck_ways"] for one in found["axes"].values() for d in ("up", "down")]
    assert sum(ways) >= 4
    for axis, one in found["axes"].items():
        for direction in ("up", "down"):
            assert one[f"{direction}_um"] == pytest.approx(really_um(axis, direction), rel=0.03)


def test_without_a_scale_it_says_what_to_do() -> None:
    with (
        open_loop_lab(0) as context,
        pytest.raises(ConfigError, match=r"calibrate: \{kind: imaging_scale"),
    ):
        CalibrateStepSizes(exposure="50 ms", roi=ROI).run(context.context)


@pytest.mark.parametrize(
    ("ways_um", "what"),
    [
        ([-1.0, -1.1, -0.9, -1.0, -1.0, -1.0], "does not move, or the wrong way"),
        ([2.0, 2.01, 2.02, 1.99], "4 good ways of 4"),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "scatter"),
    ],
)
def test_ways_that_tell_nothing_are_refused(ways_um: list[float], what: str) -> None:
    with pytest.raises(AnalysisError, match=what):
        measure_step_size(np.array(ways_um), 30)


def test_errors_of_few_ways_are_those_of_student() -> None:
    """400 draws of 6 ways: pulls of standard deviation 1 within 0.15."""
    rng = np.random.default_rng(0)
    found = [measure_step_size(rng.normal(2.0, 0.02, 6), 20).um for _ in range(400)]
    pulls = [one.pull(0.1) for one in found]
    assert np.std(pulls) == pytest.approx(1.0, abs=0.15)
