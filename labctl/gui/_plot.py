"""A plot as all panels use it; the only module beside ``_image_plot`` that knows pyqtgraph."""

from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt5.QtCore import QPointF, Qt, pyqtSignal
from PyQt5.QtGui import QContextMenuEvent, QPen
from PyQt5.QtWidgets import QAction, QApplication, QFileDialog, QMenu

from labctl.gui._theme import DARK, Theme

__all__ = ["Curve", "ErrorBars", "Line", "Plot"]

pg.setConfigOptions(antialias=False)


class Curve:
    """One curve of a plot; knows its colour by number, so that themes can change it."""

    def __init__(
        self, item: pg.PlotDataItem, name: str, colour: int, width: float, symbol: str = ""
    ) -> None:
        """Wrap an item of the plot; with a symbol it has no line."""
        self.item, self.name, self.colour, self.width = item, name, colour, width
        self.symbol = symbol
        self.x: NDArray[Any] = np.empty(0)
        self.y: NDArray[Any] = np.empty(0)

    def set(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        """Show other data."""
        self.x, self.y = x, y
        self.item.setData(x, y)

    def paint(self, colour: str) -> None:
        """Take another colour."""
        if self.symbol:
            self.item.setSymbolPen(colour)
            self.item.setSymbolBrush(colour)
        else:
            self.item.setPen(pg.mkPen(colour, width=self.width))


class Line:
    """A straight line across a plot, which can be dragged if it is movable."""

    def __init__(self, item: pg.InfiniteLine) -> None:
        """Wrap an item of the plot."""
        self.item = item

    @property
    def value(self) -> float:
        """Where it stands, in the unit of its axis."""
        return self.item.value()

    def set(self, value: float) -> None:
        """Bring it to a place."""
        self.item.setValue(value)

    def show(self, visible: bool) -> None:
        """Show or hide it."""
        self.item.setVisible(visible)


class ErrorBars:
    """Upright error bars of points that a curve draws."""

    def __init__(self, item: pg.ErrorBarItem) -> None:
        """Wrap an item of the plot."""
        self.item = item

    def set(self, x: NDArray[Any], y: NDArray[Any], error: NDArray[Any]) -> None:
        """Show other data, each as y ± error."""
        self.item.setData(x=x, y=y, top=error, bottom=error)

    def paint(self, colour: str) -> None:
        """Take another colour."""
        self.item.setData(pen=pg.mkPen(colour))


class Plot(pg.PlotWidget):
    """Curves over one pair of axes.

    Double click shows everything; the menu copies the picture or the numbers, or saves these.
    """

    clicked = pyqtSignal(float, float)

    def __init__(self, x: tuple[str, str], y: tuple[str, str]) -> None:
        """Label the axes by (what, unit)."""
        super().__init__(background=DARK.plot)
        self.theme = DARK
        self.curves: list[Curve] = []
        self._labels = {"bottom": x, "left": y}
        self._lines: list[tuple[pg.InfiniteLine, str]] = []
        self._bars: list[ErrorBars] = []
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.showGrid(True, True, 0.15)
        self._actions = self._menu_actions()
        self.scene().sigMouseClicked.connect(self._on_click)
        self.set_theme(DARK)

    def curve(self, name: str, colour: int = 0, width: float = 1.0, symbol: str = "") -> Curve:
        """Add a curve; a name puts it into the legend."""
        item = self.getPlotItem()
        if name and item.legend is None:
            item.addLegend(offset=(-10, 5)).setLabelTextColor(self.theme.text)
        drawn = item.plot(
            pen=self._pen(colour, width) if not symbol else None,
            name=name or None,
            symbol=symbol or None,
            symbolSize=8,
        )
        found = Curve(drawn, name, colour, width, symbol)
        found.paint(self._colour(colour))
        self.curves.append(found)
        return found

    def rename(self, curve: Curve, name: str) -> None:
        """Give a curve another name, also in the legend."""
        legend = self.getPlotItem().legend
        if curve.name == name or legend is None:
            return
        for item, label in legend.items:
            if label.text == curve.name and getattr(item, "item", None) is curve.item:
                label.setText(name)
        curve.name = name

    def error_bars(self) -> ErrorBars:
        """Add error bars."""
        item = pg.ErrorBarItem(beam=0.0)
        self.getPlotItem().addItem(item)
        self._bars.append(ErrorBars(item))
        self._bars[-1].paint(self.theme.faint)
        return self._bars[-1]

    def remove_curves(self) -> None:
        """Take all curves away, and their names out of the legend."""
        for curve in self.curves:
            self.getPlotItem().removeItem(curve.item)
        self.curves = []

    def line(
        self, value: float, *, upright: bool, tone: str = "accent", movable: bool = False
    ) -> Line:
        """Add a straight line: upright at an x, else level at a y."""
        pen = pg.mkPen(getattr(self.theme, tone), width=1, style=Qt.PenStyle.DashLine)
        drawn = pg.InfiniteLine(value, 90 if upright else 0, movable=movable, pen=pen)
        self.getPlotItem().addItem(drawn, ignoreBounds=True)
        self._lines.append((drawn, tone))
        return Line(drawn)

    def band(self, low: float, high: float) -> pg.LinearRegionItem:
        """Add a level band that cannot be dragged."""
        brush = pg.mkBrush((80, 160, 120, 40))
        region = pg.LinearRegionItem((low, high), "horizontal", brush=brush, movable=False)
        self.getPlotItem().addItem(region, ignoreBounds=True)
        return region

    def set_labels(
        self, x: tuple[str, str] | None = None, y: tuple[str, str] | None = None
    ) -> None:
        """Label the axes anew."""
        if x is not None:
            self._labels["bottom"] = x
        if y is not None:
            self._labels["left"] = y
        self._show_labels()

    def set_log(self, log: bool) -> None:
        """Show y on a logarithmic axis, or not; zeros must be clipped before."""
        self.getPlotItem().setLogMode(False, log)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.theme = theme
        self.setBackground(theme.plot)
        item = self.getPlotItem()
        for name in ("bottom", "left"):
            axis = item.getAxis(name)
            axis.setPen(theme.faint)
            axis.setTextPen(theme.text)
            axis.enableAutoSIPrefix(False)
        if item.legend is not None:
            item.legend.setLabelTextColor(theme.text)
            # The colour counts for names that are written from now on.
            for _, label in item.legend.items:
                label.setText(label.text, color=theme.text)
        for curve in self.curves:
            curve.paint(self._colour(curve.colour))
        for bars in self._bars:
            bars.paint(theme.faint)
        for line, tone in self._lines:
            pen = pg.mkPen(getattr(theme, tone), width=1, style=Qt.PenStyle.DashLine)
            line.setPen(pen)
        self._show_labels()

    def show_x(self, low: float, high: float) -> None:
        """Show this part of x."""
        self.getPlotItem().setXRange(low, high, padding=0.0)

    def bound_below(self, least: float) -> None:
        """Never show less than this of y, and always this."""
        self.getPlotItem().getViewBox().setLimits(yMin=least)
        # A line of the bounds, by which the view that follows the data reaches down to it.
        self.getPlotItem().addItem(pg.InfiniteLine(least, 0, pen=pg.mkPen(self.theme.faint)))

    def shown_y(self) -> tuple[float, float]:
        """Return from where to where y is shown."""
        box = self.getPlotItem().getViewBox()
        box.updateAutoRange()
        low, high = box.viewRange()[1]
        return low, high

    def show_all(self) -> None:
        """Follow the data again."""
        self.getPlotItem().enableAutoRange()

    def as_text(self) -> str:
        """Return the numbers of all curves: columns with tabs, one block for each curve."""
        blocks: list[str] = []
        x, y = (_label(*self._labels[name]) for name in ("bottom", "left"))
        for curve in self.curves:
            if len(curve.x):
                head = f"# {curve.name}\n# {x}\t{y}"
                rows = [f"{a:.10g}\t{b:.10g}" for a, b in zip(curve.x, curve.y, strict=True)]
                blocks.append("\n".join([head, *rows]))
        return "\n\n".join(blocks) + "\n"

    def copy_picture(self) -> None:
        """Put the picture on the clipboard."""
        board = QApplication.clipboard()
        board.setPixmap(self.grab())

    def copy_data(self) -> None:
        """Put the numbers on the clipboard."""
        board = QApplication.clipboard()
        board.setText(self.as_text())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """Offer what can be done with a plot."""
        menu = QMenu(self)
        menu.addActions(self._actions)
        menu.popup(event.globalPos())

    def _menu_actions(self) -> list[QAction]:
        actions: list[QAction] = []
        for text, do in (
            ("Show everything", self.show_all),
            ("Copy picture", self.copy_picture),
            ("Copy numbers", self.copy_data),
            ("Save numbers …", self._save),
        ):
            action = QAction(text, self)
            action.triggered.connect(do)
            actions.append(action)
        return actions

    def _save(self) -> None:
        dialog = QFileDialog(self, "Save numbers", "", "Text (*.txt)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(lambda name: Path(name).write_text(self.as_text(), "utf-8"))
        dialog.open()

    def _on_click(self, event: Any) -> None:
        if event.double():
            self.show_all()
            return
        place: QPointF = self.getPlotItem().getViewBox().mapSceneToView(event.scenePos())
        self.clicked.emit(place.x(), place.y())

    def _pen(self, colour: int, width: float) -> QPen:
        return pg.mkPen(self._colour(colour), width=width)

    def _colour(self, number: int) -> str:
        return self.theme.curves[number % len(self.theme.curves)]

    def _show_labels(self) -> None:
        for name, label in self._labels.items():
            self.getPlotItem().setLabel(name, _label(*label))


def _label(what: str, unit: str) -> str:
    return f"{what} ({unit})" if unit else what
