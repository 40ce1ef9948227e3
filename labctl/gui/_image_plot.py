"""An image with axes, levels, a region and marks; with ``_plot`` all that knows pyqtgraph."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt5.QtCore import QPointF, QRectF, Qt, pyqtSignal

from labctl.gui._theme import DARK, Theme

__all__ = ["ImagePlot"]

_SAMPLES = 100_000

Place = tuple[float, float, float, float]


class ImagePlot(pg.PlotWidget):
    """One image; row 0 is above. Double click shows all of it, in all its levels.

    Black and white follow the image until somebody drags them on the bar beside it.

    Attributes:
        clicked: Column and row (in the units of the axes) where somebody clicked.
        picked: What belongs to a mark on which somebody clicked.
        region_changed: The region was moved: x, y, width, height.
    """

    clicked = pyqtSignal(float, float)
    picked = pyqtSignal(object)
    region_changed = pyqtSignal(float, float, float, float)

    def __init__(
        self, x: str, y: str, value: str, *, equal: bool = True, colours: str = "viridis"
    ) -> None:
        """Label axes and colours; ``equal``: a pixel is as wide as high."""
        super().__init__(background=DARK.plot)
        self.image = pg.ImageItem(axisOrder="row-major")
        item = self.getPlotItem()
        item.addItem(self.image)
        self._follows = True
        self._colours = pg.ColorBarItem(
            values=(0.0, 1.0), colorMap=pg.colormap.get(colours), label=value, rounding=1e-9
        )
        self._colours.setImageItem(self.image, insert_in=item)
        self._colours.sigLevelsChanged.connect(self._hold)
        item.setMenuEnabled(False)
        item.setLabel("bottom", x)
        item.setLabel("left", y)
        for name in ("bottom", "left"):
            item.getAxis(name).enableAutoSIPrefix(False)
        item.getViewBox().setAspectLocked(equal)
        item.getViewBox().invertY(True)
        self._marks = pg.ScatterPlotItem(
            size=12, pen=pg.mkPen("#ffffff", width=1.5), brush=pg.mkBrush((0, 0, 0, 0))
        )
        self._marks.sigClicked.connect(self._on_mark)
        item.addItem(self._marks, ignoreBounds=True)
        self._cross: list[pg.InfiniteLine] = []
        self._roi: pg.RectROI | None = None
        self.scene().sigMouseClicked.connect(self._on_click)
        self.set_theme(DARK)

    def show_image(
        self, image: NDArray[Any], place: tuple[float, float, float, float] | None = None
    ) -> None:
        """Show an image, shape (row, column); ``place`` is left, top, width, height in the axes."""
        self.image.setImage(image, autoLevels=False)
        if self._follows:
            self._show_levels(_levels(image))
        if place is not None:
            self.image.setRect(QRectF(*place))

    def show_cross(self, x: float, y: float) -> None:
        """Mark one place by a cross of two lines."""
        if not self._cross:
            pen = pg.mkPen("#ff5555", width=1, style=Qt.PenStyle.DashLine)
            self._cross = [pg.InfiniteLine(angle=angle, pen=pen) for angle in (90, 0)]
            for line in self._cross:
                self.getPlotItem().addItem(line, ignoreBounds=True)
        self._cross[0].setValue(x)
        self._cross[1].setValue(y)

    def show_marks(self, x: list[float], y: list[float], data: list[Any]) -> None:
        """Mark places by rings; ``picked`` gives what belongs to one."""
        self._marks.setData(x=x, y=y, data=data)

    def show_region(self, x: float, y: float, width: float, height: float) -> None:
        """Show a region that can be dragged."""
        if self._roi is None:
            self._roi = pg.RectROI((x, y), (width, height), pen=pg.mkPen("#ffcc00", width=1.5))
            self._roi.sigRegionChangeFinished.connect(self._on_region)
            self.getPlotItem().addItem(self._roi, ignoreBounds=True)
        else:
            self._roi.setPos((x, y))
            self._roi.setSize((width, height))

    def region(self) -> Place | None:
        """Return left, top, width and height of the region, in the axes; None: it is hidden."""
        if self._roi is None:
            return None
        place, size = self._roi.pos(), self._roi.size()
        return place.x(), place.y(), size.x(), size.y()

    def hide_region(self) -> None:
        """Take the region away."""
        if self._roi is not None:
            self.getPlotItem().removeItem(self._roi)
            self._roi = None

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.setBackground(theme.plot)
        item = self.getPlotItem()
        # Of the bar of colours the label stands to the left, and the numbers to the right.
        bar = self._colours.getAxis("left"), self._colours.axis
        for axis in (item.getAxis("bottom"), item.getAxis("left"), *bar):
            axis.setPen(theme.faint)
            axis.setTextPen(theme.text)

    def show_all(self) -> None:
        """Show the whole image, from its darkest to its brightest."""
        self.getPlotItem().enableAutoRange()
        self._follows = True
        if self.image.image is not None:
            self._show_levels(_levels(self.image.image))

    def levels(self) -> tuple[float, float]:
        """Return the values that are black and white."""
        low, high = self._colours.levels()
        return float(low), float(high)

    def hold_levels(self, low: float, high: float) -> None:
        """Show these values as black and white from now on, whatever comes."""
        self._show_levels((low, high))
        self._hold()

    def _show_levels(self, levels: tuple[float, float]) -> None:
        self._colours.blockSignals(True)
        self._colours.setLevels(levels)
        self._colours.blockSignals(False)

    def _hold(self) -> None:
        self._follows = False

    def _on_click(self, event: Any) -> None:
        if event.double():
            self.show_all()
            return
        place: QPointF = self.getPlotItem().getViewBox().mapSceneToView(event.scenePos())
        self.clicked.emit(place.x(), place.y())

    def _on_mark(self, _: object, marks: Any) -> None:
        self.picked.emit(marks[0].data())

    def _on_region(self) -> None:
        place = self.region()
        if place is not None:
            self.region_changed.emit(*place)


def _levels(image: NDArray[Any]) -> tuple[float, float]:
    """Return black and white: all but the darkest and brightest thousandth of the pixels."""
    step = max(1, image.size // _SAMPLES)
    some = image.reshape(-1)[::step]
    some = some[np.isfinite(some)] if some.dtype.kind == "f" else some
    if not some.size:
        return 0.0, 1.0
    low, high = (float(level) for level in np.percentile(some, (0.1, 99.9)))
    return low, max(high, low + 1.0 if some.dtype.kind != "f" else low + 1e-9)
