"""The map of the luminescence with the dots that were found; a dot that is clicked is gone to."""

from typing import Any

import numpy as np
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QVBoxLayout,
)

from labctl.gui._engine import Engine
from labctl.gui._image_plot import ImagePlot
from labctl.gui._inbox import Picture
from labctl.gui._panel import Panel, ReadOut
from labctl.gui._theme import Theme

__all__ = ["MapPanel"]

_TOPIC = "point/map"
_CATALOGUE = 140
"""Width of the catalogue, pixels: a name and a rate."""


class MapPanel(Panel):
    """Count rate against the position of the stage, and the catalogue of dots beside it."""

    def __init__(self, engine: Engine) -> None:
        """Show the newest map of the engine."""
        super().__init__(engine)
        self.plot = ImagePlot(
            "x of the stage (um)", "y of the stage (um)", "count rate (1/s)", colours="inferno"
        )
        self.plot.picked.connect(self._pick)
        self.plot.getPlotItem().getViewBox().invertY(False)
        self.dots = QListWidget()
        self.dots.setMinimumWidth(_CATALOGUE)
        self.dots.setToolTip("Dots that were found, the brightest first")
        self.dots.itemClicked.connect(self._pick_item)
        self.go = QPushButton("Go to the dot")
        self.go.setToolTip("Bring the chosen dot into the spot by the stage's x and y")
        self.go.setEnabled(False)
        self.go.clicked.connect(self.go_to)
        self.read_out = ReadOut("no map yet: a recipe with 'map' makes one")
        self._chosen: dict[str, Any] = {}
        split = QSplitter()
        split.addWidget(self.plot)
        split.addWidget(self.dots)
        split.setSizes([600, 160])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(split, 1)
        layout.addWidget(self.go)
        layout.addWidget(self.read_out)
        engine.shown.connect(self._take)
        if _TOPIC in engine.pictures:
            self._take(_TOPIC, engine.pictures[_TOPIC])

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self.plot.set_theme(theme)

    def go_to(self) -> None:
        """Bring the chosen dot into the spot."""
        stage = next((n for n, r in self.engine.roles.items() if r["role"] == "positioner"), "")
        for axis in ("x", "y"):
            um = float(self._chosen[f"{axis}_um"])
            self.engine.ask("set", name=stage, quantity=axis, value=um)

    def _take(self, topic: str, picture: Picture) -> None:
        if topic != _TOPIC:
            return
        rate = np.asarray(picture.arrays["rate"], np.float64)
        x, y = (np.asarray(picture.arrays[axis], np.float64) for axis in ("x", "y"))
        step = float(x[1] - x[0]) if len(x) > 1 else 1.0
        width, height = len(x) * step, len(y) * step
        self.plot.show_image(rate, (float(x[0]) - step / 2, float(y[0]) - step / 2, width, height))
        self._show_dots(list(picture.head.get("dots", [])))
        bright = float(np.nanmax(rate)) if np.isfinite(rate).any() else 0.0
        self.read_out.setText(f"{len(x)} x {len(y)} places, brightest {bright:,.0f} /s")

    def _show_dots(self, dots: list[dict[str, Any]]) -> None:
        self.dots.clear()
        for dot in dots:
            item = QListWidgetItem(f"{dot['name']}  {dot['brightness_hz']:,.0f} /s")
            item.setData(Qt.ItemDataRole.UserRole, dot)
            self.dots.addItem(item)
        self.plot.show_marks([d["x_um"] for d in dots], [d["y_um"] for d in dots], dots)

    def _pick_item(self, item: QListWidgetItem) -> None:
        self._pick(item.data(Qt.ItemDataRole.UserRole))

    def _pick(self, dot: dict[str, Any]) -> None:
        self._chosen = dot
        self.go.setEnabled(True)
        self.go.setText(f"Go to {dot['name']} ({dot['x_um']:.2f}, {dot['y_um']:.2f} um)")
