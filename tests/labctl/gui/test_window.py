"""The window attaches, shows, asks, and is not what the run depends on."""

import sys
from pathlib import Path

import numpy as np
from PyQt5.QtCore import QSettings
from pytestqt.qtbot import QtBot

from labctl.gui._app import catch_mistakes
from labctl.gui._engine import Engine
from labctl.gui._header import Header
from labctl.gui._recipe import RecipePanel
from labctl.gui._run import RunPanel
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._window import MainWindow
from labctl.host.server import EngineRequest
from served_engine import TOKEN, far

PATIENCE_MS = 60_000

RECIPE = """name: two spectra
steps:
  - repeat:
      times: 2
      steps:
        - spectrum: {grating: 300/mm, center: 531 nm, exposure: 0.1 s, unlocked_sensor: true}
"""


def test_what_is_always_visible(window: MainWindow) -> None:
    header = window.header
    assert header.simulated.isVisible()
    assert header.simulated.text() == "SIMULATED  ×4"
    assert header.connection.text() == "small set-up: connected"
    assert header.interlocks.text() == "interlocks: all clear"
    assert header.red.isVisible()
    assert "simulated" in window.windowTitle()


def test_a_window_of_another_computer_shows_the_same(lab: EngineRequest, qtbot: QtBot) -> None:
    place = far(lab)
    engine = Engine(EngineRequest(setup=Path(f"{place.host}:{place.port}")), place)
    header = Header(engine)
    qtbot.addWidget(header)
    header.show()
    engine.begin()
    qtbot.waitUntil(lambda: bool(engine.status.get("connected")), timeout=PATIENCE_MS)
    assert header.connection.text() == "small set-up: connected"
    assert header.simulated.isVisible()
    engine.close()


def test_a_window_with_a_wrong_token_says_so_and_does_not_go_on_trying(
    lab: EngineRequest, qtbot: QtBot
) -> None:
    engine = Engine(EngineRequest(setup=Path("far")), far(lab, TOKEN[::-1]))
    with qtbot.waitSignal(engine.attached, timeout=PATIENCE_MS):
        engine.begin()
    assert "the engine refuses the token" in engine.log[-1]["text"]
    assert not engine.is_attached
    assert not engine.seeks_again
    engine.close()


def test_a_live_spectrum_is_drawn_until_it_is_stopped(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.panels["spectrum"]
    assert isinstance(panel, SpectrumPanel)
    panel.bar.remember({"exposure": "50 ms", "adc": "5 MHz"})
    panel.bar.live.click()
    curve = panel.plot.curves[1]
    qtbot.waitUntil(lambda: len(curve.x) == 1600, timeout=PATIENCE_MS)
    assert window.header.task.text() == "live spectrum"
    window.engine.ask("set", name="spectrograph", quantity="wavelength", value=531.0)
    qtbot.waitUntil(lambda: 400.0 < curve.x.min() < 531.0, timeout=PATIENCE_MS)
    panel.axis.setCurrentText("eV")
    assert np.all(np.diff(curve.x) < 0)
    assert 2.0 < curve.x.min() < 2.33 < curve.x.max() < 3.0
    panel.bar.halt.click()
    qtbot.waitUntil(lambda: window.header.task.text() == "idle", timeout=PATIENCE_MS)


def test_the_red_stop_ends_a_live_view(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.panels["spectrum"]
    assert isinstance(panel, SpectrumPanel)
    panel.bar.live.click()
    qtbot.waitUntil(lambda: window.header.task.text() == "live spectrum", timeout=PATIENCE_MS)
    window.header.red.click()
    qtbot.waitUntil(lambda: window.header.task.text() == "idle", timeout=PATIENCE_MS)
    assert any(entry["device"] == "red stop" for entry in window.engine.log)


def test_a_recipe_from_its_mistake_to_its_run(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    panel = window.panels["recipe"]
    assert isinstance(panel, RecipePanel)
    panel.set_text(RECIPE.replace("0.1 s", "0.1 K"))
    qtbot.waitUntil(panel.problems.isVisible, timeout=PATIENCE_MS)
    assert panel.problems.item(0).text().startswith("line 6:")
    assert not panel.start.isEnabled()
    path = tmp_path / "two.yaml"
    path.write_text(RECIPE, "utf-8")
    panel.open(str(path))
    qtbot.waitUntil(lambda: "2 points" in panel.verdict.text(), timeout=PATIENCE_MS)
    assert [panel.steps.item(n).text() for n in range(panel.steps.count())] == ["spectrum"] * 2
    panel.start.click()
    run = window.panels["run"]
    assert isinstance(run, RunPanel)
    qtbot.waitUntil(lambda: window.engine.run.state == "done", timeout=PATIENCE_MS)
    assert window.engine.run.points == 2
    assert "two spectra" in run.title.text()
    assert run.state.text() == "done"


def test_two_recipes_are_reordered_paused_left_and_ended(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    engine, panel = window.engine, window.panels["run"]
    assert isinstance(panel, RunPanel)
    for name in ("long", "second", "third"):
        path = tmp_path / f"{name}.yaml"
        steps = RECIPE.replace("two spectra", name).replace("times: 2", "times: 400")
        path.write_text(steps, "utf-8")
        engine.ask("queue_add", recipe=str(path))
    qtbot.waitUntil(
        lambda: engine.run.name == "long" and panel.queue.count() == 2, timeout=PATIENCE_MS
    )

    def queued() -> list[str]:
        return [panel.queue.item(n).text().partition(":")[0] for n in range(panel.queue.count())]

    assert queued() == ["second", "third"]
    assert "400 points" in panel.queue.item(0).text()
    panel.queue.setCurrentRow(1)
    panel.up.click()
    qtbot.waitUntil(lambda: queued() == ["third", "second"], timeout=PATIENCE_MS)
    # What was chosen stays chosen.
    panel.remove.click()
    qtbot.waitUntil(lambda: queued() == ["second"], timeout=PATIENCE_MS)
    assert not panel.buttons["Resume"].isEnabled()
    panel.policy.setCurrentText("repeat")
    panel.buttons["Pause"].click()
    qtbot.waitUntil(lambda: panel.state.text() == "paused", timeout=PATIENCE_MS)
    assert engine.values["shutter"]["switches"] == {"shutter": "closed"}
    panel.buttons["Resume"].click()
    qtbot.waitUntil(lambda: panel.state.text() == "running", timeout=PATIENCE_MS)
    panel.buttons["Abort"].click()
    # What has begun has a name at once, and a moment later something to leave.
    qtbot.waitUntil(
        lambda: engine.run.name == "second" and panel.buttons["Skip"].isEnabled(),
        timeout=PATIENCE_MS,
    )
    panel.buttons["Skip"].click()
    said = "abort"
    panel.buttons["Abort"].click()
    qtbot.waitUntil(lambda: engine.run.state == "aborted", timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: said in panel.step.text().lower(), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not engine.status["task"], timeout=PATIENCE_MS)
    assert queued() == []


def test_a_window_that_comes_later_shows_the_same(
    window: MainWindow, qtbot: QtBot, lab: EngineRequest, tmp_path: Path
) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(RECIPE, "utf-8")
    window.engine.ask("queue_add", recipe=str(path))
    qtbot.waitUntil(lambda: window.engine.run.state == "running", timeout=PATIENCE_MS)
    # As a window that is killed: it hangs up in the middle of the run.
    window.engine.close()
    late = Engine(lab)
    late.begin()
    try:
        qtbot.waitUntil(lambda: late.run.state == "done", timeout=PATIENCE_MS)
        assert late.run.points == 2
        qtbot.waitUntil(lambda: "point/spectrum" in late.pictures, timeout=PATIENCE_MS)
    finally:
        late.close()


def test_layout_and_habits_are_found_again(
    window: MainWindow, engine: Engine, settings: QSettings, qtbot: QtBot
) -> None:
    panel = window.panels["spectrum"]
    assert isinstance(panel, SpectrumPanel)
    panel.bar.remember({"exposure": "7 ms"})
    window.docks["log"].hide()
    window.set_theme("light")
    window.keep()
    again = MainWindow(engine, settings)
    qtbot.addWidget(again)
    again.show()
    found = again.panels["spectrum"]
    assert isinstance(found, SpectrumPanel)
    assert found.bar.memory()["exposure"] == "7 ms"
    assert not again.docks["log"].isVisible()
    assert again.panels["spectrum"].theme.name == "light"
    again.reset_layout()
    assert again.docks["log"].isVisible()


def test_a_mistake_in_a_slot_is_logged_and_the_window_goes_on(window: MainWindow) -> None:
    before = catch_mistakes(window.engine)
    try:
        try:
            raise ZeroDivisionError("a slot")
        except ZeroDivisionError as error:
            sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.excepthook = before
    said = window.engine.log[-1]
    assert said["level"] == "error"
    assert "ZeroDivisionError('a slot')" in said["text"]
    assert "test_window.py" in said["text"]
