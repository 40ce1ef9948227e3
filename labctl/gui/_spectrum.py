"""The spectrum, live or of the point that was stored last."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSpinBox

from labctl.gui._engine import Engine
from labctl.gui._inbox import Picture
from labctl.gui._live_bar import Field, LiveBar
from labctl.gui._live_panel import LivePanel
from labctl.gui._plot import Plot
from labctl.gui._readout import describe_peak
from labctl.optics import air_nm_to_ev

__all__ = ["SpectrumPanel"]

_FIELDS = (
    Field("exposure", "100 ms", "Exposure of one frame, with its unit (ms, s)"),
    Field("adc", "", "Digitisation speed of the camera, MHz", empty="quietest"),
    Field("rows", "", "First row and number of rows that are summed: [90, 20]", empty="all"),
)
_LEAST_NM = 100.0


class SpectrumPanel(LivePanel):
    """Counts against wavelength or photon energy, with cursors and a background."""

    topics = ("spectrum", "point/spectrum")

    def __init__(self, engine: Engine) -> None:
        """Show the newest spectrum of the engine."""
        self.plot = Plot(("wavelength", "nm"), ("counts", ""))
        bar = LiveBar(engine, "spectrum", _FIELDS)
        super().__init__(engine, self.plot, bar, self._settings())
        bar.live.clicked.connect(self._clear)
        self._mean = self.plot.curve("average", 1)
        self._last = self.plot.curve("last", 0)
        self._cursors = [
            self.plot.line(0.0, upright=True, tone="warn", movable=True) for _ in range(2)
        ]
        for cursor in self._cursors:
            cursor.show(False)
            cursor.item.sigPositionChanged.connect(self._read_out)
        self._nm: NDArray[np.float64] = np.empty(0)
        self._counts: NDArray[np.float64] = np.empty(0)
        self._background: NDArray[np.float64] | None = None
        self._sum: NDArray[np.float64] = np.empty(0)
        self._summed, self._exposure_s, self._placed, self._rows = 0, 1.0, False, ""
        self.read_out.setText("no spectrum yet: press Live, or run a recipe with 'spectrum'")
        self.read_out.setToolTip("Position, energy and full width at half maximum of the peak")
        self.catch_up()

    def memory(self) -> dict[str, Any]:
        """Return the settings of the live view and of the axes."""
        return {
            **super().memory(),
            "axis": self.axis.currentText(),
            "unit": self.unit.currentText(),
            "average": self.average.value(),
        }

    def remember(self, memory: dict[str, Any]) -> None:
        """Take the settings of an earlier life."""
        super().remember(memory)
        self.axis.setCurrentText(memory.get("axis", self.axis.currentText()))
        self.unit.setCurrentText(memory.get("unit", self.unit.currentText()))
        self.average.setValue(memory.get("average", self.average.value()))

    def take_rows(self, first: int, number: int) -> None:
        """Sum these rows of the sensor from now on, and look at once."""
        self.bar.remember({"rows": f"[{first}, {number}]"})
        self.bar.start()

    def _settings(self) -> QHBoxLayout:
        """Return the line of how the spectrum is seen; a second one, for screens of laptops."""
        self.axis, self.unit = QComboBox(), QComboBox()
        self.axis.addItems(["nm", "eV"])
        self.axis.currentTextChanged.connect(self._redraw)
        self.unit.addItems(["counts", "cps"])
        self.unit.currentTextChanged.connect(self._redraw)
        self.average = QSpinBox()
        self.average.setRange(1, 1000)
        self.average.setValue(10)
        self.average.setToolTip("Number of spectra in the running average")
        self.subtract = QPushButton("Background")
        self.subtract.setCheckable(True)
        self.subtract.setToolTip("Take the present average as background and subtract it")
        self.subtract.toggled.connect(self._take_background)
        self.cursors = QPushButton("Cursors")
        self.cursors.setCheckable(True)
        self.cursors.setToolTip("Two lines between which the peak is looked for")
        self.cursors.toggled.connect(self._show_cursors)
        line, average = QHBoxLayout(), QLabel("average")
        line.addStretch(1)
        for widget in (average, self.average, self.subtract, self.cursors, self.axis, self.unit):
            line.addWidget(widget)
        return line

    def draw(self, topic: str, picture: Picture) -> None:
        """Draw the newest, and the running average of a live view."""
        if "counts" not in picture.arrays:
            return
        counts = np.asarray(picture.arrays["counts"], np.float64)
        # Of a point with several frames, counts are those of all of them.
        stored_s = picture.head.get("live_s") or picture.arrays.get("live_time_s")
        self._exposure_s = float(picture.head.get("exposure_s") or stored_s or 1.0)
        self._nm = np.asarray(picture.arrays["wavelength"], np.float64)
        self._rows = _in_words(picture.head.get("rows"))
        if topic.startswith("point/") or len(counts) != len(self._sum):
            self._clear()
            self._sum = np.zeros_like(counts)
        self._counts = counts
        # A running mean that forgets: after n spectra it is as old as the mean of n.
        self._summed = min(self._summed + 1, self.average.value())
        self._sum = self._sum + (counts - self._sum) / self._summed
        self._redraw()

    def _clear(self) -> None:
        self._sum, self._summed = np.empty(0), 0

    def _redraw(self) -> None:
        if not len(self._counts):
            return
        energy = self.axis.currentText() == "eV"
        rate = self.unit.currentText() == "cps"
        # Around zero order there is no photon energy to speak of.
        shown = self._nm > _LEAST_NM if energy else np.ones(len(self._nm), np.bool_)
        x = air_nm_to_ev(self._nm[shown]) if energy else self._nm
        factor = 1.0 / self._exposure_s if rate else 1.0
        dark = 0.0
        if self._background is not None and len(self._background) == len(self._counts):
            dark = self._background
        self.plot.set_labels(
            ("photon energy", "eV") if energy else ("wavelength", "nm"),
            ("count rate", "1/s") if rate else ("counts", ""),
        )
        self._last.set(x, ((self._counts - dark) * factor)[shown])
        if self._summed > 1:
            self._mean.set(x, ((self._sum - dark) * factor)[shown])
        else:
            self._mean.set(x[:0], x[:0])
        self._read_out()

    def _take_background(self, wanted: bool) -> None:
        self._background = self._sum.copy() if wanted and len(self._sum) else None
        self._redraw()

    def _show_cursors(self, wanted: bool) -> None:
        x = self._last.x
        if wanted and len(x) and not self._placed:
            low, high = float(x.min()), float(x.max())
            self._cursors[0].set(low + 0.4 * (high - low))
            self._cursors[1].set(low + 0.6 * (high - low))
            self._placed = True
        for cursor in self._cursors:
            cursor.show(wanted)
        self._read_out()

    def _read_out(self) -> None:
        between = None
        if self.cursors.isChecked():
            low, high = sorted(cursor.value for cursor in self._cursors)
            between = (low, high)
        curve = self._mean if self._summed > 1 else self._last
        peak = describe_peak(curve.x, curve.y, self.axis.currentText(), between)
        self.read_out.setText(peak + self._rows)


def _in_words(rows: list[int] | None) -> str:
    return f"; rows {rows[0]} to {rows[0] + rows[1]}" if rows else ""
