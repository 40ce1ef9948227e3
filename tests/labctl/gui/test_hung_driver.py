"""A driver that hangs is seen in the window, and holds up neither the window nor the red stop."""

from collections.abc import Generator
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from PyQt5.QtCore import QSettings, QTimer
from pytestqt.qtbot import QtBot

from labctl.gui import Engine, MainWindow
from labctl.gui._instruments import InstrumentsPanel
from labctl.host.server import EngineRequest
from served_engine import served
from small_setup import Bench

PATIENCE_MS = 60_000
HANGS_AFTER_S = 12.0
HANGS_S, LARGEST_GAP_MS = 30, 25.0
FAULT = """\
    sample_thermometer: platform
    simulate: {faults: [{kind: hang, after: HANGS s, parameters: {for: 10 min}}]}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Generator[EngineRequest]:
    """Serve a set-up whose cryostat hangs for ten minutes, soon after the start."""
    folder = tmp_path_factory.mktemp("hung")
    setup = Bench(folder).setup()
    fault = FAULT.replace("HANGS", f"{HANGS_AFTER_S:g}")
    text = setup.read_text("utf-8").replace("    sample_thermometer: platform\n", fault)
    setup.write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCTL_RUNTIME_DIR", str(folder / "runtime"))
        request = EngineRequest(setup=setup, simulate=True, out=folder / "data")
        with served(request):
            yield request


class Gaps:
    """Measures how long the event loop leaves a timer of 10 ms alone."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self._last_s = monotonic()
        self._timer = QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def p99_ms(self) -> float:
        """Return the 99th percentile so far, and begin anew."""
        found, self.ms = float(np.percentile(self.ms, 99)), []
        return found

    def _beat(self) -> None:
        now_s = monotonic()
        self.ms.append(1e3 * (now_s - self._last_s))
        self._last_s = now_s


def test_a_driver_that_hangs(lab: EngineRequest, qtbot: QtBot, tmp_path: Path) -> None:
    engine = Engine(lab)
    window = MainWindow(engine, QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show()
    engine.begin()
    try:
        qtbot.waitUntil(lambda: "cryostat" in engine.values, timeout=PATIENCE_MS)
        qtbot.waitUntil(lambda: bool(engine.values["cryostat"].get("error")), timeout=PATIENCE_MS)
        others: list[str] = []
        engine.values_changed.connect(others.append)
        gaps = Gaps()
        qtbot.wait(HANGS_S * 1000)
        assert len(gaps.ms) > 0.5 * HANGS_S * 100
        assert gaps.p99_ms() < LARGEST_GAP_MS
        assert {"shutter", "spectrograph", "camera"} <= set(others)
        panel = window.panels["instruments"]
        assert isinstance(panel, InstrumentsPanel)
        box = panel.boxes["cryostat"]
        assert "cryostat" in box.state.text() or "answer" in box.state.text()
        answers: list[dict[str, str]] = []
        engine.ask("stop_light", answers.append)
        qtbot.waitUntil(lambda: bool(answers), timeout=PATIENCE_MS)
        assert next(iter(answers[0])) == "shutter.close"
        assert not any("NOT SAFE" in word for word in answers[0].values())
    finally:
        engine.close()
