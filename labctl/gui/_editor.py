"""The text of a recipe, with marks at the lines where something is wrong."""

import re

from PyQt5.QtCore import QMimeData, Qt, pyqtSignal
from PyQt5.QtGui import QBrush, QColor, QFont, QTextCursor, QTextFormat
from PyQt5.QtWidgets import QPlainTextEdit, QTextEdit

__all__ = ["RecipeEditor", "line_of"]


def line_of(where: str) -> int | None:
    """Return the line of a place like ``recipe.yaml:12``, from 1; None without one."""
    found = re.search(r":(\d+)$", where)
    return int(found.group(1)) if found else None


class RecipeEditor(QPlainTextEdit):
    """Plain text in a font of even width; a file that is dropped on it is opened."""

    dropped = pyqtSignal(str)

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        font = QFont("monospace")
        font.setStyleHint(QFont.StyleHint.TypeWriter)
        self.setFont(font)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabStopDistance(2 * self.fontMetrics().horizontalAdvance(" "))

    def replace(self, text: str) -> None:
        """Replace the whole text in one step, which can be undone."""
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)

    def mark(self, lines: dict[int, str], colour: str) -> None:
        """Mark lines (from 1) with what is wrong there; an empty table takes all marks away."""
        marks: list[QTextEdit.ExtraSelection] = []
        ground = QColor(colour)
        ground.setAlpha(70)
        for number, text in lines.items():
            block = self.document().findBlockByNumber(number - 1)
            mark = QTextEdit.ExtraSelection()
            mark.format.setBackground(QBrush(ground))
            mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            mark.format.setToolTip(text)
            mark.cursor = QTextCursor(block)
            marks.append(mark)
        self.setExtraSelections(marks)

    def go_to(self, line: int) -> None:
        """Bring the cursor to a line, from 1."""
        self.setTextCursor(QTextCursor(self.document().findBlockByNumber(line - 1)))
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: N802
        """Take files and text."""
        return source.hasUrls() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802
        """Open a file that is dropped, insert anything else."""
        files = [url.toLocalFile() for url in source.urls()]
        if files and files[0]:
            self.dropped.emit(files[0])
        else:
            super().insertFromMimeData(source)
