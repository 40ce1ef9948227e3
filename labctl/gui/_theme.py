"""Dark and light: the colours of the window and of its plots."""

from dataclasses import dataclass
from typing import Literal

from PyQt5.QtGui import QColor, QPalette
from PyQt5.QtWidgets import QApplication

__all__ = ["DARK", "LIGHT", "THEMES", "Theme", "apply_theme"]


@dataclass(frozen=True)
class Theme:
    """Colours by what they are for; curves are told apart by colour-blind people, too.

    Attributes:
        name: ``dark`` or ``light``.
        window: Ground of the window.
        field: Ground of fields and lists.
        plot: Ground of plots.
        text: Text, axes.
        faint: Lines of grids, text that is less important.
        accent: What is chosen.
        good: All is well.
        warn: Look at it.
        bad: Something is wrong.
        curves: Curves of plots, in this order.
    """

    name: Literal["dark", "light"]
    window: str
    field: str
    plot: str
    text: str
    faint: str
    accent: str
    good: str
    warn: str
    bad: str
    curves: tuple[str, ...]


DARK = Theme(
    "dark",
    window="#23272e",
    field="#1b1e24",
    plot="#15181d",
    text="#e4e7eb",
    faint="#7d8794",
    accent="#3d8fd1",
    good="#3fb27f",
    warn="#e0a030",
    bad="#e0483e",
    curves=("#56b4e9", "#e69f00", "#2fbf91", "#cc79a7", "#f0e442", "#d55e00"),
)
LIGHT = Theme(
    "light",
    window="#f2f3f5",
    field="#ffffff",
    plot="#ffffff",
    text="#1d2126",
    faint="#7a828c",
    accent="#1f6fb2",
    good="#1d8a5b",
    warn="#a86500",
    bad="#c0271d",
    curves=("#0072b2", "#d55e00", "#009e73", "#aa4499", "#8a7a00", "#444444"),
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}

_STYLE = """
QToolTip {{ color: {text}; background: {field}; border: 1px solid {faint}; }}
QDockWidget {{ color: {text}; }}
QDockWidget::title {{ background: {field}; padding: 3px 6px; }}
QGroupBox {{ border: 1px solid {faint}; border-radius: 4px; margin-top: 9px; padding: 3px; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 8px; padding: 0 3px; font-weight: bold; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{ color: {text}; background: {field}; padding: 4px 7px; }}
QTabBar::tab:selected {{ background: {window}; border-bottom: 2px solid {accent}; }}
QPushButton {{ padding: 3px 8px; }}
QPushButton:checked {{ background: {accent}; color: #ffffff; }}
QPushButton#red {{
  background: #d0021b; color: white; font-weight: bold; font-size: 15px;
  border: 2px solid #7d0010; border-radius: 6px; padding: 6px 18px;
}}
QPushButton#red:pressed {{ background: #8b0012; }}
*[tone="good"] {{ color: {good}; }}
*[tone="warn"] {{ color: {warn}; font-weight: bold; }}
*[tone="bad"] {{ color: {bad}; font-weight: bold; }}
*[tone="faint"] {{ color: {faint}; }}
QLabel#simulated {{
  background: #f0a92c; color: black; font-weight: bold; border-radius: 4px; padding: 3px 8px;
}}
"""


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole program a theme."""
    app.setStyle("Fusion")
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, colour in {
        roles.Window: theme.window,
        roles.WindowText: theme.text,
        roles.Base: theme.field,
        roles.AlternateBase: theme.window,
        roles.Text: theme.text,
        roles.Button: theme.window,
        roles.ButtonText: theme.text,
        roles.BrightText: theme.bad,
        roles.Highlight: theme.accent,
        roles.HighlightedText: "#ffffff",
        roles.ToolTipBase: theme.field,
        roles.ToolTipText: theme.text,
        roles.Link: theme.accent,
        roles.PlaceholderText: theme.faint,
    }.items():
        palette.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.faint))
    app.setPalette(palette)
    colours = {name: value for name, value in vars(theme).items() if isinstance(value, str)}
    app.setStyleSheet(_STYLE.format(**colours))
