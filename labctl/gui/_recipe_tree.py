"""A recipe as a tree: what is changed here is changed in the text, at its place."""

from functools import partial

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QBrush, QColor
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from labctl.errors import ConfigError
from labctl.setup import Location, Written, WrittenEntry, outline, with_entry, with_value

__all__ = ["RecipeTree"]

_PLACE = int(Qt.ItemDataRole.UserRole)
_LINE = _PLACE + 1
_SHOWN_DEPTH = 3


class RecipeTree(QWidget):
    """Keys and values as they are written; a value is edited by a double click or F2.

    Attributes:
        edited: The whole text, after a change in the tree.
        refused: In words, why something could not be changed.
    """

    edited = pyqtSignal(str)
    refused = pyqtSignal(str)

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._text = ""
        self._entries: set[Location] = set()
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["step", "value"])
        self.tree.setToolTip("Double click or F2 changes a value; its unit belongs to it")
        self.tree.itemChanged.connect(self._changed)
        self.tree.itemSelectionChanged.connect(self._chosen_changed)
        self.buttons: dict[WrittenEntry, QPushButton] = {}
        bar = QHBoxLayout()
        for do, title, tip in _ACTIONS:
            button = self.buttons[do] = QPushButton(title)
            button.setToolTip(tip)
            button.clicked.connect(partial(self._do, do))
            bar.addWidget(button)
        bar.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tree, 1)
        layout.addLayout(bar)
        self._chosen_changed()

    def show_text(self, text: str) -> None:
        """Show a recipe; of a text that is no YAML nothing is shown but that it cannot be."""
        if text == self._text:
            return
        self._text = text
        chosen = self._chosen()
        self.tree.blockSignals(True)
        self.tree.clear()
        try:
            self._grow(outline(text))
        except ConfigError as error:
            self.tree.addTopLevelItem(QTreeWidgetItem([str(error.problems[0].what), ""]))
        self.tree.expandToDepth(_SHOWN_DEPTH)
        self.tree.resizeColumnToContents(0)
        self._choose(chosen)
        self.tree.blockSignals(False)
        self._chosen_changed()

    def mark(self, lines: dict[int, str], colour: str) -> None:
        """Mark what stands in lines (from 1) with what is wrong there."""
        self.tree.blockSignals(True)
        ground = QColor(colour)
        ground.setAlpha(90)
        for item in _all(self.tree.invisibleRootItem()):
            words = lines.get(int(item.data(0, _LINE) or 0), "")
            for column in range(2):
                item.setBackground(column, QBrush(ground) if words else QBrush())
                item.setToolTip(column, words)
        self.tree.blockSignals(False)

    def _grow(self, entries: tuple[Written, ...]) -> None:
        self._entries = {one.location for one in entries if one.is_entry}
        items: dict[Location, QTreeWidgetItem] = {(): self.tree.invisibleRootItem()}
        for one in entries:
            key = one.location[-1]
            name = f"{key + 1}" if isinstance(key, int) else key
            item = QTreeWidgetItem([name, self._text[one.begin : one.end] if one.is_leaf else ""])
            item.setData(0, _PLACE, one)
            item.setData(0, _LINE, one.line)
            if one.is_leaf:
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            items[one.location[:-1]].addChild(item)
            items[one.location] = item
        for location, item in items.items():
            if location and isinstance(location[-1], int) and item.childCount():
                # A step is known by what it does, not by its number.
                item.setText(0, f"{item.text(0)}  {item.child(0).text(0)}")

    def _changed(self, item: QTreeWidgetItem, column: int) -> None:
        place = item.data(0, _PLACE)
        if not isinstance(place, Written):
            return
        if column == 1:
            self._edit(partial(with_value, self._text, place.location, item.text(1)))
        else:
            self._again()

    def _do(self, do: WrittenEntry, _: bool = False) -> None:
        location = self._entry()
        if location is not None:
            self._edit(partial(with_entry, self._text, location, do))

    def _edit(self, change: "partial[str]") -> None:
        try:
            found = change()
        except (ConfigError, KeyError) as error:
            self.refused.emit(f"the recipe cannot be changed there: {error}")
            self._again()
            return
        if found != self._text:
            self.edited.emit(found)

    def _again(self) -> None:
        text, self._text = self._text, ""
        self.show_text(text)

    def _chosen(self) -> Location | None:
        for item in self.tree.selectedItems():
            place = item.data(0, _PLACE)
            if isinstance(place, Written):
                return place.location
        return None

    def _entry(self) -> Location | None:
        """Return the step that is chosen, or in which something is."""
        location = self._chosen() or ()
        while location and location not in self._entries:
            location = location[:-1]
        return location or None

    def _choose(self, location: Location | None) -> None:
        for item in _all(self.tree.invisibleRootItem()):
            place = item.data(0, _PLACE)
            if isinstance(place, Written) and place.location == location:
                self.tree.setCurrentItem(item)

    def _chosen_changed(self) -> None:
        known = self._entry() is not None
        for button in self.buttons.values():
            button.setEnabled(known)


_ACTIONS: tuple[tuple[WrittenEntry, str, str], ...] = (
    ("up", "Earlier", "Move the step up by one"),
    ("down", "Later", "Move the step down by one"),
    ("copy", "Double", "Put the same step below"),
    ("remove", "Remove", "Take the step out"),
)


def _all(above: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found: list[QTreeWidgetItem] = []
    for number in range(above.childCount()):
        child = above.child(number)
        found += [child, *_all(child)]
    return found
