"""Which panels there are. A new panel is one line here (see the package's docstring)."""

from collections.abc import Callable
from dataclasses import dataclass

from PyQt5.QtCore import Qt

from labctl.gui._big import BigPanel
from labctl.gui._console import ConsolePanel
from labctl.gui._engine import Engine
from labctl.gui._image import ImagePanel
from labctl.gui._instruments import InstrumentsPanel
from labctl.gui._log import LogPanel
from labctl.gui._map import MapPanel
from labctl.gui._panel import Panel
from labctl.gui._photons import DecayPanel, PairsPanel, RatesPanel
from labctl.gui._recipe import RecipePanel
from labctl.gui._run import RunPanel
from labctl.gui._runs import RunsPanel
from labctl.gui._sample import SamplePanel
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._temperature import TemperaturePanel

__all__ = ["KINDS", "PanelKind"]

_LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


@dataclass(frozen=True)
class PanelKind:
    """A panel of the window.

    Attributes:
        key: Name under which layout and settings are remembered.
        title: Title of its dock.
        make: Makes it for an engine.
        area: Where it stands at first.
        tab: Panels with the same word share a place as tabs at first.
        shown: Whether it is visible at first.
    """

    key: str
    title: str
    make: Callable[[Engine], Panel]
    area: Qt.DockWidgetArea
    tab: str = ""
    shown: bool = True


KINDS: tuple[PanelKind, ...] = (
    PanelKind("instruments", "Instruments", InstrumentsPanel, _LEFT, "instruments"),
    PanelKind("spectrum", "Spectrum", SpectrumPanel, _RIGHT, "views"),
    PanelKind("image", "Camera", ImagePanel, _RIGHT, "views"),
    PanelKind("sample", "Sample", SamplePanel, _RIGHT, "views"),
    PanelKind("map", "Map", MapPanel, _RIGHT, "views"),
    PanelKind("decay", "Decay", DecayPanel, _RIGHT, "views"),
    PanelKind("pairs", "g²", PairsPanel, _RIGHT, "views"),
    PanelKind("rates", "Rates", RatesPanel, _RIGHT, "views"),
    PanelKind("big", "Numbers", BigPanel, _RIGHT, "views"),
    PanelKind("recipe", "Recipe", RecipePanel, _RIGHT, "recipes"),
    PanelKind("run", "Run and queue", RunPanel, _RIGHT, "runs"),
    PanelKind("runs", "Runs", RunsPanel, _RIGHT, "runs"),
    PanelKind("log", "Log", LogPanel, _BOTTOM, "below"),
    PanelKind("temperature", "Temperature", TemperaturePanel, _BOTTOM, "below"),
    PanelKind("console", "Console", ConsolePanel, _BOTTOM, "below"),
)
