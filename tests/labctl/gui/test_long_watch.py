"""A window that looks on for an hour of a run keeps no more than one that looked for some minutes.

An hour of virtual time on every push, eight with ``--torture``.
"""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt5.QtCore import QSettings
from pytestqt.qtbot import QtBot

from labctl.gui import Engine, MainWindow
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._temperature import TemperaturePanel
from labctl.host.server import EngineRequest
from photon_setup import PhotonBench
from served_engine import ROOT

PATIENCE_MS = 120_000
MB = 2**20
LARGEST_GROWTH_MB = 12
ROUND_S = 440.0
"""No round is shorter."""
STEPS = """
repeat: {times: ROUNDS, steps: [wait: 410 s, SPECTRUM, TRPL, TRACE]}
"""
SPECTRUM = "spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 10}"
TRPL = "trpl: {grating: 300/mm, center: 531 nm, stop: {time: 12 s}}"
TRACE = "trace: {grating: 300/mm, center: 531 nm, stop: {time: 6 s}}"
MONITORS = "monitors: [{read: cryostat.temperature, every: 2 s}]\n"
CAMERA = "  camera: {driver: princeton.picam}\n  target:"


def resident_bytes() -> int:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.timeout(7200)
def test_memory_stays_while_a_window_looks_on(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, torture: bool
) -> None:
    hours = 8 if torture else 1
    monkeypatch.setenv("LABCTL_RUNTIME_DIR", str(tmp_path / "runtime"))
    steps = STEPS.replace("ROUNDS", str(int(hours * 3600 / ROUND_S)))
    for word, text in {"SPECTRUM": SPECTRUM, "TRPL": TRPL, "TRACE": TRACE}.items():
        steps = steps.replace(word, f"{{{text}}}")
    steps = steps.replace("wait: 410 s", "{wait: 410 s}")
    asked = PhotonBench(tmp_path).ask(steps, changes={"  target:": CAMERA})
    setup = asked.setup
    text = setup.read_text("utf-8")
    text = text.replace(
        "paths:\n", "paths:\n  camera: {spectrograph.exit: front, target: sample}\n"
    )
    setup.write_text(text + MONITORS, "utf-8")
    script = ROOT / "tests" / "support" / "virtual_engine.py"
    command = [sys.executable, str(script), str(setup), str(asked.recipe), str(tmp_path / "data")]
    engine = Engine(EngineRequest(setup=setup, simulate=True))
    window = MainWindow(engine, QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as feeder:
        assert feeder.stdin is not None
        assert feeder.stdout is not None
        try:
            engine.begin(start=False)
            qtbot.waitUntil(lambda: engine.is_attached, timeout=PATIENCE_MS)
            feeder.stdin.write("the window is there\n")
            feeder.stdin.flush()
            seen = watched(window, qtbot)
            spectrum, temperature = window.panels["spectrum"], window.panels["temperature"]
            assert isinstance(spectrum, SpectrumPanel)
            assert isinstance(temperature, TemperaturePanel)
            qtbot.waitUntil(lambda: "spectrum" in engine.pictures, timeout=PATIENCE_MS)
            lasted_s = float(feeder.stdout.readline())
            feeder.stdin.write("the window has looked\n")
            feeder.stdin.flush()
            assert feeder.wait(60.0) == 0
        finally:
            engine.close()
            feeder.kill()
    assert engine.run.state == "done"
    assert lasted_s > hours * 3600
    print(f"memory after each part of {hours} h, MB:", [round(one / MB) for one in seen])
    # After the first fifth, in which panels draw for the first time and caches fill.
    settled, end = seen[len(seen) // 5], seen[-1]
    assert end - settled < LARGEST_GROWTH_MB * MB, [round(one / MB) for one in seen]
    assert len(engine.traces["cryostat.temperature"]) <= 4000
    assert len(engine.log) <= 2000


def watched(window: MainWindow, qtbot: QtBot) -> list[int]:
    """Return the memory as the run goes on, looking at one panel after the other."""
    engine, seen = window.engine, list[int]()
    views = ("spectrum", "decay", "rates", "image", "map", "big", "temperature")
    for part in range(1, 25):

        def passed(part: int = part) -> bool:
            run = engine.run
            return run.state == "done" or run.points >= part * (run.expected or 10**9) / 24

        qtbot.waitUntil(passed, timeout=20 * PATIENCE_MS)
        window.docks[views[part % len(views)]].raise_()
        qtbot.wait(50)
        gc.collect()
        seen.append(resident_bytes())
    qtbot.waitUntil(lambda: engine.run.state == "done", timeout=PATIENCE_MS)
    return seen
