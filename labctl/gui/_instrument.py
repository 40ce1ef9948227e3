"""One instrument, made from what its role says: readings, set points, switches, stop, state."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import (
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from labctl.gui._engine import Engine
from labctl.gui._panel import set_tone
from labctl.gui._words import number_in_words, unit_in_words
from labctl.units import parse

__all__ = ["InstrumentBox"]

_READING = 100
_KEYS = {
    Qt.Key.Key_Left: ("x", -1),
    Qt.Key.Key_Right: ("x", 1),
    Qt.Key.Key_Down: ("y", -1),
    Qt.Key.Key_Up: ("y", 1),
    Qt.Key.Key_PageDown: ("z", -1),
    Qt.Key.Key_PageUp: ("z", 1),
}


class InstrumentBox(QGroupBox):
    """The panel of one instrument."""

    def __init__(self, engine: Engine, role: Mapping[str, Any]) -> None:
        """Make it from a description (see ``labctl.host.server``)."""
        super().__init__(f"{role['name']}  ·  {role['role'].replace('_', ' ')}")
        self.engine, self.role, self.name = engine, role, str(role["name"])
        self.state = QLabel("…")
        self.state.setWordWrap(True)
        self.readings: dict[str, QLabel] = {}
        self.fields: dict[str, QLineEdit] = {}
        self._switches: dict[str, QComboBox] = {}
        self._lines = QGridLayout()
        self._lines.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setSpacing(3)
        layout.addLayout(self._lines)
        self._add_readings()
        self._add_switches()
        if role["axes"]:
            layout.addWidget(Jog(engine, role))
        layout.addLayout(self._bottom())
        self.update_values()

    def update_values(self) -> None:
        """Show what was last read."""
        values = self.engine.values.get(self.name, {})
        read = values.get("read", {})
        units = self.role["readables"]
        for quantity, label in self.readings.items():
            label.setText(number_in_words(read.get(quantity), units.get(quantity, "")))
        for quantity, held in values.get("set", {}).items():
            if quantity in self.fields:
                self.fields[quantity].setPlaceholderText(f"{held:.6g}")
        for name, box in self._switches.items():
            self._show_choice(box, str(values.get("switches", {}).get(name, "")))
        self._show_state(values)

    def set_quantity(self, quantity: str) -> None:
        """Ask for what stands in the field of a quantity: a number, with another unit or not."""
        text = self.fields[quantity].text().strip().replace(",", ".")
        unit = str(self.role["settables"][quantity]["unit"])
        try:
            value = _value(text, unit)
        except ValueError as error:
            self.engine.say("warning", self.name, f"{quantity}: {error}")
            return
        self.engine.ask(
            "set",
            lambda _: self.fields[quantity].clear(),
            name=self.name,
            quantity=quantity,
            value=value,
        )

    def _add_readings(self) -> None:
        names = list(dict.fromkeys([*self.role["settables"], *self.role["readables"]]))
        switched = self.role["switches"]
        for name in names:
            # A shutter that is open reads 1, too; the switch says it in words.
            if switched and name in ("open", "emitting", "level", "grating"):
                continue
            row = self._lines.rowCount()
            reading = QLabel("…")
            reading.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            # Long numbers must not push the buttons out of sight.
            reading.setMinimumWidth(_READING)
            reading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            self._lines.addWidget(QLabel(name.replace("_", " ")), row, 0)
            self._lines.addWidget(reading, row, 1)
            self.readings[name] = reading
            if name in self.role["settables"]:
                self._add_field(name, row)

    def _add_field(self, name: str, row: int) -> None:
        spec = self.role["settables"][name]
        field, button = QLineEdit(), QPushButton("Set")
        field.setFixedWidth(72)
        unit = str(spec["unit"])
        limits = f"{number_in_words(spec['low'], unit)} to {number_in_words(spec['high'], unit)}"
        field.setPlaceholderText(unit_in_words(unit))
        field.setToolTip(f"{self.name}.{name}: {limits}; in {unit}, or with a unit")
        field.returnPressed.connect(partial(self.set_quantity, name))
        button.setToolTip(f"Set {name}, {limits}")
        button.clicked.connect(partial(self.set_quantity, name))
        self._lines.addWidget(field, row, 2)
        self._lines.addWidget(button, row, 3)
        self.fields[name] = field

    def _add_switches(self) -> None:
        for name, switch in self.role["switches"].items():
            row = self._lines.rowCount()
            box = QComboBox()
            box.addItems(switch["choices"])
            box.setToolTip(f"{name} of {self.name}")
            box.activated[str].connect(partial(self._switch, name))
            self._lines.addWidget(QLabel(name), row, 0)
            self._lines.addWidget(box, row, 1, 1, 3)
            self._switches[name] = box

    def _switch(self, name: str, choice: str) -> None:
        self.engine.ask("switch", name=self.name, switch=name, choice=choice)

    def _show_choice(self, box: QComboBox, choice: str) -> None:
        if not box.view().isVisible():
            box.setCurrentIndex(box.findText(choice))

    def _bottom(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.addWidget(self.state, 1)
        for action in self.role["actions"]:
            button = QPushButton(action.replace("_", " "))
            button.setToolTip(f"{self.name}.{action}: brings it into its safe state, at any time")
            button.clicked.connect(partial(self.act, action))
            line.addWidget(button)
        self.rearm = QPushButton("Re-arm")
        self.rearm.setToolTip("Release the guard, after you have looked")
        self.rearm.clicked.connect(lambda: self.engine.ask("rearm", name=self.name))
        self.rearm.hide()
        line.addWidget(self.rearm)
        return line

    def act(self, action: str) -> None:
        """Ask for a safe action."""
        self.engine.ask("act", name=self.name, action=action)

    def _show_state(self, values: Mapping[str, Any]) -> None:
        tripped = str(values.get("tripped", ""))
        self.rearm.setVisible(bool(tripped))
        if tripped:
            text, tone = f"GUARD: {tripped}", "bad"
        elif values.get("error"):
            text, tone = str(values["error"]), "bad"
        elif values.get("alarm"):
            text, tone = f"alarm: {values['alarm']}", "warn"
        elif values.get("moving") or values.get("busy"):
            text, tone = " ".join(["moving", ", ".join(values.get("moving", []))]).rstrip(), "warn"
        else:
            text, tone = "ready" if values else "…", "good"
        self.state.setText(text)
        set_tone(self.state, tone)


def _value(text: str, unit: str) -> float:
    """Return the number of ``unit`` that somebody means; raises ValueError."""
    try:
        return float(text)
    except ValueError:
        return parse(text.replace("µ", "u"), unit)


class Jog(QWidget):
    """Coarse steps of a stage by buttons, or by the arrow keys while it has the focus."""

    def __init__(self, engine: Engine, role: Mapping[str, Any]) -> None:
        """Offer the axes that there are."""
        super().__init__()
        self.engine, self.name = engine, str(role["name"])
        self.axes: list[str] = list(role["axes"])
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(
            "Steps; click here, then the arrow keys move x and y, page up and down z;"
            " with Shift ten times as far"
        )
        self.steps = QSpinBox()
        self.steps.setRange(1, 10_000)
        self.steps.setValue(10)
        self.steps.setSuffix(" steps")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.steps)
        for axis in self.axes:
            for sign, mark in ((-1, "−"), (1, "+")):
                button = QPushButton(f"{axis} {mark}")
                button.setMaximumWidth(44)
                button.setAutoRepeat(True)
                button.setAutoRepeatInterval(250)
                button.clicked.connect(partial(self.jog, axis, sign))
                line.addWidget(button)

    def jog(self, axis: str, sign: int, _: bool = False, *, times: int = 1) -> None:
        """Make some steps along an axis."""
        steps = sign * times * self.steps.value()
        self.engine.ask("step", name=self.name, axis=axis, steps=steps)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Move by the arrow keys."""
        axis, sign = _KEYS.get(Qt.Key(event.key()), ("", 0))
        if axis not in self.axes:
            super().keyPressEvent(event)
            return
        far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.jog(axis, sign, times=10 if far else 1)
