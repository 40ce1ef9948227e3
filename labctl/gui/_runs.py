"""The runs on the disk, newest first, each with a small picture; opened with the live views."""

import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QSize, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QIcon, QImage, QPixmap
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
)

from labctl.errors import LabctlError
from labctl.events import Event, RunStopped
from labctl.gui._engine import Engine
from labctl.gui._overlay import OverlayWindow
from labctl.gui._panel import Panel, set_tone
from labctl.gui._thumbnail import HEIGHT, WIDTH, Thumbnail, thumbnail
from labctl.gui._viewer import RunViewer
from labctl.storage import RunStatus, list_runs

__all__ = ["RunsPanel"]

_MOST = 200
_SOON_MS = 500
_STATUS = int(Qt.ItemDataRole.UserRole) + 1
_ENDED_EARLY = (
    RunStatus.ABORTED,
    RunStatus.FAILED,
    RunStatus.CRASHED,
    RunStatus.RECOVERED,
)
_FEW = 5
"""Differences that are written out; the tooltip has all of them."""


class RunsPanel(Panel):
    """The list of runs below the folder of the engine; several can be laid over each other."""

    recipe_wanted = pyqtSignal(str)
    _found = pyqtSignal(object)
    _pictured = pyqtSignal(str, object)

    def __init__(self, engine: Engine) -> None:
        """List the runs as soon as the engine says where they lie."""
        super().__init__(engine)
        self.list = QListWidget()
        self.list.setIconSize(QSize(WIDTH, HEIGHT))
        self.list.setWordWrap(True)
        self.list.itemActivated.connect(self._open)
        self.list.setToolTip("Enter or double click opens a run; Ctrl and Shift choose several")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.itemSelectionChanged.connect(self._chosen_changed)
        self.search = QLineEdit()
        self.search.setPlaceholderText("only runs with these words")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.viewers: list[RunViewer | OverlayWindow] = []
        self._build()
        self._root = ""
        self._stale: set[str] = set()
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

    def _build(self) -> None:
        self.again, self.view = QPushButton("Refresh"), QPushButton("Open")
        self.compare, self.go_on = QPushButton("Compare"), QPushButton("Go on")
        self.again.clicked.connect(self.refresh)
        self.view.clicked.connect(self._open_chosen)
        self.compare.setToolTip("Lay the points of the chosen runs over each other in one plot")
        self.compare.clicked.connect(self._compare_chosen)
        self.go_on.setToolTip("Go on with a run that was broken off; what is done is not repeated")
        self.go_on.clicked.connect(self._go_on_with_chosen)
        self.differs, self.accept = QLabel(), QPushButton("Go on all the same")
        self.differs.setWordWrap(True)
        set_tone(self.differs, "warn")
        self.accept.setToolTip("The differences are accepted, and recorded in the run")
        self.accept.clicked.connect(self._accept)
        self._doubtful = ""
        bar = QHBoxLayout()
        for widget in (self.search, self.again, self.view, self.compare, self.go_on):
            bar.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(bar)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.differs)
        layout.addWidget(self.accept)
        self._chosen_changed()

    def resume(self, path: str, *, accept: bool = False) -> None:
        """Have the engine go on with a run; what differs from then is shown and can be accepted."""
        then = partial(self._resumed, path)
        self.engine.ask("queue_resume", then, run=path, accept=accept)

    def _resumed(self, path: str, answer: dict[str, Any]) -> None:
        found = [str(text) for text in answer["differences"]]
        asks = "number" not in answer
        self._doubtful = path if asks else ""
        lines = [*found[:_FEW], f"and {len(found) - _FEW} more"] if len(found) > _FEW else found
        self.differs.setText("not as it was:\n" + "\n".join(lines) if asks else "")
        self.differs.setToolTip("\n".join(found))
        self.differs.setVisible(asks)
        self.accept.setVisible(asks)

    def _accept(self) -> None:
        self.resume(self._doubtful, accept=True)

    def _go_on_with_chosen(self) -> None:
        for item in self.list.selectedItems()[:1]:
            self.resume(str(item.data(Qt.ItemDataRole.UserRole)))

    def _compare_chosen(self) -> None:
        chosen = self.list.selectedItems()
        self.overlay([Path(str(item.data(Qt.ItemDataRole.UserRole))) for item in chosen])

    def overlay(self, paths: list[Path]) -> None:
        """Lay the points of runs over each other, in a window of its own."""
        try:
            window = OverlayWindow(paths, self.theme)
        except LabctlError as error:
            self.engine.say("warning", "runs", str(error))
            return
        self._keep(window)

    def _keep(self, window: RunViewer | OverlayWindow) -> None:
        self.viewers = [one for one in self.viewers if one.isVisible()]
        self.viewers.append(window)
        window.show()

    def _chosen_changed(self) -> None:
        chosen = self.list.selectedItems()
        self.view.setEnabled(bool(chosen))
        self.compare.setEnabled(bool(chosen))
        early = [item.data(_STATUS) in _ENDED_EARLY for item in chosen]
        self.go_on.setEnabled(early == [True])
        self.differs.hide()
        self.accept.hide()

    def refresh(self) -> None:
        """Look for runs, on a thread: a folder may lie on a slow disk."""
        if not self._root or (self._looking is not None and self._looking.is_alive()):
            return
        known = {self._path(n) for n in range(self.list.count())} - self._stale
        self._stale = set()
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
        viewer.recipe_wanted.connect(self.recipe_wanted)
        self._keep(viewer)

    def wait(self) -> None:
        """Wait until nobody looks any more; before the window goes."""
        if self._looking is not None:
            self._looking.join(10.0)

    def _hear(self, event: Event) -> None:
        if isinstance(event, RunStopped):
            # It may have been in the list already, and was gone on with.
            self._stale.add(str(Path(event.journal).parent))
            self._soon.start()

    def _root_changed(self) -> None:
        root = str(self.engine.status.get("runs", ""))
        if root and root != self._root:
            self._root = root
            self.refresh()

    def _look(self, root: Path, known: set[str]) -> None:
        # The window may go while this thread still looks.
        with suppress(RuntimeError):
            paths = [folder.path for folder in list_runs(root)][-_MOST:] if root.exists() else []
            self._found.emit([str(path) for path in reversed(paths)])
            for path in reversed(paths):
                if str(path) not in known:
                    self._picture(path)

    def _picture(self, path: Path) -> None:
        try:
            found = thumbnail(path)
        except (LabctlError, OSError, ValueError, KeyError) as error:
            found = Thumbnail(QImage(), f"cannot be read: {error}", None)
        self._pictured.emit(str(path), found)

    def _fill(self, paths: list[str]) -> None:
        known = {self._path(n): self.list.item(n) for n in range(self.list.count())}
        for place, path in enumerate(paths):
            if path not in known:
                item = QListWidgetItem(Path(path).name)
                item.setData(Qt.ItemDataRole.UserRole, path)
                item.setToolTip(path)
                self.list.insertItem(place, item)
        self._filter(self.search.text())

    def _show_picture(self, path: str, found: Thumbnail) -> None:
        for number in range(self.list.count()):
            if self._path(number) == path:
                item = self.list.item(number)
                item.setIcon(QIcon(QPixmap.fromImage(found.image)))
                item.setText(found.words)
                item.setData(_STATUS, found.status)
        self._chosen_changed()

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
