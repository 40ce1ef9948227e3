"""What hands do to a window: drop files on it, take plots out of it, move its panels about."""

from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from labctl.gui import Engine, MainWindow
from labctl.gui._log import LogPanel
from labctl.gui._recipe import RecipePanel
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._theme import LIGHT
from labctl.host.server import EngineRequest

RECIPE = "name: dropped\nsteps:\n  - wait: 1 s\n"
SCREEN = 1366
"""Width of a small laptop's screen, pixels."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> QSettings:
    """Return where the window keeps its layout."""
    return QSettings(str(tmp_path_factory.mktemp("hand") / "s.ini"), QSettings.Format.IniFormat)


@pytest.fixture(scope="module")
def window(qapp: QApplication, settings: QSettings) -> Generator[MainWindow]:
    """Return one window for all tests, which is costly to make; no engine is attached."""
    del qapp
    engine = Engine(EngineRequest(setup=Path("nowhere.yaml"), simulate=True))
    window = MainWindow(engine, settings)
    window.show()
    yield window
    window.close()
    window.deleteLater()


def shown_spectrum(window: MainWindow) -> SpectrumPanel:
    nm = np.linspace(520.0, 540.0, 5)
    arrays = {"counts": np.array([600, 601, 900, 602, 600], np.uint32), "wavelength": nm}
    head = {"kind": "live", "topic": "spectrum", "t_s": 0.0, "exposure_s": 2.0}
    window.engine.inbox.put(head, arrays)
    panel = window.panels["spectrum"]
    assert isinstance(panel, SpectrumPanel)
    assert len(panel.plot.curves[1].x) == 5
    return panel


def test_what_is_not_known_is_not_called_clear(window: MainWindow) -> None:
    assert window.header.interlocks.text() == "interlocks: not known"
    assert window.header.connection.text() == "no engine"


def test_a_file_that_is_dropped_is_opened(window: MainWindow, tmp_path: Path) -> None:
    recipe = window.panels["recipe"]
    assert isinstance(recipe, RecipePanel)
    # What the system gives a window during a drag lives only as long as the event.
    left, nothing = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for name, target in (("one.yaml", window), ("two.yaml", recipe.editor)):
        path = tmp_path / name
        path.write_text(RECIPE.replace("dropped", name), "utf-8")
        files = QMimeData()
        files.setUrls([QUrl.fromLocalFile(str(path))])
        if target is window:
            enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, files, left, nothing)
            QApplication.sendEvent(window, enter)
            assert enter.isAccepted()
            drop = QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, files, left, nothing)
            QApplication.sendEvent(window, drop)
        else:
            assert recipe.editor.canInsertFromMimeData(files)
            recipe.editor.insertFromMimeData(files)
        assert recipe.path == path
        assert recipe.editor.toPlainText() == RECIPE.replace("dropped", name)
    assert recipe.file.text() == str(tmp_path / "two.yaml")


def test_a_plot_is_copied_as_numbers_and_as_a_picture(window: MainWindow) -> None:
    panel = shown_spectrum(window)
    panel.plot.copy_data()
    board = QApplication.clipboard()
    lines = board.text().splitlines()
    assert lines[:2] == ["# last", "# wavelength (nm)\tcounts"]
    assert [line.split("\t") for line in lines[2:5]] == [
        ["520", "600"],
        ["525", "601"],
        ["530", "900"],
    ]
    panel.unit.setCurrentText("cps")
    panel.plot.copy_data()
    assert board.text().splitlines()[1:3] == ["# wavelength (nm)\tcount rate (1/s)", "520\t300"]
    panel.plot.copy_picture()
    picture = board.pixmap().toImage()
    assert (picture.width(), picture.height()) == (panel.plot.width(), panel.plot.height())
    colours = {
        picture.pixelColor(x, y).name() for x in range(0, picture.width(), 2) for y in (30, 60)
    }
    assert len(colours) > 1


def test_the_window_is_no_wider_than_a_small_screen_whatever_is_said(window: MainWindow) -> None:
    shown_spectrum(window).cursors.setChecked(True)
    status = {"connected": True, "setup": "a set-up", "problem": "far too much " * 20}
    window.engine.inbox.put({"kind": "engine", "engine": status}, {})
    values = {"tripped": "more light than is good for it, " * 10}
    for name in ("camera", "apd_1", "apd_2"):
        head = {"kind": "live", "topic": f"values/{name}", "t_s": 0.0, "name": name}
        window.engine.inbox.put({**head, "values": values}, {})
    assert "camera: more light" in window.header.interlocks.text()
    assert window.minimumSizeHint().width() < SCREEN
    window.resize(SCREEN, 700)
    # Controls that do not fit beside each other go on below; none is cut off.
    bar = shown_spectrum(window).bar
    bar.setFixedWidth(300)
    bar.parentWidget().layout().activate()
    for one in (bar.live, bar.halt, bar.light):
        assert bar.rect().contains(one.geometry())
    assert bar.light.y() > bar.live.y()
    bar.setMaximumWidth(10_000)
    bar.setMinimumWidth(0)
    red = window.header.red
    assert red.mapTo(window, QPoint(red.width(), 0)).x() <= SCREEN


def test_the_log_is_filtered_by_level_and_words(window: MainWindow) -> None:
    panel = window.panels["log"]
    assert isinstance(panel, LogPanel)
    window.engine.log.clear()
    window.engine.logged.emit(None)
    for level, text in (("info", "point 1"), ("warning", "point 2 <b>"), ("error", "light 3")):
        window.engine.say(level, "camera", text)
    shown = panel.text.toPlainText
    assert [line.split()[-1] for line in shown().splitlines()] == ["1", "<b>", "3"]
    panel.level.setCurrentText("warnings")
    panel.words.setText("POINT camera")
    assert shown().splitlines() == ["camera point 2 <b>"]
    window.engine.say("error", "stage", "point 4")
    assert len(shown().splitlines()) == 1


def test_a_panel_that_is_undocked_floats_again_after_a_restart(
    window: MainWindow, settings: QSettings, qtbot: QtBot
) -> None:
    window.docks["temperature"].setFloating(True)
    window.docks["console"].hide()
    window.set_theme("light")
    window.keep()
    again = MainWindow(Engine(window.engine.request), settings)
    qtbot.addWidget(again)
    again.show()
    assert again.docks["temperature"].isFloating()
    assert not again.docks["console"].isVisible()
    assert all(panel.theme == LIGHT for panel in again.panels.values())
    again.reset_layout()
    assert not again.docks["temperature"].isFloating()
    again.set_theme("dark")
    again.close()
