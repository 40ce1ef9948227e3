"""A console with the same objects: the instruments by name, the engine, and what was read."""

import code
import io
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import numpy as np
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout

from labctl.gui._engine import Engine
from labctl.gui._panel import Panel

__all__ = ["ConsolePanel", "Handle"]

_HELLO = """lab.<instrument>: .read("quantity"), .set("quantity", value), .switch("shutter", "open")
engine: status, values, run, pictures, ask(verb, ...)    np: numpy
"""


class Handle:
    """An instrument by its name: what was last read, and what can be asked of it."""

    def __init__(self, engine: Engine, name: str) -> None:
        """Stand for an instrument of the engine."""
        self._engine, self._name = engine, name

    def read(self, quantity: str) -> Any:
        """Return what was last read, in the unit of the quantity."""
        return self._engine.values[self._name]["read"][quantity]

    def set(self, quantity: str, value: float) -> None:
        """Ask for a value; limits and rules are in force, a refusal comes into the log."""
        self._engine.ask("set", name=self._name, quantity=quantity, value=float(value))

    def switch(self, switch: str, choice: str) -> None:
        """Ask for a position of a switch."""
        self._engine.ask("switch", name=self._name, switch=switch, choice=choice)

    def __repr__(self) -> str:
        """Return all that was last read."""
        return f"{self._name}: {self._engine.values.get(self._name, {}).get('read', {})}"


class _Lab:
    """The instruments as attributes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Handle:
        if name not in self._engine.roles:
            message = f"no instrument {name!r}; there are {', '.join(self._engine.roles)}"
            raise AttributeError(message)
        return Handle(self._engine, name)

    def __dir__(self) -> list[str]:
        return list(self._engine.roles)


class _Python(code.InteractiveConsole):
    """Says what went wrong on the spot: it is the user's mistake, not one of the window."""

    def showtraceback(self) -> None:
        """Write the last lines of the traceback."""
        self.write(traceback.format_exc(limit=-1))


class _Line(QLineEdit):
    """One line of input that remembers earlier ones."""

    def __init__(self) -> None:
        super().__init__()
        self.past: list[str] = []
        self._place = 0

    def keep(self) -> str:
        """Return what was written, and remember it."""
        text = self.text()
        if text.strip():
            self.past.append(text)
        self._place = len(self.past)
        self.clear()
        return text

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Go through earlier lines by the arrow keys."""
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if not by:
            super().keyPressEvent(event)
            return
        self._place = min(max(self._place + by, 0), len(self.past))
        self.setText(self.past[self._place] if self._place < len(self.past) else "")


class ConsolePanel(Panel):
    """Python in the window's process. Nothing here waits: what is asked is told in the log."""

    def __init__(self, engine: Engine) -> None:
        """Offer ``lab``, ``engine`` and ``np``."""
        super().__init__(engine)
        names: dict[str, Any] = {"engine": engine, "lab": _Lab(engine), "np": np}
        self._python = _Python(names)
        self.output = QPlainTextEdit(_HELLO)
        self.output.setReadOnly(True)
        self.output.setMaximumBlockCount(2_000)
        self.input = _Line()
        self.input.setPlaceholderText(">>>")
        self.input.returnPressed.connect(self.enter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.output)
        layout.addWidget(self.input)

    def enter(self) -> None:
        """Carry out the line of input."""
        line = self.input.keep()
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            more = self._python.push(line)
        self.input.setPlaceholderText("..." if more else ">>>")
        self.output.appendPlainText(f">>> {line}")
        if said.getvalue():
            self.output.appendPlainText(said.getvalue().rstrip("\n"))

    def memory(self) -> dict[str, Any]:
        """Return the last lines."""
        return {"past": self.input.past[-50:]}

    def remember(self, memory: dict[str, Any]) -> None:
        """Offer the lines of an earlier life."""
        self.input.past = list(memory.get("past", []))
