"""A window that is killed in the middle of a run: the run goes on, and the next one shows it."""

import subprocess
import sys
from pathlib import Path

from PyQt5.QtCore import QSettings
from pytestqt.qtbot import QtBot

from labctl.events import RunStopped
from labctl.gui import Engine, MainWindow
from labctl.gui._run import RunPanel
from labctl.host.server import EngineRequest
from labctl.storage import read_run
from served_engine import ROOT

PATIENCE_MS = 90_000
POINTS = 6
RECIPE = f"""name: outlives its window
steps:
  - repeat:
      times: {POINTS}
      steps:
        - spectrum: {{grating: 300/mm, center: 531 nm, exposure: 2 s, unlocked_sensor: true}}
"""


def test_the_run_goes_on_when_the_window_is_killed(
    lab: EngineRequest, qtbot: QtBot, tmp_path: Path
) -> None:
    recipe = tmp_path / "outlives.yaml"
    recipe.write_text(RECIPE, "utf-8")
    settings = tmp_path / "settings.ini"
    script = ROOT / "tests" / "support" / "window_process.py"
    command = [sys.executable, str(script), lab.model_dump_json(), str(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline().split() == ["attached"]
        first = Engine(lab)
        first.begin(start=False)
        qtbot.waitUntil(lambda: bool(first.status.get("connected")), timeout=PATIENCE_MS)
        first.ask("queue_add", recipe=str(recipe))
        qtbot.waitUntil(lambda: first.run.name == "outlives its window", timeout=PATIENCE_MS)
        first.close()
        run, points = killed.stdout.readline().split()
        killed.kill()
        assert killed.wait(30.0) != 0
    engine = Engine(lab)
    window = MainWindow(engine, QSettings(str(settings), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show()
    ends: list[RunStopped] = []
    engine.happened.connect(lambda e: ends.append(e) if isinstance(e, RunStopped) else None)
    engine.begin(start=False)
    try:
        qtbot.waitUntil(lambda: bool(engine.run.run), timeout=PATIENCE_MS)
        assert engine.run.run == run
        assert engine.run.points >= int(points)
        panel = window.panels["run"]
        assert isinstance(panel, RunPanel)
        qtbot.waitUntil(lambda: engine.run.state == "done", timeout=PATIENCE_MS)
        assert panel.bar.value() == panel.bar.maximum() == POINTS
        started = engine.started
        assert started is not None
        qtbot.waitUntil(lambda: not engine.status["task"], timeout=PATIENCE_MS)
    finally:
        engine.close()
    stored = read_run(Path(started.journal))
    assert stored.status == "complete"
    assert stored.data["spectrum"].sizes["point"] == POINTS
    assert len(stored.segments) == 1
