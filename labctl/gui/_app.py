"""The program of the window: starts Qt, never ends by a mistake in a slot."""

import logging
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType

from PyQt5.QtCore import QSettings, QTimer
from PyQt5.QtWidgets import QApplication

from labctl.gui._engine import Engine
from labctl.gui._window import MainWindow
from labctl.host.server import EngineRequest, FarEngine

__all__ = ["catch_mistakes", "run_window"]

_SIGNALS_MS = 200

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


def run_window(request: EngineRequest, far: FarEngine | None = None) -> int:
    """Show the window of an engine, here or far away, until it is closed; returns the status."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    QApplication.setApplicationName("labctl")
    QApplication.setOrganizationName("labctl")
    engine = Engine(request, far)
    catch_mistakes(engine)
    window = MainWindow(engine, QSettings())
    window.show()
    engine.begin()

    def close(number: int, frame: FrameType | None) -> None:
        window.close()

    signal.signal(signal.SIGINT, close)
    # Qt's loop runs no Python, and so no handler of a signal, unless something calls back.
    beat = QTimer()
    beat.timeout.connect(lambda: None)
    beat.start(_SIGNALS_MS)
    return app.exec()


def catch_mistakes(engine: Engine) -> Hook:
    """Log an exception that nobody has caught; PyQt5 by itself would abort the program.

    Returns:
        The hook that was in place before.
    """
    before: Hook = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        logging.getLogger("labctl.gui").error("%s", text)
        place = traceback.extract_tb(trace)[-1:] if trace is not None else []
        where = f" ({Path(place[0].filename).name}:{place[0].lineno})" if place else ""
        engine.say("error", "window", f"a mistake in labctl: {error!r}{where}")

    sys.excepthook = hook
    return before
