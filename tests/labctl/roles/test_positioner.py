"""The stage: steps and positions, closed loop and dead reckoning, fine motion, refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_stage import BACKLASH_UM, FakeStage, stage_settings
from labctl.clock import VirtualClock
from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles import Limits

WHAT = "stage.x to arrive"


def go(stage: FakeStage, clock: VirtualClock, um: float, axis: str = "x") -> float:
    settable = stage.settable(axis)
    settable.start(um)
    assert clock.wait_until(settable.arrived, deadline_s=clock.now() + 100.0, what=WHAT)
    return settable.confirm(um)


def make(*, closed: bool = False, **settings: object) -> tuple[FakeStage, VirtualClock]:
    clock = VirtualClock()
    return FakeStage(clock, stage_settings(**settings), closed=closed), clock


def test_open_loop_counts_steps_by_the_believed_sizes() -> None:
    stage, clock = make(backlash="0 um")
    assert go(stage, clock, 10.0) == pytest.approx(10.0)
    assert stage.diary == ["steps x 100"]
    assert stage.real["x"].um == pytest.approx(11.0)
    assert stage.position_known("x") == "steps"


def test_steps_are_believed_in_proportion_to_the_voltage() -> None:
    stage, clock = make(backlash="0 um")
    stage.set_step_voltage("x", 60.0)
    assert stage.facts("x").step_up_um == pytest.approx(0.2)
    go(stage, clock, 10.0)
    assert stage.diary[-1] == "steps x 50"


def test_a_position_without_step_sizes_is_refused_and_steps_are_not() -> None:
    stage, _ = make(axes={"x": {"number": 1}})
    for refused in (stage.read_x, lambda: stage.start_x(1.0)):
        with pytest.raises(RefusedError, match="not known without step sizes"):
            refused()
    stage.start_steps("x", -5)
    assert stage.diary == ["steps x -5"]


@given(st.lists(st.floats(-20.0, 20.0), min_size=1, max_size=5))
def test_every_target_is_met_from_below(targets: list[float]) -> None:
    stage, clock = make(backlash="1 um")
    for um in targets:
        go(stage, clock, um)
        steps = [int(line.split()[2]) for line in stage.diary if line.startswith("steps")]
        # Where it stood already, nothing had to move.
        assert not steps or steps[-1] > 0
        if len(steps) > 1 and steps[-2] < 0:
            assert steps[-1] * 0.1 == pytest.approx(1.0, abs=0.11)
            assert steps[-1] * 0.1 > BACKLASH_UM


def test_an_axis_far_below_goes_straight() -> None:
    stage, clock = make(closed=True, backlash="1 um")
    go(stage, clock, 5.0)
    go(stage, clock, 4.5)
    targets = [line for line in stage.diary if line.startswith("target")]
    assert targets == ["target x 5", "target x 3.5", "target x 4.5"]


def test_no_room_for_the_run_up_is_refused_before_anything_moves() -> None:
    clock = VirtualClock()
    stage = FakeStage(clock, stage_settings(backlash="1 um"), limits={"x": Limits(0.0, 9.0)})
    with pytest.raises(RefusedError, match="no room for the run-up"):
        stage.start_x(0.5)
    assert stage.diary == []


@pytest.mark.parametrize("um", [9.5, -0.1, math.nan, math.inf])
def test_soft_limits_hold_for_positions_and_for_steps(um: float) -> None:
    clock = VirtualClock()
    stage = FakeStage(clock, limits={"x": Limits(0.0, 9.0)})
    with pytest.raises(RefusedError):
        stage.start_x(um)
    if math.isfinite(um):
        with pytest.raises(RefusedError, match="out of range"):
            stage.start_steps("x", round(um / 0.1))
    assert stage.diary == []


def test_closed_loop_arrives_by_readings_that_agree() -> None:
    stage, clock = make(closed=True)
    assert go(stage, clock, 25.0) == pytest.approx(25.0)
    assert stage.diary[-1] == "stop x"
    stage.start_x(30.0)
    stage.real["x"].readings = [30.0, 30.0]
    clock.sleep(0.001)
    assert not stage.x_arrived()
    assert not stage.x_arrived(), "asked too early, it must not count as another reading"
    clock.sleep(0.1)
    assert not stage.x_arrived()


def test_standing_still_off_target_is_no_success() -> None:
    stage, clock = make(closed=True)
    stage.real["x"].stuck_at_um = 7.0
    with pytest.raises(DeviceRefusedError, match=r"sticks at 7.000 um, .3.000 um off"):
        go(stage, clock, 10.0)
    assert stage.real["x"].target_um is None, "it must have been stopped"
    assert stage.x_arrived()
    with pytest.raises(DeviceRefusedError, match=r"is at 7 um"):
        stage.settable("x").confirm(10.0)


def test_after_sticking_it_comes_back_to_where_it_last_arrived() -> None:
    stage, clock = make(closed=True, backlash="1 um")
    go(stage, clock, 5.0)
    stage.real["x"].stuck_at_um = 7.0
    with pytest.raises(DeviceRefusedError, match="recover"):
        go(stage, clock, 10.0)
    stage.real["x"].stuck_at_um = None
    place_um = stage.recover("x")
    assert place_um == 5.0
    assert clock.wait_until(stage.x_arrived, deadline_s=clock.now() + 100.0, what=WHAT)
    assert stage.diary[-3:-1] == ["target x 4", "target x 5"]
    stage.check_held("x")


def test_a_jump_on_the_way_is_told() -> None:
    stage, clock = make(closed=True)
    stage.start_x(10.0)
    clock.sleep(0.05)
    assert not stage.x_arrived()
    stage.real["x"].readings = [400.0]
    clock.sleep(0.05)
    with pytest.raises(DeviceRefusedError, match=r"has jumped from .* to 400"):
        stage.x_arrived()


def test_a_jump_after_arrival_is_told_when_asked() -> None:
    stage, clock = make(closed=True)
    go(stage, clock, 10.0)
    stage.check_held("x")
    stage.real["x"].um = 10.5
    with pytest.raises(DeviceRefusedError, match=r"stood at 10.000 um and is at 10.500"):
        stage.check_held("x")
    stage.start_steps("x", 5)
    stage.check_held("x")


def test_what_the_controller_complains_of_ends_the_way() -> None:
    stage, clock = make(closed=True)
    stage.start_x(10.0)
    stage.real["x"].complaint = "end of travel upwards"
    clock.sleep(0.1)
    with pytest.raises(DeviceRefusedError, match="end of travel"):
        stage.x_arrived()
    assert stage.diary[-1] == "stop x"


def test_without_sensor_nothing_can_be_recovered_but_the_place_be_told() -> None:
    stage, clock = make()
    with pytest.raises(RefusedError, match="no read-out"):
        stage.recover("x")
    stage.define_position("x", -3.0)
    assert stage.read_x() == -3.0
    assert go(stage, clock, 2.0) == pytest.approx(2.0)
    closed, _ = make(closed=True)
    with pytest.raises(RefusedError, match="has a read-out"):
        closed.define_position("x", 1.0)


def test_axes_are_grounded_after_positioning_where_the_set_up_says_so() -> None:
    stage, clock = make(ground_after_move=True)
    go(stage, clock, 3.0, "z")
    assert stage.is_grounded("z")
    stage, clock = make()
    go(stage, clock, 3.0, "z")
    assert not stage.is_grounded("z")


def test_stopping_counts_the_steps_that_time_allowed() -> None:
    stage, clock = make()
    stage.start_steps("x", 1000)
    with pytest.raises(RefusedError, match="moves"):
        stage.start_steps("x", 1)
    clock.sleep(0.25)
    assert stage.read_x() == pytest.approx(25.0)
    stage.make_safe("stop")
    assert stage.read_x() == pytest.approx(25.0)
    stage.make_safe("ground")
    assert stage.all_grounded()


def test_fine_motion_is_an_offset_voltage_within_its_range() -> None:
    stage, clock = make()
    settable = stage.settable("fine_y")
    settable.start(0.5)
    began_s = clock.now()
    assert clock.wait_until(settable.arrived, deadline_s=9.0, what=WHAT)
    assert clock.now() - began_s == pytest.approx(0.1, abs=0.06)
    assert settable.confirm(0.5) == pytest.approx(0.5)
    assert stage.read("offset_y") == pytest.approx(15.0)
    with pytest.raises(RefusedError, match="0 to 2 um"):
        settable.start(2.5)
    stage.ground("y")
    assert stage.read("fine_y") == 0.0


def test_an_axis_without_fine_motion_refuses_it() -> None:
    stage, _ = make(axes={"x": {"number": 1}})
    assert stage.facts("x").fine_range_um is None
    with pytest.raises(RefusedError, match="no fine motion"):
        stage.start_fine_x(0.1)
    with pytest.raises(RefusedError, match="has no axis 'y'"):
        stage.start_y(0.1)


def test_a_voltage_that_is_set_against_the_limits_keeps_it_from_stepping() -> None:
    stage = FakeStage(VirtualClock(), limits={"step_voltage_x": Limits(0.0, 20.0)})
    for refused in (lambda: stage.start_steps("x", 5), lambda: stage.start_x(5.0)):
        with pytest.raises(RefusedError, match="step_voltage_x = 30 V is out of range"):
            refused()
    stage.settable("step_voltage_x").start(20.0)
    stage.start_steps("x", 5)
    assert stage.diary == ["voltage x 20", "steps x 5"]


def test_believed_step_sizes_can_be_learned() -> None:
    stage, clock = make(axes={"x": {"number": 1}}, backlash="0 um")
    stage.set_step_sizes("x", 0.2, 0.4)
    go(stage, clock, 2.0)
    go(stage, clock, -2.0)
    assert stage.diary == ["steps x 10", "steps x -10"]


def test_the_snapshot_says_what_is_known_and_how() -> None:
    stage, _ = make(axes={"x": {"number": 1}, "z": {"number": 3, "fine_range": "1 um"}})
    axes = stage.snapshot()["axes"]
    assert (axes["x"]["position_um"], axes["x"]["fine_um"]) == (None, None)
    assert axes["z"]["fine_um"] == 0.0
    assert axes["z"]["position_known"] == "steps"
