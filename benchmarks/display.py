"""What drawing costs: ``python -m benchmarks.display``; status 1 if a target is missed.

A second process shows a spectrum of 1600 points at 50 Hz, an image of 1600 x 200 pixels at 20 Hz
and a decay of 4096 bins at 10 Hz through the engine's own channel; the window draws what comes.
Targets: less than one core, gap of the event loop p99 below 25 ms, no backlog.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import numpy as np

from labctl.clock import RealClock
from labctl.host.server import EngineRequest, place_of
from labctl.host.server._audience import Audience
from labctl.host.server._board import Board
from labctl.host.server._rendezvous import Offer, offer, withdraw

SETUP = Path("display.yaml")
RATES_HZ = {"spectrum": 50.0, "image": 20.0, "decay": 10.0}
GAP_MS, LATE_MS, CORES = 25.0, 100.0, 1.0


def feed(seconds: float) -> None:
    """Show display data to whoever attaches, for so long."""
    rng = np.random.default_rng(0)
    wavelength = np.linspace(500.0, 560.0, 1600)
    delay = np.arange(4096, dtype=np.float64) * 25.0
    arrays: dict[str, dict[str, Any]] = {
        "spectrum": {"counts": rng.poisson(600.0, 1600), "wavelength": wavelength},
        "image": {"counts": rng.poisson(600.0, (200, 1600)).astype(np.uint16)},
        "decay": {"counts": rng.poisson(30.0, (1, 4096)), "delay": delay},
    }
    board, key = Board(RealClock()), secrets.token_bytes(32)
    audience = board.audience = Audience(key, lambda _window, _head: None)
    board.engine(connected=True, setup="display", simulated=True, speed=1.0, task="", queue=[])
    audience.start(board.welcome)
    told = Offer(audience.port, key.hex(), os.getpid(), str(SETUP), True)
    place = place_of(SETUP, simulate=True)
    offer(place, told)
    began_s, pause = monotonic(), threading.Event()
    due_s = dict.fromkeys(RATES_HZ, began_s)
    while monotonic() < began_s + seconds:
        for topic, rate_hz in RATES_HZ.items():
            if monotonic() >= due_s[topic]:
                due_s[topic] += 1.0 / rate_hz
                board.show(topic, arrays[topic], shown_s=monotonic(), exposure_s=0.02, live_s=1.0)
        pause.wait(max(0.0, min(due_s.values()) - monotonic()))
    print(json.dumps({"dropped": audience.dropped()}))
    withdraw(place, told)
    audience.close()


def draw(seconds: float) -> dict[str, Any]:
    """Draw for so long; return rates, cores, gaps and how late the pictures were."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PyQt5.QtCore import QSettings, QTimer
    from PyQt5.QtWidgets import QApplication

    from labctl.gui import Engine, MainWindow

    app = QApplication([])
    engine = Engine(EngineRequest(setup=SETUP, simulate=True))
    settings = QSettings(str(Path(tempfile.mkdtemp()) / "s.ini"), QSettings.Format.IniFormat)
    window = MainWindow(engine, settings)
    for key in ("spectrum", "image", "decay"):
        window.docks[key].setFloating(True)
    window.show()
    counts, late_ms, gaps_ms = dict.fromkeys(RATES_HZ, 0), [0.0], [0.0]
    last_s = [monotonic()]

    def take(topic: str, picture: Any) -> None:
        if topic in counts:
            counts[topic] += 1
            late_ms.append(1e3 * (monotonic() - picture.head["shown_s"]))

    def beat() -> None:
        now_s = monotonic()
        gaps_ms.append(1e3 * (now_s - last_s[0]))
        last_s[0] = now_s

    engine.begin(start=False)
    while not engine.pictures:
        app.processEvents()
    engine.shown.connect(take)
    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(beat)
    timer.start()
    began_s, began_cpu_s, dropped = monotonic(), process_time(), engine.inbox.dropped
    gaps_ms.clear()
    last_s[0] = began_s
    QTimer.singleShot(int(1e3 * seconds), app.quit)
    app.exec_()
    wall_s = monotonic() - began_s
    found = {
        "per_s": {topic: count / wall_s for topic, count in counts.items()},
        "cores": (process_time() - began_cpu_s) / wall_s,
        "gap_p99_ms": float(np.percentile(gaps_ms, 99)),
        "late_p99_ms": float(np.percentile(late_ms, 99)),
        "left_out": engine.inbox.dropped - dropped,
    }
    window.close()
    return found


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description="Measure what drawing costs.")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--feed", action="store_true", help="be the process that shows the data")
    options = parser.parse_args()
    if options.feed:
        feed(options.seconds)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LABCTL_RUNTIME_DIR"] = folder
        command = [sys.executable, "-m", "benchmarks.display", "--feed"]
        seconds = str(options.seconds + 15.0)
        with subprocess.Popen([*command, "--seconds", seconds]) as feeder:
            found = draw(options.seconds)
            feeder.terminate()
    print(json.dumps(found, indent=1))
    met = found["cores"] < CORES and found["gap_p99_ms"] < GAP_MS and found["late_p99_ms"] < LATE_MS
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
