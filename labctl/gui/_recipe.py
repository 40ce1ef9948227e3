"""Recipes: open, edit, see what is wrong at its line, what it will do and how long; queue it."""

from functools import partial
from pathlib import Path
from typing import Any, cast

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from labctl.gui._editor import RecipeEditor, line_of
from labctl.gui._engine import Engine
from labctl.gui._panel import Panel, set_tone
from labctl.gui._recipe_tree import RecipeTree
from labctl.gui._words import at_time, duration, local_now, several

__all__ = ["RecipePanel"]

_AFTER_TYPING_MS = 700
_NEW = """name: spectrum of what is in the spot
steps:
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 3}
"""


class RecipePanel(Panel):
    """One recipe. It is checked by the engine, against the set-up that will carry it out."""

    def __init__(self, engine: Engine) -> None:
        """Begin with a short recipe."""
        super().__init__(engine)
        self.path: Path | None = None
        self._checked = ""
        self.editor = RecipeEditor()
        self.editor.setPlainText(_NEW)
        self.editor.dropped.connect(self.open)
        self.problems = QListWidget()
        self.problems.setMaximumHeight(110)
        self.problems.setWordWrap(True)
        self.problems.itemActivated.connect(self._go_to)
        self.problems.itemClicked.connect(self._go_to)
        self.problems.hide()
        self.tree = RecipeTree()
        self.tree.edited.connect(self._take_from_tree)
        self.tree.refused.connect(partial(self.engine.say, "warning", "recipe"))
        self.full = QTreeWidget()
        self.full.setHeaderLabels(["step", "value"])
        self.full.setToolTip("The recipe with everything that it leaves to defaults")
        self.steps = QListWidget()
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        self.file = QLabel("not saved")
        self._build()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_AFTER_TYPING_MS)
        self._timer.timeout.connect(self.check)
        self.editor.textChanged.connect(self._typed)
        engine.changed.connect(self._check_first)

    def memory(self) -> dict[str, Any]:
        """Return which file is open."""
        return {"path": "" if self.path is None else str(self.path)}

    def remember(self, memory: dict[str, Any]) -> None:
        """Open the file of an earlier life, if it is still there."""
        name = memory.get("path", "")
        if name and Path(name).is_file():
            self.open(name)

    def open(self, name: str) -> None:
        """Open a file."""
        try:
            text = Path(name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.engine.say("warning", "recipe", f"{name} cannot be opened: {error}")
            return
        self.path = Path(name)
        self.editor.setPlainText(text)
        self._saved()
        self.check()

    def set_text(self, text: str) -> None:
        """Take the text of a recipe that has no file yet."""
        self.path = None
        self.editor.setPlainText(text)
        self.file.setText("not saved")
        self.check()

    def check(self) -> None:
        """Have the engine look at the text."""
        text = self.editor.toPlainText()
        self._checked = text
        self.tree.show_text(text)
        name = self.path.name if self.path is not None else "recipe.yaml"
        if self.engine.is_attached:
            self.engine.ask("check", self._show, text=text, path=name)

    def run(self) -> None:
        """Save what was changed and put it into the queue; it begins when nothing else goes on."""
        if self.path is None or self._changed():
            self._save_then_run()
            return
        self._queue()

    def save(self) -> None:
        """Save, asking for a name if there is none."""
        if self.path is None:
            self.save_as()
        else:
            self._write(self.path)

    def save_as(self) -> None:
        """Save under a new name."""
        self._ask_name(self._write)

    def _build(self) -> None:
        bar = QHBoxLayout()
        for text, tip, do in (
            ("Open …", "Open a recipe (Ctrl+O); files can be dropped on the text", self.choose),
            ("Save", "Save the recipe (Ctrl+S)", self.save),
            ("Save as …", "Save under a new name", self.save_as),
            ("Check", "Check it against the set-up", self.check),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(do)
            bar.addWidget(button)
        bar.addStretch(1)
        self.start = QPushButton("Run")
        self.start.setToolTip("Queue it; it begins when nothing else goes on (Ctrl+R)")
        self.start.clicked.connect(self.run)
        bar.addWidget(self.start)
        tabs = self.tabs = QTabWidget()
        tabs.addTab(self.editor, "text")
        tabs.addTab(self.tree, "tree")
        tabs.addTab(self.full, "with defaults")
        tabs.addTab(self.steps, "steps")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(bar)
        layout.addWidget(self.file)
        layout.addWidget(tabs, 1)
        layout.addWidget(self.problems)
        layout.addWidget(self.verdict)

    def choose(self) -> None:
        """Ask which file to open."""
        dialog = QFileDialog(self, "Open a recipe", str(self._folder()), "Recipes (*.yaml *.yml)")
        dialog.fileSelected.connect(self.open)
        dialog.open()

    def _folder(self) -> Path:
        return Path.cwd() if self.path is None else self.path.parent

    def _typed(self) -> None:
        if self._changed():
            self.file.setText(f"{self.path or 'not saved'}  (changed)")
        self._timer.start()

    def _take_from_tree(self, text: str) -> None:
        """Replace the text in one step, which can be undone there."""
        self.editor.replace(text)
        self.check()

    def _changed(self) -> bool:
        if self.path is None:
            return True
        try:
            return self.path.read_text("utf-8") != self.editor.toPlainText()
        except (OSError, UnicodeDecodeError):
            return True

    def _check_first(self) -> None:
        if self._checked != self.editor.toPlainText() and self.engine.is_attached:
            self.check()

    def _show(self, found: dict[str, Any]) -> None:
        problems = found["problems"]
        self.problems.clear()
        self.problems.setVisible(bool(problems))
        self.start.setEnabled(not problems)
        lines: dict[int, str] = {}
        for problem in problems:
            words = f"{problem['what']} ({problem['hint']})" if problem["hint"] else problem["what"]
            line = line_of(problem["where"])
            item = QListWidgetItem(f"line {line}: {words}" if line else words)
            item.setData(Qt.ItemDataRole.UserRole, line)
            self.problems.addItem(item)
            if line is not None:
                lines[line] = words
        self.editor.mark(lines, self.theme.bad)
        self.tree.mark(lines, self.theme.bad)
        if problems:
            self.verdict.setText(several(len(problems), "problem"))
            set_tone(self.verdict, "bad")
            return
        self._show_plan(found)

    def _show_plan(self, found: dict[str, Any]) -> None:
        seconds = float(found["seconds"])
        parts = ", ".join(f"{name} {duration(s)}" for name, s in found["parts"].items())
        end = at_time(local_now(), seconds)
        self.verdict.setText(
            f"{several(found['points'], 'point')} in about {duration(seconds)} of lab time,"
            f" until about {end} ({parts})"
        )
        set_tone(self.verdict, "good")
        self.full.clear()
        _grow(self.full.invisibleRootItem(), found["tree"])
        self.full.expandToDepth(2)
        self.full.resizeColumnToContents(0)
        self.steps.clear()
        self.steps.addItems(found["steps"])

    def _go_to(self, item: QListWidgetItem) -> None:
        line = item.data(Qt.ItemDataRole.UserRole)
        if line is not None:
            self.editor.go_to(int(line))

    def _queue(self) -> None:
        self.engine.ask("queue_add", recipe=str(self.path))

    def _save_then_run(self) -> None:
        if self.path is not None:
            self._write(self.path)
            self._queue()
        else:
            self._ask_name(self._write_and_queue)

    def _write_and_queue(self, path: Path) -> None:
        self._write(path)
        self._queue()

    def _ask_name(self, then: Any) -> None:
        dialog = QFileDialog(self, "Save the recipe", str(self._folder()), "Recipes (*.yaml)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("yaml")
        dialog.fileSelected.connect(lambda name: then(Path(name)))
        dialog.open()

    def _write(self, path: Path) -> None:
        try:
            path.write_text(self.editor.toPlainText(), "utf-8")
        except OSError as error:
            self.engine.say("error", "recipe", f"{path} cannot be written: {error}")
            return
        self.path = path
        self._saved()

    def _saved(self) -> None:
        self.file.setText(str(self.path))


def _grow(above: QTreeWidgetItem, data: Any) -> None:
    """Hang plain data below an item."""
    for key, value in _pairs(data):
        inside = _pairs(value)
        item = QTreeWidgetItem([key, "" if inside else _plain(value)])
        above.addChild(item)
        _grow(item, value)


def _pairs(data: Any) -> list[tuple[str, Any]]:
    match data:
        case dict():
            found = cast("dict[str, Any]", data)
            return list(found.items())
        case list():
            return [(str(n), value) for n, value in enumerate(cast("list[Any]", data), 1)]
        case _:
            return []


def _plain(value: Any) -> str:
    return "–" if value in (None, "", [], {}) else str(value)
