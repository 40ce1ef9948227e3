"""A window around the engine of a simulated set-up, offscreen."""

from collections.abc import Generator
from pathlib import Path

import pytest
from PyQt5.QtCore import QSettings
from pytestqt.qtbot import QtBot

from labctl.gui._engine import Engine
from labctl.gui._window import MainWindow
from labctl.host.server import EngineRequest
from served_engine import PATIENCE_S, let_others_in, served
from small_setup import Bench

PATIENCE_MS = int(1000 * PATIENCE_S)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Generator[EngineRequest]:
    """Serve the small set-up for all tests of a module."""
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCTL_RUNTIME_DIR", str(folder / "runtime"))
        request = EngineRequest(
            setup=let_others_in(Bench(folder).setup()),
            simulate=True,
            speed=4.0,
            out=folder / "data",
        )
        with served(request):
            yield request


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    """Return settings that nobody else uses."""
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def engine(lab: EngineRequest, qtbot: QtBot) -> Generator[Engine]:
    """Return the engine as panels see it, attached and connected."""
    engine = Engine(lab)
    engine.begin()
    qtbot.waitUntil(lambda: bool(engine.status.get("connected")), timeout=PATIENCE_MS)
    yield engine
    if engine.is_attached and engine.status.get("task"):
        engine.ask("look_end")
        qtbot.waitUntil(lambda: not engine.status["task"], timeout=PATIENCE_MS)
    engine.close()


@pytest.fixture
def window(engine: Engine, settings: QSettings, qtbot: QtBot) -> Generator[MainWindow]:
    """Return a window around the engine."""
    window = MainWindow(engine, settings)
    qtbot.addWidget(window)
    window.show()
    yield window
    window.keep()
