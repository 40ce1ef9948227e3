"""Too much light on the EMCCD at gain: the guard sees it, shuts, latches."""

from collections.abc import Callable

import pytest

from labctl.errors import ProtectionError, RefusedError
from labctl.events import Event
from live_bench import LiveRun, frame, once, run_live
from small_setup import Bench

GAINED = """
name: gained
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - spectrum:
      {grating: 300/mm, center: CENTER, exposure: EXPOSURE, frames: 6, em_gain: 50,
       port: electron_multiplied, unlocked_sensor: UNLOCKED}
"""


def recipe(center: str = "531 nm", exposure: str = "200 ms", unlocked: str = "false") -> str:
    text = GAINED.replace("CENTER", center).replace("EXPOSURE", exposure)
    return text.replace("UNLOCKED", unlocked)


def let_in(quantity: str, amount: float) -> Callable[[LiveRun], None]:
    def action(live: LiveRun) -> None:
        setattr(live.rig.world.table, quantity, amount)

    return action


def gained(number: int) -> Callable[[Event], bool]:
    """Match the progress of the gained frames; the preview is one frame of one."""
    return lambda event: event.kind == "progress" and event.text == f"frame {number} of 6"


def nothing(event: Event, live: LiveRun) -> None:
    """Only look."""


def test_gained_frames_are_stored_when_there_is_little_light(bench: Bench) -> None:
    live = run_live(bench.request(recipe=bench.recipe(recipe())), nothing)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    assert live.run.data["spectrum"]["frames"].shape == (1, 6, 1600)
    previews = [e for e in live.of("progress") if e.text == "frame 1 of 1"]
    assert len(previews) == 1


@pytest.mark.parametrize(
    ("quantity", "amount", "center"),
    [("room_light_rel", 1.0, "531 nm"), ("laser_line_leak_rel", 1e-3, "405 nm")],
    ids=["room light", "laser line"],
)
def test_light_that_comes_in_at_gain_trips_the_guard(
    bench: Bench, quantity: str, amount: float, center: str
) -> None:
    live = run_live(
        bench.request(recipe=bench.recipe(recipe(center))),
        once(gained(2), let_in(quantity, amount)),
    )
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, ProtectionError)
    assert "at EM gain 50: too much light (remove the light, then re-arm)" in outcome.reason
    assert not live.shutter_open
    assert outcome.unsafe == ()
    stop = live.run.stop
    assert stop is not None
    assert stop["snapshot"]["camera"]["adc_em_gain"] == 1
    assert live.of("point_stored") == []


@pytest.mark.parametrize("quantity", ["room_light_rel"])
def test_light_that_is_there_before_is_refused_by_the_preview(bench: Bench, quantity: str) -> None:
    live = run_live(
        bench.request(recipe=bench.recipe(recipe(exposure="2 s"))),
        once(lambda event: event.kind == "run_started", let_in(quantity, 1.0)),
    )
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, RefusedError | ProtectionError)
    gains = [e for e in live.of("progress") if e.text.endswith("of 6")]
    assert gains == []


@pytest.mark.parametrize("unlocked", ["false", "true"])
def test_a_sensor_that_is_not_locked_is_refused_unless_the_recipe_says_so(
    bench: Bench, unlocked: str
) -> None:
    live = run_live(
        bench.request(recipe=bench.recipe(recipe(unlocked=unlocked))),
        once(
            lambda event: event.kind == "run_started",
            lambda live: live.rig.inject("camera", "unlock_sensor"),
        ),
    )
    if unlocked == "true":
        assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    else:
        assert live.ended.outcome.status == "failed"
        assert "not locked" in live.ended.outcome.reason
        assert live.of("progress") == []


def test_saturation_by_a_fault_of_the_camera_trips_too(bench: Bench) -> None:
    live = run_live(
        bench.request(recipe=bench.recipe(recipe())),
        once(gained(1), lambda live: live.rig.inject("camera", "saturate")),
    )
    assert isinstance(live.ended.outcome.error, ProtectionError)
    assert not live.shutter_open


def test_frames_without_gain_may_saturate_and_are_marked(bench: Bench) -> None:
    text = recipe().replace("em_gain: 50,", "").replace("port: electron_multiplied,", "")
    live = run_live(
        bench.request(recipe=bench.recipe(text)),
        once(frame(1), lambda live: live.rig.inject("camera", "saturate")),
    )
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    assert live.of("point_stored")[0].quality & 1 << 7
