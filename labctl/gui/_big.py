"""A few numbers so large that they can be read from the optical table, 3 m away."""

from typing import Any

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QFont, QResizeEvent
from PyQt5.QtWidgets import QComboBox, QLabel, QVBoxLayout

from labctl.gui._engine import Engine
from labctl.gui._inbox import Picture
from labctl.gui._panel import Panel
from labctl.gui._words import number_in_words

__all__ = ["BigPanel"]

_NUMBERS = 3
_SHARE = 0.55
_RATE = "count rate of "
_TOPIC, _COUNTING = "rates", "live_photons"


class BigPanel(Panel):
    """Three readings that are chosen once; their letters grow with the panel."""

    def __init__(self, engine: Engine) -> None:
        """Offer every reading of the engine."""
        super().__init__(engine)
        self.choices = [QComboBox() for _ in range(_NUMBERS)]
        self.numbers = [QLabel("–") for _ in range(_NUMBERS)]
        self._rates: dict[str, float] = {}
        self._wanted = ["cryostat.temperature", "spectrograph.wavelength", f"{_RATE}apd_1"]
        layout = QVBoxLayout(self)
        for choice, number in zip(self.choices, self.numbers, strict=True):
            number.setAlignment(Qt.AlignmentFlag.AlignCenter)
            choice.setToolTip("What is shown below")
            choice.activated.connect(self._chosen)
            layout.addWidget(choice)
            layout.addWidget(number, 1)
        engine.roles_changed.connect(self._fill)
        engine.values_changed.connect(self._show)
        engine.shown.connect(self._take)
        engine.changed.connect(self._show)
        if _TOPIC in engine.pictures:
            self._take(_TOPIC, engine.pictures[_TOPIC])
        self._fill()

    def memory(self) -> dict[str, Any]:
        """Return what is shown."""
        return {"wanted": self._wanted}

    def remember(self, memory: dict[str, Any]) -> None:
        """Show the same again."""
        self._wanted = list(memory.get("wanted", self._wanted))
        self._fill()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Let the letters grow with the panel."""
        super().resizeEvent(event)
        font = QFont()
        font.setBold(True)
        size = min(int(_SHARE * self.height() / _NUMBERS), max(self.width() // 8, 12))
        font.setPixelSize(max(size, 12))
        for number in self.numbers:
            number.setFont(font)

    def _chosen(self) -> None:
        self._wanted = [choice.currentText() for choice in self.choices]
        self._show()

    def _fill(self) -> None:
        roles = self.engine.roles
        names = [f"{n}.{q}" for n, role in roles.items() for q in role["readables"]]
        names += [f"{_RATE}{n}" for n, role in roles.items() if role["role"] == "photon_counter"]
        for choice, wanted in zip(self.choices, self._wanted, strict=False):
            choice.clear()
            choice.addItems(names)
            choice.setCurrentText(wanted)
        self._show()

    def _take(self, topic: str, picture: Picture) -> None:
        if topic == _TOPIC:
            self._rates = dict(picture.head["rates_hz"])
            self._show()

    def _show(self, _: str = "") -> None:
        for choice, number in zip(self.choices, self.numbers, strict=True):
            number.setText(self._words(choice.currentText()))

    def _words(self, name: str) -> str:
        if name.startswith(_RATE):
            # Of a view that has ended it is no rate of now.
            counting = self.engine.status.get("task") == _COUNTING
            rate = self._rates.get(name.removeprefix(_RATE)) if counting else None
            return "–" if rate is None else f"{rate:,.0f} /s"
        instrument, _, quantity = name.partition(".")
        unit = self.engine.roles.get(instrument, {}).get("readables", {}).get(quantity, "")
        value = self.engine.values.get(instrument, {}).get("read", {}).get(quantity)
        return number_in_words(value, unit)
