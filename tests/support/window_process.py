"""A window in a process of its own, to be killed; says when it has seen a point of a run."""

import sys
from pathlib import Path

from PyQt5.QtCore import QSettings
from PyQt5.QtWidgets import QApplication

from labctl.events import Event, PointStored
from labctl.gui import Engine, MainWindow
from labctl.host.server import EngineRequest


def main(request: EngineRequest, settings: Path) -> None:
    """Show the window until it is killed."""
    app = QApplication(["labctl"])
    engine = Engine(request)
    window = MainWindow(engine, QSettings(str(settings), QSettings.Format.IniFormat))
    window.show()

    def hear(event: Event) -> None:
        if isinstance(event, PointStored):
            window.keep()
            print(event.run, event.index + 1, flush=True)

    def attached(there: bool) -> None:
        if there:
            print("attached", flush=True)

    engine.happened.connect(hear)
    engine.attached.connect(attached)
    engine.begin(start=False)
    app.exec()


if __name__ == "__main__":
    main(EngineRequest.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
