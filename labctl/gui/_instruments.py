"""All instruments of the set-up, one below the other; those in front that are used most."""

from typing import Any

from PyQt5.QtWidgets import QLineEdit, QScrollArea, QVBoxLayout, QWidget

from labctl.gui._engine import Engine
from labctl.gui._instrument import InstrumentBox
from labctl.gui._panel import Panel

__all__ = ["InstrumentsPanel"]

_FIRST = ("cryostat", "shutter", "laser", "attenuator", "spectrograph", "camera", "positioner")
_SCROLL_BAR = 30


class InstrumentsPanel(Panel):
    """A box for each instrument, made anew when the engine tells of other instruments."""

    def __init__(self, engine: Engine) -> None:
        """Show the instruments of the engine."""
        super().__init__(engine)
        self.boxes: dict[str, InstrumentBox] = {}
        self.search = QLineEdit()
        self.search.setPlaceholderText("find an instrument")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.search)
        layout.addWidget(self.area)
        engine.roles_changed.connect(self._build)
        engine.values_changed.connect(self._update)
        self._build()

    def memory(self) -> dict[str, Any]:
        """Return what was looked for."""
        return {"search": self.search.text()}

    def remember(self, memory: dict[str, Any]) -> None:
        """Look for the same again."""
        self.search.setText(memory.get("search", ""))

    def _build(self) -> None:
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(2, 2, 2, 2)
        roles = sorted(self.engine.roles.values(), key=_order)
        self.boxes = {role["name"]: InstrumentBox(self.engine, role) for role in roles}
        for box in self.boxes.values():
            layout.addWidget(box)
        layout.addStretch(1)
        self.area.setWidget(inside)
        self.area.setMinimumWidth(inside.minimumSizeHint().width() + _SCROLL_BAR)
        self._filter(self.search.text())

    def _update(self, name: str) -> None:
        if name in self.boxes:
            self.boxes[name].update_values()

    def _filter(self, text: str) -> None:
        for name, box in self.boxes.items():
            wanted = f"{name} {box.role['role']}".replace("_", " ")
            box.setVisible(all(word in wanted for word in text.lower().split()))


def _order(role: dict[str, Any]) -> tuple[int, bool]:
    kind = str(role["role"])
    place = _FIRST.index(kind) if kind in _FIRST else len(_FIRST)
    return place, not (role["settables"] or role["switches"])
