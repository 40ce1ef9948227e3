"""The list of runs: pictures, opening, comparing, and going on with what was broken off."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QListWidgetItem
from pytestqt.qtbot import QtBot

from labctl.events import Abort
from labctl.gui._overlay import OverlayWindow
from labctl.gui._recipe import RecipePanel
from labctl.gui._runs import RunsPanel
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._viewer import RunViewer
from labctl.gui._window import MainWindow
from labctl.storage import read_run

PATIENCE_MS = 60_000
SERIES = """name: NAME
steps:
  - scan: spectrograph.wavelength
    values: [530, 531, 532, 533]
    steps:
      - spectrum: {grating: 300/mm, exposure: 0.5 s, unlocked_sensor: true}
"""

Carried = Callable[..., Path]


@pytest.fixture
def carried(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> Carried:
    """Return what carries out a series by this window; returns the folder of the run."""

    def carry_out(name: str, *, abort: bool = False) -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(SERIES.replace("NAME", name), "utf-8")
        engine = window.engine
        engine.ask("queue_add", recipe=str(path))
        qtbot.waitUntil(
            lambda: engine.run.name == name and engine.run.points > 0, timeout=PATIENCE_MS
        )
        if abort:
            engine.command(Abort())
        ended = ("done", "aborted")
        qtbot.waitUntil(lambda: engine.run.state in ended, timeout=PATIENCE_MS)
        started = engine.started
        assert started is not None
        return Path(started.journal).parent

    return carry_out


def panel_of(window: MainWindow) -> RunsPanel:
    panel = window.panels["runs"]
    assert isinstance(panel, RunsPanel)
    return panel


def item_of(panel: RunsPanel, run: Path) -> QListWidgetItem | None:
    items = [panel.list.item(n) for n in range(panel.list.count())]
    found = [one for one in items if one.data(Qt.ItemDataRole.UserRole) == str(run)]
    return found[0] if found else None


def listed(panel: RunsPanel, run: Path, word: str) -> bool:
    item = item_of(panel, run)
    return item is not None and word in item.text()


def chosen(panel: RunsPanel, *runs: Path) -> None:
    panel.list.clearSelection()
    for run in runs:
        item = item_of(panel, run)
        assert item is not None
        item.setSelected(True)


def test_a_run_that_was_broken_off_is_gone_on_with(
    window: MainWindow, carried: Carried, qtbot: QtBot
) -> None:
    panel, run = panel_of(window), carried("broken off", abort=True)
    qtbot.waitUntil(lambda: listed(panel, run, "aborted"), timeout=PATIENCE_MS)
    chosen(panel, run)
    assert panel.go_on.isEnabled()
    panel.go_on.click()
    qtbot.waitUntil(lambda: window.engine.run.state == "done", timeout=PATIENCE_MS)
    assert window.engine.run.points == 4
    qtbot.waitUntil(lambda: listed(panel, run, "complete"), timeout=PATIENCE_MS)
    chosen(panel, run)
    assert not panel.go_on.isEnabled()


def test_what_differs_from_then_is_shown_and_accepted(
    window: MainWindow, carried: Carried, qtbot: QtBot, tmp_path: Path
) -> None:
    panel, run = panel_of(window), carried("changed", abort=True)
    qtbot.waitUntil(lambda: listed(panel, run, "aborted"), timeout=PATIENCE_MS)
    recipe = tmp_path / "changed.yaml"
    recipe.write_text(recipe.read_text("utf-8").replace("0.5 s", "0.7 s"), "utf-8")
    chosen(panel, run)
    panel.go_on.click()
    qtbot.waitUntil(lambda: not panel.accept.isHidden(), timeout=PATIENCE_MS)
    assert "exposure" in panel.differs.text()
    panel.accept.click()
    qtbot.waitUntil(lambda: window.engine.run.state == "done", timeout=PATIENCE_MS)
    assert panel.accept.isHidden()
    assert read_run(run).data["spectrum"]["camera_exposure_s"].values.tolist() == [0.5] * 4


def test_finished_runs_are_opened_and_compared(
    window: MainWindow, carried: Carried, qtbot: QtBot
) -> None:
    panel, runs = panel_of(window), (carried("one"), carried("two"))
    for run in runs:
        qtbot.waitUntil(lambda run=run: listed(panel, run, "spectrum 4"), timeout=PATIENCE_MS)
        item = item_of(panel, run)
        assert item is not None
        assert not item.icon().isNull()
    chosen(panel, *runs)
    panel.compare.click()
    overlay = panel.viewers[-1]
    assert isinstance(overlay, OverlayWindow)
    qtbot.addWidget(overlay)
    assert overlay.points.count() == 8
    assert len(overlay.plot.curves) == 6
    assert "530 nm" in overlay.points.item(0).text()
    stored = read_run(runs[0]).data["spectrum"].isel(point=0)
    np.testing.assert_array_equal(overlay.plot.curves[0].y, stored["counts"].values)
    overlay.equal.setChecked(True)
    assert all(curve.y.max() == 1.0 for curve in overlay.plot.curves)
    overlay.points.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert len(overlay.plot.curves) == 5
    overlay.log.setChecked(True)
    assert all(curve.y.min() > 0.0 for curve in overlay.plot.curves)


def test_a_viewer_shows_points_messages_and_gives_the_recipe_back(
    window: MainWindow, carried: Carried, qtbot: QtBot
) -> None:
    panel, run = panel_of(window), carried("viewed")
    panel.open(run)
    viewer = panel.viewers[-1]
    assert isinstance(viewer, RunViewer)
    qtbot.addWidget(viewer)
    view = viewer.views["spectrum"]
    assert isinstance(view, SpectrumPanel)
    for point in (3, 1):
        viewer.point.setValue(point)
        stored = read_run(run).data["spectrum"].isel(point=point)
        np.testing.assert_array_equal(view.plot.curves[1].y, stored["counts"].values)
        assert f"point {point + 1} of 4" in viewer.words.text()
    viewer.again.click()
    recipe = window.panels["recipe"]
    assert isinstance(recipe, RecipePanel)
    assert '"viewed"' in recipe.editor.toPlainText()
    qtbot.waitUntil(lambda: "4 points" in recipe.verdict.text(), timeout=PATIENCE_MS)


def test_a_folder_that_holds_no_run_is_told(window: MainWindow, tmp_path: Path) -> None:
    panel_of(window).open(tmp_path)
    assert window.engine.log[-1]["device"] == "runs"
