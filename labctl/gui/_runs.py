"""The runs on the disk, newest first, each with a small picture; opened with the live views."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QSize, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QIcon, QImage, QPixmap
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
)

from labctl.errors import LabctlError
from labctl.events import Event, RunStopped
from labctl.gui._engine import Engine
from labctl.gui._panel import Panel
from labctl.gui._thumbnail import HEIGHT, WIDTH, thumbnail
from labctl.gui._viewer import RunViewer
from labctl.storage import list_runs

__all__ = ["RunsPanel"]

_MOST = 200
_SOON_MS = 500


class RunsPanel(Panel):
    """The list of runs below the folder of the engine."""

    recipe_wanted = pyqtSignal(str)
    _found = pyqtSignal(object)
    _pictured = pyqtSignal(str, object, str)

    def __init__(self, engine: Engine) -> None:
        """List the runs as soon as the engine says where they lie."""
        super().__init__(engine)
        self.list = QListWidget()
        self.list.setIconSize(QSize(WIDTH, HEIGHT))
        self.list.itemActivated.connect(self._open)
        self.list.setToolTip("Enter or double click opens a run")
        self.search = QLineEdit()
        self.search.setPlaceholderText("only runs with these words")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.again, self.view = QPushButton("Refresh"), QPushButton("Open")
        self.again.clicked.connect(self.refresh)
        self.view.clicked.connect(self._open_chosen)
        self.viewers: list[RunViewer] = []
        bar = QHBoxLayout()
        for widget in (self.search, self.again, self.view):
            bar.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(bar)
        layout.addWidget(self.list)
        self._root = ""
        self._looking: threading.Thread | None = None
        self._found.connect(self._fill)
        self._pictured.connect(self._show_picture)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self.refresh)
        engine.changed.connect(self._root_changed)
        engine.happened.connect(self._hear)
        self._root_changed()

    def refresh(self) -> None:
        """Look for runs, on a thread: a folder may lie on a slow disk."""
        if not self._root or (self._looking is not None and self._looking.is_alive()):
            return
        known = {self._path(n): True for n in range(self.list.count())}
        self._looking = threading.Thread(
            target=self._look, args=(Path(self._root), known), name="runs on the disk", daemon=True
        )
        self._looking.start()

    def open(self, path: Path) -> None:
        """Open a run in a window of its own."""
        try:
            viewer = RunViewer(self.engine.request, path, self.theme)
        except LabctlError as error:
            self.engine.say("warning", "runs", str(error))
            return
        self.viewers = [one for one in self.viewers if one.isVisible()]
        self.viewers.append(viewer)
        viewer.recipe_wanted.connect(self.recipe_wanted)
        viewer.show()

    def wait(self) -> None:
        """Wait until nobody looks any more; before the window goes."""
        if self._looking is not None:
            self._looking.join(10.0)

    def _hear(self, event: Event) -> None:
        if isinstance(event, RunStopped):
            self._soon.start()

    def _root_changed(self) -> None:
        root = str(self.engine.status.get("runs", ""))
        if root and root != self._root:
            self._root = root
            self.refresh()

    def _look(self, root: Path, known: dict[str, bool]) -> None:
        # The window may go while this thread still looks.
        with suppress(RuntimeError):
            paths = [folder.path for folder in list_runs(root)][-_MOST:] if root.exists() else []
            self._found.emit([str(path) for path in reversed(paths)])
            for path in reversed(paths):
                if str(path) not in known:
                    self._picture(path)

    def _picture(self, path: Path) -> None:
        try:
            image, words = thumbnail(path)
        except (LabctlError, OSError, ValueError, KeyError) as error:
            image, words = QImage(), f"cannot be read: {error}"
        self._pictured.emit(str(path), image, words)

    def _fill(self, paths: list[str]) -> None:
        known = {self._path(n): self.list.item(n) for n in range(self.list.count())}
        for place, path in enumerate(paths):
            if path not in known:
                item = QListWidgetItem(Path(path).name)
                item.setData(Qt.ItemDataRole.UserRole, path)
                self.list.insertItem(place, item)
        self._filter(self.search.text())

    def _show_picture(self, path: str, image: QImage, words: str) -> None:
        for number in range(self.list.count()):
            if self._path(number) == path:
                item = self.list.item(number)
                item.setIcon(QIcon(QPixmap.fromImage(image)))
                item.setText(f"{Path(path).name}\n{words}")

    def _filter(self, text: str) -> None:
        for number in range(self.list.count()):
            item = self.list.item(number)
            wanted = all(word in item.text().lower() for word in text.lower().split())
            item.setHidden(not wanted)

    def _path(self, number: int) -> str:
        return str(self.list.item(number).data(Qt.ItemDataRole.UserRole))

    def _open_chosen(self) -> None:
        chosen = self.list.selectedItems()
        if chosen:
            self._open(chosen[0])

    def _open(self, item: QListWidgetItem) -> None:
        self.open(Path(str(item.data(Qt.ItemDataRole.UserRole))))

    def memory(self) -> dict[str, Any]:
        """Return what was looked for."""
        return {"search": self.search.text()}

    def remember(self, memory: dict[str, Any]) -> None:
        """Look for the same again."""
        self.search.setText(memory.get("search", ""))
