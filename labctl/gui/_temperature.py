"""Temperatures against time, with set point and the band within which they count as stable."""

from typing import Any

import numpy as np
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout

from labctl.gui._engine import Engine
from labctl.gui._panel import Panel, ReadOut, set_tone
from labctl.gui._plot import Plot
from labctl.gui._theme import Theme

__all__ = ["TemperaturePanel"]

_SPANS = {"5 min": 300.0, "30 min": 1800.0, "2 h": 7200.0, "everything": float("inf")}
_BAND_K = 0.05
"""Half the width of the band that is drawn: the tolerance of the roles' own settle rule."""
_WINDOW_S = 60.0


class TemperaturePanel(Panel):
    """Every reading of a thermostat that is in kelvin."""

    def __init__(self, engine: Engine) -> None:
        """Show the readings that are there, then those that come."""
        super().__init__(engine)
        self.plot = Plot(("time from now", "s"), ("T", "K"))
        self._curve = self.plot.curve("", 0)
        # What is stable lies on the set point; it must be seen above that and its band.
        self._curve.item.setZValue(10.0)
        self._set = self.plot.line(0.0, upright=False, tone="warn")
        self._band = self.plot.band(-_BAND_K, _BAND_K)
        self.source, self.span = QComboBox(), QComboBox()
        self.source.setToolTip("Which reading, K")
        self.span.addItems(list(_SPANS))
        self.span.setToolTip("How much of the past is shown")
        self.source.currentTextChanged.connect(self._draw)
        self.span.currentTextChanged.connect(self._draw)
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.read_out = ReadOut()
        self.read_out.setAlignment(Qt.AlignmentFlag.AlignRight)
        bar = QHBoxLayout()
        bar.addWidget(self.source)
        bar.addWidget(self.span)
        bar.addWidget(self.read_out, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(bar)
        layout.addWidget(self.plot)
        engine.roles_changed.connect(self._fill)
        engine.values_changed.connect(self._update)
        self._fill()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self.plot.set_theme(theme)

    def memory(self) -> dict[str, Any]:
        """Return what is shown."""
        return {"span": self.span.currentText(), "source": self.source.currentText()}

    def remember(self, memory: dict[str, Any]) -> None:
        """Show the same again."""
        self.span.setCurrentText(memory.get("span", ""))
        self.source.setCurrentText(memory.get("source", ""))

    def _fill(self) -> None:
        names = [
            f"{name}.{quantity}"
            for name, role in self.engine.roles.items()
            for quantity, unit in role["readables"].items()
            if unit == "K" and quantity != "stability"
        ]
        if names != [self.source.itemText(n) for n in range(self.source.count())]:
            self.source.clear()
            self.source.addItems(names)
        self._draw()

    def _update(self, name: str) -> None:
        if self.source.currentText().startswith(f"{name}."):
            self._draw()

    def _draw(self) -> None:
        source = self.source.currentText()
        trace = self.engine.traces.get(source)
        if not trace:
            return
        times_s, values_k = np.array(trace, np.float64).T
        past_s = times_s - times_s[-1]
        shown = past_s >= -_SPANS[self.span.currentText()]
        self._curve.set(past_s[shown], values_k[shown])
        name = source.partition(".")[0]
        target = self.engine.values.get(name, {}).get("set", {}).get("temperature")
        self._set.show(target is not None)
        self._band.setVisible(target is not None)
        if target is not None:
            self._set.set(target)
            self._band.setRegion((target - _BAND_K, target + _BAND_K))
        recent = values_k[past_s >= -_WINDOW_S]
        text = f"{values_k[-1]:.3f} K"
        if len(recent) > 2:
            text += f", last minute {recent.mean():.3f} ± {recent.std(ddof=1):.3f} K"
        if target is not None:
            text += f", set {target:g} K"
            stable = abs(float(recent.mean()) - target) < _BAND_K
            set_tone(self.read_out, "good" if stable else "warn")
        self.read_out.setText(text)
