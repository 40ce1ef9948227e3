"""The line that begins and ends a live view, with its settings written as in a recipe."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from labctl.gui._engine import Engine
from labctl.gui._flow import FlowBar

__all__ = ["Field", "LiveBar"]


class Field(NamedTuple):
    """One setting: its key in the live view, what it says at first, and what it means.

    An empty field says in ``empty`` what the live view then does.
    """

    key: str
    first: str
    tip: str
    choices: tuple[str, ...] = ()
    empty: str = ""


class LiveBar(FlowBar):
    """Live, Stop and some fields; empty fields are left to the live view itself."""

    def __init__(self, engine: Engine, kind: str, fields: Sequence[Field]) -> None:
        """Offer a kind of live view."""
        super().__init__()
        self.engine, self.kind = engine, kind
        self.live, self.halt = QPushButton("Live"), QPushButton("Stop")
        self.live.setToolTip("Continuous, not recorded; guards and interlocks are in force")
        self.halt.setToolTip("End the live view; the light is put out")
        self.live.clicked.connect(self.start)
        self.halt.clicked.connect(self.stop)
        self.light = QCheckBox("light")
        self.light.setChecked(True)
        self.light.setToolTip("Whether excitation light is let in")
        self.fields: dict[str, QLineEdit | QComboBox] = {}
        controls: list[QWidget] = [self.live, self.halt]
        controls += [self._field(field) for field in fields]
        if not any(field.key == "light" for field in fields):
            controls.append(self.light)
        for widget in controls:
            self.add(widget)
            widget.setVisible(engine.is_live)

    def start(self) -> None:
        """Begin the live view with what stands in the fields."""
        self.engine.ask("look", kind=self.kind, settings=self.settings())

    def stop(self) -> None:
        """End whatever live view goes on."""
        self.engine.ask("look_end")

    def settings(self) -> dict[str, Any]:
        """Return what the live view is asked for."""
        texts = self.memory()
        found: dict[str, Any] = {key: _written(text) for key, text in texts.items() if text}
        found.setdefault("light", self.light.isChecked())
        return found

    def memory(self) -> dict[str, str]:
        """Return what stands in the fields."""
        return {key: _text(field) for key, field in self.fields.items()}

    def remember(self, memory: dict[str, str]) -> None:
        """Write into the fields what stood there."""
        for key, text in memory.items():
            field = self.fields.get(key)
            if isinstance(field, QLineEdit):
                field.setText(text)
            elif field is not None:
                field.setCurrentText(text)

    def _field(self, field: Field) -> QWidget:
        if field.choices:
            box = QComboBox()
            box.addItems(list(field.choices))
            box.setCurrentText(field.first)
            self.fields[field.key] = box
        else:
            edit = QLineEdit(field.first)
            edit.setMaximumWidth(80)
            edit.setPlaceholderText(field.empty)
            edit.returnPressed.connect(self.start)
            self.fields[field.key] = edit
        self.fields[field.key].setToolTip(field.tip)
        named = QWidget()
        line = QHBoxLayout(named)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(QLabel(field.key.replace("_", " ")))
        line.addWidget(self.fields[field.key])
        return named


def _written(text: str) -> Any:
    """Return a list as the list that it is; what cannot be read is refused by the live view."""
    if not text.startswith("["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(field: QLineEdit | QComboBox) -> str:
    return field.text().strip() if isinstance(field, QLineEdit) else field.currentText()
