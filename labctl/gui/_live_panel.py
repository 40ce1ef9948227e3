"""What all live views have in common: the line that begins them, a plot, and a line of words."""

from typing import Any

from PyQt5.QtWidgets import QLayout, QVBoxLayout

from labctl.gui._engine import Engine
from labctl.gui._image_plot import ImagePlot
from labctl.gui._inbox import Picture
from labctl.gui._live_bar import LiveBar
from labctl.gui._panel import Panel, ReadOut
from labctl.gui._plot import Plot
from labctl.gui._theme import Theme

__all__ = ["LivePanel"]


class LivePanel(Panel):
    """A plot of some topics, below the line that begins their live view.

    Attributes:
        topics: What is drawn; of several that are there already, the newest one.
    """

    topics: tuple[str, ...] = ()

    def __init__(
        self, engine: Engine, plot: Plot | ImagePlot, bar: LiveBar, below: QLayout | None = None
    ) -> None:
        """Put the parts together, ``below`` beneath the bar; constructors end with ``catch_up``."""
        super().__init__(engine)
        self.bar = bar
        self.read_out = ReadOut()
        self._drawn_on = plot
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(bar)
        if below is not None:
            layout.addLayout(below)
        layout.addWidget(plot, 1)
        layout.addWidget(self.read_out)
        engine.shown.connect(self._take)

    def catch_up(self) -> None:
        """Show what was there before; for the end of constructors."""
        pictures = self.engine.pictures
        there = [topic for topic in self.topics if topic in pictures]
        for topic in sorted(there, key=lambda topic: float(pictures[topic].head.get("t_s", 0.0))):
            self._take(topic, pictures[topic])

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._drawn_on.set_theme(theme)

    def memory(self) -> dict[str, Any]:
        """Return the settings of the live view."""
        return dict(self.bar.memory())

    def remember(self, memory: dict[str, Any]) -> None:
        """Take the settings of an earlier life."""
        self.bar.remember(memory)

    def draw(self, topic: str, picture: Picture) -> None:
        """Draw one of the topics."""

    def _take(self, topic: str, picture: Picture) -> None:
        if topic in self.topics:
            self.draw(topic, picture)
