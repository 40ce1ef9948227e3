"""A stage that sticks or slips is brought back, and the point is measured again, never stored."""

import pytest

from fake_lab import Bench, Look
from fake_stage import FakeStage, stage_settings
from labctl.errors import DeviceRefusedError
from labctl.measurements import Context
from labctl.sequencer import Session
from labctl.stations import Station
from labctl.storage import Quality


def with_stage(bench: Bench, *, closed: bool = True) -> tuple[Session, FakeStage]:
    stage = FakeStage(bench.clock, stage_settings(backlash="1 um"), closed=closed)
    others = {name: bench.station[name] for name in bench.station}
    bench.station = Station({**others, "stage": stage}, [])
    bench.session = Session(bench.station, bench.book, bench.control, calibrations={})
    return bench.start(), stage


def test_an_axis_that_sticks_is_freed_and_the_move_tried_again(bench: Bench) -> None:
    session, stage = with_stage(bench)
    session.move("stage.x", 5.0)
    stage.real["x"].stuck_at_um = 7.0
    bench.clock.schedule(
        bench.clock.now() + 2.5, lambda: setattr(stage.real["x"], "stuck_at_um", None)
    )
    assert session.move("stage.x", 10.0) == pytest.approx(10.0)
    targets = [line for line in stage.diary if line.startswith("target")]
    assert targets[-3:] == ["target x 4", "target x 5", "target x 10"]
    assert any("sticks" in text and "goes back to 5 um" in text for text in bench.texts())


def test_an_axis_that_sticks_for_good_is_an_error(bench: Bench) -> None:
    session, stage = with_stage(bench)
    session.move("stage.x", 5.0)
    stage.real["x"].stuck_at_um = 7.0
    with pytest.raises(DeviceRefusedError, match="sticks"):
        session.move("stage.x", 10.0)
    assert stage.real["x"].target_um is None, "it must have been stopped"


def test_a_point_during_which_the_stage_slipped_is_measured_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, stage = with_stage(bench)
    session.move("stage.x", 5.0)
    slips = [0.7]
    seen: list[float] = []

    def works(_: Context) -> None:
        stage.real["x"].um += slips.pop() if slips else 0.0
        seen.append(stage.real["x"].um)

    monkeypatch.setattr(Look, "works", works)
    session.measure(Look(), step_id="s")
    assert seen == [pytest.approx(5.7), pytest.approx(5.0)]
    (stored,) = bench.of("point_stored")
    assert stored.index == 0
    assert any("by itself" in text for text in bench.texts())


def test_a_stage_that_slips_every_time_is_an_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, stage = with_stage(bench)
    session.move("stage.x", 5.0)

    def works(_: Context) -> None:
        stage.real["x"].um += 0.7

    monkeypatch.setattr(Look, "works", works)
    with pytest.raises(DeviceRefusedError, match="by itself"):
        session.measure(Look(), step_id="s")
    assert bench.of("point_stored") == []


def test_without_read_out_nothing_is_asked(bench: Bench) -> None:
    session, stage = with_stage(bench, closed=False)
    session.move("stage.x", 5.0)
    session.measure(Look(), step_id="s")
    (stored,) = bench.of("point_stored")
    assert stage.diary == ["steps x 50"]
    assert Quality(stored.quality) & Quality.POSITION_OFF
    assert [text for text in bench.texts() if "x has no sensor" in text]


def test_with_read_out_a_place_is_beyond_doubt(bench: Bench) -> None:
    session, _ = with_stage(bench)
    session.move("stage.x", 5.0)
    session.measure(Look(), step_id="s")
    (stored,) = bench.of("point_stored")
    assert stored.quality == 0
    assert not [text for text in bench.texts() if "no sensor" in text]


def test_what_a_measurement_moves_it_looks_after_itself(bench: Bench) -> None:
    session, stage = with_stage(bench, closed=False)
    session.move("stage.x", 5.0)
    session.arrive(stage.settable("x"), 6.0)
    session.measure(Look(), step_id="s")
    (stored,) = bench.of("point_stored")
    assert stored.quality == 0
