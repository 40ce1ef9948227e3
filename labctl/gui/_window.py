"""The main window: panels in docks, menus and shortcuts, the line that is always visible."""

import json
from functools import partial
from typing import Any, cast

from PyQt5.QtCore import QByteArray, QSettings, Qt
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import QAction, QApplication, QDockWidget, QMainWindow, QMenu, QTabWidget

from labctl.errors import LabctlError
from labctl.gui._engine import Engine
from labctl.gui._header import Header
from labctl.gui._image import ImagePanel
from labctl.gui._kinds import KINDS, PanelKind
from labctl.gui._panel import Panel
from labctl.gui._recipe import RecipePanel
from labctl.gui._run import RunPanel
from labctl.gui._runs import RunsPanel
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._theme import THEMES, apply_theme

__all__ = ["MainWindow"]

_LAYOUT = 2
"""Counts up when the docks change so much that an old layout is of no use."""
_SAID_MS = 8000


class MainWindow(QMainWindow):
    """Panels around one engine. Closing the window leaves the engine and its run alone."""

    def __init__(self, engine: Engine, settings: QSettings) -> None:
        """Show every kind of panel for an engine; ``settings`` keeps layout and habits."""
        super().__init__()
        self.engine, self.settings = engine, settings
        self.setWindowTitle("labctl")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.resize(1500, 950)
        self.header = Header(engine)
        self.setMenuWidget(self._top())
        self.panels: dict[str, Panel] = {}
        self.docks: dict[str, QDockWidget] = {}
        self._make_docks()
        self._make_menus()
        runs = cast(RunsPanel, self.panels["runs"])
        runs.recipe_wanted.connect(cast(RecipePanel, self.panels["recipe"]).set_text)
        image = cast(ImagePanel, self.panels["image"])
        image.rows_wanted.connect(cast(SpectrumPanel, self.panels["spectrum"]).take_rows)
        self._first_layout = self.saveState(_LAYOUT)
        self._restore()
        self.set_theme(str(self.settings.value("theme", "dark")))
        engine.failed.connect(self._say)
        engine.changed.connect(self._title)
        self._title()

    def set_theme(self, name: str) -> None:
        """Take the dark or the light theme."""
        theme = THEMES.get(name, THEMES["dark"])
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, theme)
        self.settings.setValue("theme", theme.name)
        for panel in self.panels.values():
            panel.set_theme(theme)

    def reset_layout(self) -> None:
        """Bring all panels back to where they stood at first."""
        self.restoreState(self._first_layout, _LAYOUT)
        for kind in KINDS:
            self.docks[kind.key].setVisible(kind.shown)

    def keep(self) -> None:
        """Write layout and habits down."""
        self.settings.setValue("geometry", self.saveGeometry())
        self.settings.setValue("layout", self.saveState(_LAYOUT))
        for key, panel in self.panels.items():
            self.settings.setValue(f"panel/{key}", json.dumps(panel.memory()))
        self.settings.sync()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Keep the layout, hang up; the engine goes on."""
        self.keep()
        cast(RunsPanel, self.panels["runs"]).wait()
        self.engine.close()
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Take recipe files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Open a recipe that is dropped anywhere."""
        for url in event.mimeData().urls():
            self._open(url.toLocalFile())

    def _top(self) -> QMainWindow:
        # A window inside: menus in one line, the header below it, both always there.
        top = QMainWindow()
        top.setWindowFlags(Qt.WindowType.Widget)
        top.setCentralWidget(self.header)
        self._menus = top.menuBar()
        return top

    def _make_docks(self) -> None:
        self.setCentralWidget(None)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        corner = Qt.Corner
        self.setCorner(corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        for kind in KINDS:
            self._dock(kind)
        first: dict[str, QDockWidget] = {}
        for kind in KINDS:
            first.setdefault(kind.tab, self.docks[kind.key])
        # Split before anything is stacked: a place with tabs only takes one more tab.
        self._split(first)
        for kind in KINDS:
            if kind.tab and self.docks[kind.key] is not first[kind.tab]:
                self.tabifyDockWidget(first[kind.tab], self.docks[kind.key])
        for dock in first.values():
            dock.raise_()
        self._size(first)

    def _split(self, first: dict[str, QDockWidget]) -> None:
        views, recipes, runs = first["views"], first["recipes"], first["runs"]
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        self.splitDockWidget(views, recipes, horizontal)
        self.splitDockWidget(recipes, runs, vertical)

    def _size(self, first: dict[str, QDockWidget]) -> None:
        views, recipes = first["views"], first["recipes"]
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        self.resizeDocks([self.docks["instruments"], views, recipes], [340, 760, 400], horizontal)
        self.resizeDocks([views, first["below"]], [700, 180], vertical)
        self.resizeDocks([recipes, first["runs"]], [420, 280], vertical)

    def _dock(self, kind: PanelKind) -> QDockWidget:
        panel = self.panels[kind.key] = kind.make(self.engine)
        dock = self.docks[kind.key] = QDockWidget(kind.title, self)
        dock.setObjectName(kind.key)
        dock.setWidget(panel)
        self.addDockWidget(kind.area, dock)
        dock.setVisible(kind.shown)
        return dock

    def _make_menus(self) -> None:
        file, view, run = self._menu("&File"), self._menu("&View"), self._menu("&Run")
        recipe = cast(RecipePanel, self.panels["recipe"])
        self._action(file, "Open a recipe …", "Ctrl+O", recipe.choose)
        self._action(file, "Save the recipe", "Ctrl+S", recipe.save)
        self._action(file, "Close the window", "Ctrl+Q", self.close)
        self._action(file, "End the engine", "", self._end_engine)
        for number, (key, dock) in enumerate(self.docks.items(), 1):
            view.addAction(dock.toggleViewAction())
            shortcut = f"Alt+{number}" if number < 10 else ""
            title = dock.windowTitle()
            self._action(view, f"Go to {title}", shortcut, partial(self._raise, key))
        view.addSeparator()
        self._action(view, "Dark", "", partial(self.set_theme, "dark"))
        self._action(view, "Light", "", partial(self.set_theme, "light"))
        self._action(view, "Standard layout", "", self.reset_layout)
        self._action(run, "Run the recipe", "Ctrl+R", recipe.run)
        self._action(run, "Pause", "Ctrl+P", cast(RunPanel, self.panels["run"]).pause)

    def _menu(self, title: str) -> QMenu:
        menu = QMenu(title, self)
        self._menus.addMenu(menu)
        return menu

    def _action(self, menu: QMenu, text: str, shortcut: str, do: Any) -> None:
        action = QAction(text, self)
        if shortcut:
            action.setShortcut(shortcut)
        action.triggered.connect(lambda _: do())
        menu.addAction(action)

    def _raise(self, key: str) -> None:
        dock = self.docks[key]
        dock.show()
        dock.raise_()
        self.panels[key].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _open(self, name: str) -> None:
        cast(RecipePanel, self.panels["recipe"]).open(name)

    def _end_engine(self) -> None:
        self.engine.ask("end")

    def _say(self, text: str) -> None:
        self.statusBar().showMessage(text.splitlines()[0] if text else "", _SAID_MS)

    def _title(self) -> None:
        name = self.engine.status.get("setup", self.engine.request.setup.stem)
        simulated = " (simulated)" if self.engine.status.get("simulated") else ""
        self.setWindowTitle(f"{name}{simulated} – labctl")

    def _restore(self) -> None:
        geometry, layout = self.settings.value("geometry"), self.settings.value("layout")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        if isinstance(layout, QByteArray):
            self.restoreState(layout, _LAYOUT)
        for key, panel in self.panels.items():
            text = self.settings.value(f"panel/{key}")
            if isinstance(text, str):
                try:
                    panel.remember(json.loads(text))
                except (ValueError, TypeError, LabctlError) as error:
                    self.engine.say("warning", "window", f"settings of {key} are lost: {error}")
