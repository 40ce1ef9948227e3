"""The image on the spectrometer's camera, with the band of rows that spectra sum."""

from typing import Any

import numpy as np
from PyQt5.QtWidgets import QLabel, QPushButton, QVBoxLayout

from labctl.gui._engine import Engine
from labctl.gui._image_plot import ImagePlot
from labctl.gui._inbox import Picture
from labctl.gui._live_bar import Field, LiveBar
from labctl.gui._panel import Panel
from labctl.gui._theme import Theme

__all__ = ["ImagePanel"]

_TOPIC = "image"
_FIELDS = (
    Field("exposure", "100 ms", "Exposure of one frame, with its unit"),
    Field("adc", "5 MHz", "Digitisation speed of the camera; empty: the quietest of the port"),
)


class ImagePanel(Panel):
    """Live image of the sensor; the region reads counts out and can be put into a recipe."""

    def __init__(self, engine: Engine) -> None:
        """Show the newest image of the engine."""
        super().__init__(engine)
        self.plot = ImagePlot("column (pixel)", "row (pixel)", equal=False)
        self.plot.region_changed.connect(self._read_out)
        self.bar = LiveBar(engine, "image", _FIELDS)
        self.region = QPushButton("Region")
        self.region.setCheckable(True)
        self.region.setToolTip("A region whose rows and counts are read out")
        self.region.toggled.connect(self._show_region)
        self.bar.add(self.region)
        self.read_out = QLabel()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.bar)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.read_out)
        engine.shown.connect(self._take)
        if _TOPIC in engine.pictures:
            self._take(_TOPIC, engine.pictures[_TOPIC])

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self.plot.set_theme(theme)

    def memory(self) -> dict[str, Any]:
        """Return the settings of the live view."""
        return dict(self.bar.memory())

    def remember(self, memory: dict[str, Any]) -> None:
        """Take the settings of an earlier life."""
        self.bar.remember(memory)

    def _take(self, topic: str, picture: Picture) -> None:
        if topic != _TOPIC:
            return
        counts = picture.arrays["counts"]
        rows, columns = counts.shape
        first = float(picture.head.get("y0", 0))
        self.plot.show_image(counts, (0.0, first, float(columns), float(rows)))
        self._read_out()

    def _show_region(self, wanted: bool) -> None:
        image = self.plot.image.image
        if wanted and image is not None:
            rows, columns = image.shape[:2]
            self.plot.show_region(0.0, 0.4 * rows, float(columns), 0.2 * rows)
        else:
            self.plot.hide_region()
        self._read_out()

    def _read_out(self, *place: float) -> None:
        image = self.plot.image.image
        if image is None:
            return
        text = f"{image.shape[1]} x {image.shape[0]} pixels, peak {int(image.max())} counts"
        if place:
            x, y, width, height = (max(0, round(number)) for number in place)
            inside = image[y : y + height, x : x + width]
            if inside.size:
                total = int(inside.sum(dtype=np.int64))
                text += (
                    f"; region rows {y} to {y + height}, {total} counts  (rows: [{y}, {height}])"
                )
        self.read_out.setText(text)
