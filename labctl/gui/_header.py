"""What is always visible: connection, simulator, interlocks, what goes on, and the red stop."""

from functools import partial

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QAction,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)

from labctl.gui._engine import Engine
from labctl.gui._panel import set_tone

__all__ = ["Header"]

_LONGEST = 60
_TASKS = {"": "idle", "run": "a run"}


class Header(QWidget):
    """One line across the window."""

    def __init__(self, engine: Engine) -> None:
        """Show how an engine stands."""
        super().__init__()
        self.engine = engine
        self.connection = QLabel("looking for the engine …")
        self.simulated = QLabel("SIMULATED")
        self.simulated.setObjectName("simulated")
        self.simulated.setToolTip("No instrument is touched: every address leads to a simulator")
        self.interlocks = QToolButton()
        self.interlocks.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._list = QMenu(self)
        self._list.aboutToShow.connect(self._fill)
        self.interlocks.setMenu(self._list)
        self.interlocks.setToolTip("Interlocks of the set-up and guards of detectors; re-arm here")
        self.task = QLabel()
        self.path = QComboBox()
        self.path.setToolTip("Light path: its parts are moved in the dark and read back")
        self.path.activated[str].connect(self._take_path)
        self.red = QPushButton("STOP  light off")
        self.red.setObjectName("red")
        self.red.setToolTip("Make the light safe at once and end whatever goes on (F12)")
        self.red.setShortcut("F12")
        self.red.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.red.clicked.connect(self.stop_light)
        line = QHBoxLayout(self)
        line.setContentsMargins(6, 4, 6, 4)
        for widget in (self.simulated, self.connection, self.interlocks, self.task):
            line.addWidget(widget)
        line.addStretch(1)
        line.addWidget(self.path)
        line.addWidget(self.red)
        engine.attached.connect(self._show)
        engine.changed.connect(self._show)
        engine.values_changed.connect(self._show_interlocks)
        self._show()

    def stop_light(self) -> None:
        """Press the red stop."""
        self.engine.say("warning", "window", "red stop pressed")
        self.engine.ask("stop_light")

    def _show(self, _: bool = False) -> None:
        status = self.engine.status
        if not self.engine.is_attached:
            text, tone = "no engine", "bad"
        elif status.get("problem"):
            text, tone = f"not connected: {str(status['problem']).splitlines()[0]}", "bad"
        elif not status.get("connected"):
            text, tone = f"{status.get('setup', '')}: connecting …", "warn"
        else:
            text, tone = f"{status['setup']}: connected", "good"
        self.connection.setText(_short(text))
        self.connection.setToolTip(str(status.get("problem") or status.get("file", "")))
        set_tone(self.connection, tone)
        request = self.engine.request
        self.simulated.setVisible(bool(status.get("simulated", request.simulate)))
        speed = status.get("speed", request.speed)
        self.simulated.setText("SIMULATED" if speed == 1 else f"SIMULATED  ×{speed:g}")
        task = str(status.get("task", ""))
        self.task.setText(_TASKS.get(task, task.replace("_", " ")))
        self._show_paths()
        self._show_interlocks()

    def _show_paths(self) -> None:
        paths = ["light path …", *self.engine.status.get("paths", [])]
        if paths != [self.path.itemText(n) for n in range(self.path.count())]:
            self.path.clear()
            self.path.addItems(paths)
        self.path.setVisible(len(paths) > 1)

    def _take_path(self, path: str) -> None:
        if path in self.engine.status.get("paths", []):
            self.engine.ask("look", kind="path", settings={"path": path})

    def _show_interlocks(self, _: str = "") -> None:
        tripped = {
            name: values["tripped"]
            for name, values in self.engine.values.items()
            if values.get("tripped")
        }
        silent = [name for name, values in self.engine.values.items() if values.get("hung")]
        words = [f"{name}: {text}" for name, text in tripped.items()]
        words += [f"{name} does not answer" for name in silent]
        for one in self.engine.status.get("interlocks", []):
            if one["state"] == "tripped" and one["name"] not in tripped:
                words.append(f"{one['name']}: {one['text']}")
        known = self.engine.is_attached and self.engine.status.get("connected")
        clear = "interlocks: all clear" if known else "interlocks: not known"
        self.interlocks.setText(_short("  ".join(words) if words else clear))
        set_tone(self.interlocks, "bad" if words else "good" if known else "faint")

    def _fill(self) -> None:
        """List every interlock and guard; one that has tripped can be released here."""
        self._list.clear()
        for one in self.engine.status.get("interlocks", []):
            name = str(one["name"])
            tripped = one["state"] == "tripped"
            text = f"{name}: {one['state']}"
            action = QAction(f"Re-arm  {text}  ({one['text']})" if tripped else text, self._list)
            action.setEnabled(tripped)
            action.triggered.connect(partial(self._rearm, name))
            self._list.addAction(action)

    def _rearm(self, name: str, _: bool = False) -> None:
        self.engine.ask("rearm", name=name)


def _short(text: str) -> str:
    """Cut words that would push the red stop off the screen; tooltip, menu and log have them."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
