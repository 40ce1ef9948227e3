"""The image on the spectrometer's camera, with the band of rows that spectra sum."""

import numpy as np
from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QPushButton

from labctl.gui._engine import Engine
from labctl.gui._image_plot import ImagePlot
from labctl.gui._inbox import Picture
from labctl.gui._live_bar import Field, LiveBar
from labctl.gui._live_panel import LivePanel

__all__ = ["ImagePanel"]

_FIELDS = (
    Field("exposure", "1 s", "Exposure of one frame, with its unit"),
    Field("adc", "", "Digitisation speed of the camera, MHz", empty="quietest"),
)


class ImagePanel(LivePanel):
    """Live image of the sensor; the region reads counts out, and gives its rows to the spectrum.

    Attributes:
        rows_wanted: Spectra shall sum these rows of the sensor: the first, and how many.
    """

    topics = ("image",)
    rows_wanted = pyqtSignal(int, int)

    def __init__(self, engine: Engine) -> None:
        """Show the newest image of the engine."""
        self.plot = ImagePlot("column (pixel)", "row (pixel)", "counts", equal=False)
        super().__init__(engine, self.plot, LiveBar(engine, "image", _FIELDS))
        self._first = 0
        self.plot.region_changed.connect(self._read_out)
        self.region = QPushButton("Region")
        self.region.setCheckable(True)
        self.region.setToolTip("A region whose rows and counts are read out")
        self.region.toggled.connect(self._show_region)
        self.rows = QPushButton("Rows to the spectrum")
        self.rows.setToolTip("The live spectrum sums the rows of the region, in the camera")
        self.rows.setEnabled(False)
        self.rows.clicked.connect(self._give_rows)
        self.bar.add(self.region)
        self.bar.add(self.rows)
        self.catch_up()

    def draw(self, topic: str, picture: Picture) -> None:
        """Draw the image where it lies on the sensor."""
        counts = picture.arrays["counts"]
        rows, columns = counts.shape
        self._first = int(picture.head.get("y0", 0))
        self.plot.show_image(counts, (0.0, float(self._first), float(columns), float(rows)))
        self._read_out()

    def _show_region(self, wanted: bool) -> None:
        image = self.plot.image.image
        if wanted and image is not None:
            rows, columns = image.shape[:2]
            self.plot.show_region(0.0, self._first + 0.4 * rows, float(columns), 0.2 * rows)
        else:
            self.plot.hide_region()
        self._read_out()

    def _rows(self) -> tuple[int, int] | None:
        """Return the first row of the region on the sensor, and how many there are."""
        image, place = self.plot.image.image, self.plot.region()
        if image is None or place is None:
            return None
        low, high = place[1] - self._first, place[1] + place[3] - self._first
        first, end = (int(np.clip(round(row), 0, image.shape[0])) for row in (low, high))
        return (self._first + first, end - first) if end > first else None

    def _give_rows(self) -> None:
        rows = self._rows()
        if rows is not None:
            self.rows_wanted.emit(*rows)

    def _read_out(self, *_: float) -> None:
        image, place, rows = self.plot.image.image, self.plot.region(), self._rows()
        self.rows.setEnabled(rows is not None and self.engine.is_live)
        if image is None:
            return
        text = f"{image.shape[1]} x {image.shape[0]} pixels, peak {int(image.max())} counts"
        if rows is not None and place is not None:
            first, number = rows[0] - self._first, rows[1]
            left, right = (max(0, round(column)) for column in (place[0], place[0] + place[2]))
            inside = image[first : first + number, left:right]
            total = int(inside.sum(dtype=np.int64))
            text += (
                f"; region rows {rows[0]} to {sum(rows)}, {total} counts"
                f"  (rows: [{rows[0]}, {number}])"
            )
        self.read_out.setText(text)
