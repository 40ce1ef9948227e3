"""A line of controls that goes on below where the window is narrow."""

from PyQt5.QtCore import QEvent, QSize
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

__all__ = ["FlowBar"]

_SPACE, _BETWEEN = 6, 3


class FlowBar(QWidget):
    """Widgets from left to right, in as many lines as it takes.

    What does not fit beside each other must not make the window wider than the screen.
    """

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._widgets: list[QWidget] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget) -> None:
        """Add something at the end."""
        widget.setParent(self)
        self._widgets.append(widget)
        self.updateGeometry()

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height of all lines in a width, pixels."""
        return self._lay(width, move=False)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the width in one line, and the height as it is now."""
        width = sum(one.sizeHint().width() + _SPACE for one in self._shown())
        return QSize(width, self._lay(self.width(), move=False))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the width of the widest widget."""
        width = max((one.sizeHint().width() for one in self._shown()), default=0)
        return QSize(width, self._lay(self.width(), move=False))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Lay all out anew."""
        super().resizeEvent(event)
        self._lay(self.width(), move=True)

    def event(self, event: QEvent | None) -> bool:
        """Lay all out anew when a widget wants another size, is hidden or shown."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._lay(self.width(), move=True)
        return super().event(event)

    def _shown(self) -> list[QWidget]:
        return [one for one in self._widgets if not one.isHidden()]

    def _lay(self, width: int, *, move: bool) -> int:
        """Go through all lines; returns the height that they take."""
        x, y, height = 0, 0, 0
        for widget in self._shown():
            size = widget.sizeHint()
            if x and x + size.width() > width:
                x, y, height = 0, y + height + _BETWEEN, 0
            if move:
                widget.setGeometry(x, y, size.width(), size.height())
            x, height = x + size.width() + _SPACE, max(height, size.height())
        return y + height
