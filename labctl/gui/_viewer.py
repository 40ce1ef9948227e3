"""A window with one stored run: the panels of the live views, fed from the file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from labctl.gui._engine import Engine
from labctl.gui._map import MapPanel
from labctl.gui._panel import Panel
from labctl.gui._photons import DecayPanel, PairsPanel, RatesPanel
from labctl.gui._sample import SamplePanel
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._stored import StoredEngine
from labctl.gui._theme import Theme
from labctl.host.server import EngineRequest
from labctl.units import split_suffix

__all__ = ["RunViewer"]

_VIEWS: dict[str, Callable[[Engine], Panel]] = {
    "spectrum": SpectrumPanel,
    "trpl": DecayPanel,
    "g2": PairsPanel,
    "trace": RatesPanel,
    "image": SamplePanel,
    "map": MapPanel,
}


class RunViewer(QWidget):
    """One run: measurement and point to choose, what was set there, messages and recipe.

    Attributes:
        recipe_wanted: The recipe of the run shall be edited and run again; its text.
    """

    recipe_wanted = pyqtSignal(str)

    def __init__(self, request: EngineRequest, path: Path, theme: Theme) -> None:
        """Open a run; raises StorageError."""
        super().__init__()
        self.engine = StoredEngine(request, path)
        run = self.engine.stored
        self.setWindowTitle(f"{run.name} – {path.name}")
        self.resize(900, 650)
        self.measurement, self.point = QComboBox(), QSlider(Qt.Orientation.Horizontal)
        self.measurement.addItems(list(self.engine.points()))
        self.measurement.currentTextChanged.connect(self._choose)
        self.point.valueChanged.connect(self._show)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.tabs = QTabWidget()
        self.views: dict[str, Panel] = {}
        self.again = QPushButton("Recipe into the editor")
        self.again.setToolTip("Take the parameters of this run as a new recipe")
        self.again.clicked.connect(self._want_recipe)
        bar = QHBoxLayout()
        for widget in (self.measurement, QLabel("point"), self.point, self.again):
            bar.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.addLayout(bar)
        layout.addWidget(self.words)
        layout.addWidget(self.tabs, 1)
        self._fill(theme)
        self._choose(self.measurement.currentText())

    def _fill(self, theme: Theme) -> None:
        for measurement in self.engine.points():
            kind = measurement.partition("_")[0]
            if kind in _VIEWS and kind not in self.views:
                view = self.views[kind] = _VIEWS[kind](self.engine)
                view.set_theme(theme)
                self.tabs.addTab(view, kind)
        run = self.engine.stored
        lines = [f"{e.time_s:9.1f} s  {e.level:8} {e.device}: {e.message}" for e in run.events]
        recipe = json.dumps(dict(run.start.get("recipe", {})), indent=2, ensure_ascii=False)
        results = [json.dumps(dict(one), default=str, ensure_ascii=False) for one in run.analyses]
        self.settings = QPlainTextEdit()
        self.settings.setReadOnly(True)
        self.tabs.addTab(self.settings, "settings")
        for title, text in (
            ("messages", "\n".join(lines)),
            ("recipe", recipe),
            ("results", "\n".join(results)),
        ):
            page = QPlainTextEdit(text)
            page.setReadOnly(True)
            self.tabs.addTab(page, title)

    def _want_recipe(self) -> None:
        # JSON is YAML, too.
        recipe = dict(self.engine.stored.start.get("recipe", {}))
        self.recipe_wanted.emit(json.dumps(recipe, indent=2, ensure_ascii=False) + "\n")

    def _choose(self, measurement: str) -> None:
        if not measurement:
            self.words.setText("this run has no points")
            return
        self.point.setRange(0, self.engine.points()[measurement] - 1)
        kind = measurement.partition("_")[0]
        if kind in self.views:
            self.tabs.setCurrentWidget(self.views[kind])
        self._show()

    def _show(self) -> None:
        measurement, point = self.measurement.currentText(), self.point.value()
        self.engine.show_point(measurement, point)
        data = self.engine.stored.data[measurement].isel(point=point)
        plain = {str(n): v for n, v in data.variables.items() if v.ndim == 0}
        lines = {name: _words(v.values, str(v.attrs.get("units", ""))) for name, v in plain.items()}
        self.settings.setPlainText("\n".join(f"{_plain(n)}: {w}" for n, w in lines.items()))
        known = [name for name, v in plain.items() if v.attrs.get("role") in ("set", "read")]
        said = [f"{_plain(name)} {lines[name]}" for name in known]
        said.append(f"live time {lines['live_time_s']}")
        self.words.setText(f"point {point + 1} of {self.point.maximum() + 1}: {', '.join(said)}")


def _words(value: Any, unit: str) -> str:
    text = f"{float(value):.6g}" if value.dtype.kind in "if" else str(value)
    return f"{text} {unit}".rstrip()


def _plain(name: str) -> str:
    """Return a name without the suffix that says its unit: that stands behind the number."""
    return split_suffix(name)[0].replace("_", " ")
