"""Points of one or several stored runs in one plot, to compare them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from labctl.gui._plot import Plot
from labctl.gui._theme import Theme
from labctl.storage import Run, read_run

__all__ = ["OverlayWindow"]

_FIRST = 6
"""So many points are shown at first: as many as there are colours."""


@dataclass(frozen=True)
class _Axes:
    """Which arrays of a measurement are drawn, their labels, and by what x is multiplied."""

    x: str
    y: str
    x_label: tuple[str, str]
    y_label: tuple[str, str]
    factor: float = 1.0


_AXES = {
    "spectrum": _Axes("wavelength", "counts", ("wavelength", "nm"), ("counts", "")),
    "trpl": _Axes("delay", "counts", ("delay", "ns"), ("counts", ""), 1e-3),
    "g2": _Axes("tau", "coincidences", ("lag", "ns"), ("coincidences", "")),
    "trace": _Axes("time", "counts", ("time", "s"), ("counts per bin", "")),
    "photons": _Axes("time", "counts", ("time", "s"), ("counts per bin", "")),
}


class OverlayWindow(QWidget):
    """Which measurement, which of its points, and how they are laid over each other."""

    def __init__(self, paths: list[Path], theme: Theme) -> None:
        """Open runs; raises StorageError."""
        super().__init__()
        self._runs = [read_run(path) for path in paths]
        self.setWindowTitle("Compare " + ", ".join(dict.fromkeys(r.name for r in self._runs)))
        self.resize(1000, 600)
        self.measurement = QComboBox()
        self.measurement.addItems(list(dict.fromkeys(_kinds(self._runs))))
        self.measurement.currentTextChanged.connect(self._fill)
        self.equal, self.apart, self.log = QCheckBox("scaled"), QCheckBox("apart"), QCheckBox("log")
        self.equal.setToolTip("Scale each curve to a maximum of 1")
        self.apart.setToolTip("Lift each curve above the one before")
        self.log.setToolTip("Logarithmic axis; what is not above zero is left out")
        for box in (self.equal, self.apart, self.log):
            box.toggled.connect(self._draw)
        self.points = QListWidget()
        self.points.setToolTip("Points that are shown")
        self.points.itemChanged.connect(self._draw)
        self.plot = Plot(("", ""), ("", ""))
        self.plot.set_theme(theme)
        split = QSplitter()
        split.addWidget(self.points)
        split.addWidget(self.plot)
        split.setSizes([260, 740])
        bar = QHBoxLayout()
        for widget in (self.measurement, self.equal, self.apart, self.log):
            bar.addWidget(widget)
        bar.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addLayout(bar)
        layout.addWidget(split, 1)
        self._fill()

    def _kind(self) -> str:
        return self.measurement.currentText().partition("_")[0]

    def _fill(self) -> None:
        """List the points of the measurement in all runs."""
        name = self.measurement.currentText()
        self.points.blockSignals(True)
        self.points.clear()
        for number, run in enumerate(self._runs):
            if name not in run.data:
                continue
            for point in range(int(run.data[name].sizes["point"])):
                item = QListWidgetItem(self._words(run, name, point))
                item.setData(Qt.ItemDataRole.UserRole, (number, point))
                shown = self.points.count() < _FIRST
                item.setCheckState(Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked)
                self.points.addItem(item)
        self.points.blockSignals(False)
        self._draw()

    def _words(self, run: Run, name: str, point: int) -> str:
        data = run.data[name].isel(point=point)
        found: list[str] = []
        for values in data.variables.values():
            if values.attrs.get("role") == "set":
                unit = str(values.attrs.get("units", ""))
                found.append(f"{float(values.values):.5g} {unit}".rstrip())
        label = str(data["label"].values) if "label" in data.variables else ""
        words = ", ".join([*found, *([label] if label else [])])
        which = f"{run.name} " if len(self._runs) > 1 else ""
        return f"{which}#{point + 1}" + (f": {words}" if words else "")

    def _draw(self, _: object = None) -> None:
        self.plot.remove_curves()
        axes = _AXES.get(self._kind())
        if axes is None:
            return
        log = self.log.isChecked()
        what = ("share of the maximum", "") if self.equal.isChecked() else axes.y_label
        self.plot.set_labels(axes.x_label, what)
        self.plot.set_log(log)
        lift = 0.0
        for number, (words, x, y) in enumerate(self._chosen(axes)):
            drawn = y / (float(y.max()) or 1.0) if self.equal.isChecked() else y
            shown = drawn > 0.0 if log else np.ones(len(drawn), np.bool_)
            self.plot.curve(words, number).set(x[shown], drawn[shown] + lift)
            if self.apart.isChecked() and not log:
                lift += float(np.ptp(drawn))

    def _chosen(
        self, axes: _Axes
    ) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
        name = self.measurement.currentText()
        for row in range(self.points.count()):
            item = self.points.item(row)
            if item.checkState() == Qt.CheckState.Checked:
                number, point = item.data(Qt.ItemDataRole.UserRole)
                data = self._runs[int(number)].data[name].isel(point=int(point))
                x = np.asarray(data[axes.x].values, np.float64) * axes.factor
                yield item.text(), x, np.asarray(data[axes.y].values, np.float64)


def _kinds(runs: list[Run]) -> Iterator[str]:
    """Yield the measurements that can be drawn."""
    for run in runs:
        yield from (str(name) for name in run.data if str(name).partition("_")[0] in _AXES)
