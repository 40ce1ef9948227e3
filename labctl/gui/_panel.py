"""What all panels have in common."""

from typing import Any

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QSizePolicy, QWidget

from labctl.gui._engine import Engine
from labctl.gui._theme import DARK, Theme

__all__ = ["Panel", "ReadOut", "set_tone"]


class Panel(QWidget):
    """Base of panels: a widget in a dock that mirrors the engine and asks it for things.

    A panel reads ``self.engine`` and connects to its signals. It never waits for an answer; it
    gives ``engine.ask`` something to do with it. What it wants to find again at the next start
    goes through ``memory`` and ``remember``.
    """

    def __init__(self, engine: Engine) -> None:
        """Look at an engine."""
        super().__init__()
        self.engine = engine
        self.theme: Theme = DARK

    def set_theme(self, theme: Theme) -> None:
        """Take other colours; panels with plots add to this."""
        self.theme = theme

    def memory(self) -> dict[str, Any]:
        """Return the settings to be found again, as plain JSON values."""
        return {}

    def remember(self, memory: dict[str, Any]) -> None:
        """Take what ``memory`` gave in an earlier life; keys may be missing."""


class ReadOut(QLabel):
    """Words below a plot; long ones are wrapped, and never make the window wider."""

    def __init__(self, text: str = "") -> None:
        """Say something at first."""
        super().__init__(text)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)


def set_tone(label: QWidget, tone: str) -> None:
    """Give a label a tone of the theme: ``good``, ``warn``, ``bad``, ``faint`` or none."""
    if label.property("tone") == tone:
        return
    label.setProperty("tone", tone)
    # Style sheets look at properties only when they are told to.
    label.style().unpolish(label)
    label.style().polish(label)
