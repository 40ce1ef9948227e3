"""What was said, newest below, filtered by level and by words."""

from datetime import datetime
from html import escape
from typing import Any

from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QTextBrowser, QVBoxLayout

from labctl.gui._engine import Engine
from labctl.gui._panel import Panel
from labctl.gui._theme import Theme

__all__ = ["LogPanel"]

_LEVELS = ("info", "warning", "error")
_MOST = 2_000


class LogPanel(Panel):
    """The log; it keeps the last thousands of lines, all others are in the runs' files."""

    def __init__(self, engine: Engine) -> None:
        """Show the log of the engine and of the window."""
        super().__init__(engine)
        self.level = QComboBox()
        self.level.addItems(["everything", "warnings", "errors"])
        self.level.setToolTip("Least level that is shown")
        self.level.currentIndexChanged.connect(self._rebuild)
        self.words = QLineEdit()
        self.words.setPlaceholderText("only lines with these words")
        self.words.setClearButtonEnabled(True)
        self.words.textChanged.connect(self._rebuild)
        self.text = QTextBrowser()
        self.text.document().setMaximumBlockCount(_MOST)
        bar = QHBoxLayout()
        bar.addWidget(self.level)
        bar.addWidget(self.words, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addLayout(bar)
        layout.addWidget(self.text)
        engine.logged.connect(self._add)
        self._rebuild()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._rebuild()

    def memory(self) -> dict[str, Any]:
        """Return the level."""
        return {"level": self.level.currentIndex()}

    def remember(self, memory: dict[str, Any]) -> None:
        """Take the level of an earlier life."""
        self.level.setCurrentIndex(memory.get("level", 0))

    def _add(self, entry: dict[str, Any] | None) -> None:
        if entry is None:
            self._rebuild()
        elif self._wanted(entry):
            self.text.append(self._line(entry))

    def _rebuild(self) -> None:
        lines = [self._line(entry) for entry in self.engine.log if self._wanted(entry)]
        self.text.setHtml("<br>".join(lines))
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _wanted(self, entry: dict[str, Any]) -> bool:
        high_enough = _LEVELS.index(entry["level"]) >= self.level.currentIndex()
        line = f"{entry['device']} {entry['text']}".lower()
        return high_enough and all(word in line for word in self.words.text().lower().split())

    def _line(self, entry: dict[str, Any]) -> str:
        theme = self.theme
        colour = {"info": theme.text, "warning": theme.warn, "error": theme.bad}[entry["level"]]
        when = entry["t_utc"]
        time = f"{datetime.fromisoformat(when).astimezone():%H:%M:%S}" if when else ""
        said = f"<b>{escape(entry['device'])}</b> {escape(entry['text'])}"
        return (
            f'<span style="color:{theme.faint}">{time}</span> '
            f'<span style="color:{colour}">{said}</span>'
        )
