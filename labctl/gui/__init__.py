"""The window: PyQt5 and pyqtgraph around an engine in its own process.

The window owns nothing. ``Engine`` (``_engine.py``) mirrors what the engine's process tells
(``labctl.host.server``) and asks it for things; panels show this mirror. The window may be closed,
killed and opened again, twice if you like, while a run goes on.

How a panel is added:

1. A module ``_<name>.py`` with a class that derives from ``Panel`` (``_panel.py``). Its constructor
   takes the ``Engine``, reads what is there already (a window that attaches late must show the same
   as one that was there) and connects to the signals that it wants:

   - ``engine.shown(topic, picture)``: display data, ``picture.head`` the facts, ``picture.arrays``
     the numbers. Topics: ``spectrum``, ``image``, ``picture``, ``decay``, ``rates``, ``g2`` of the
     live views, ``point/<measurement>`` for a point that was stored. The newest of each topic
     stands in ``engine.pictures``.
   - ``engine.happened(event)``: events of the run (``labctl.events``); ``engine.run`` their sum.
   - ``engine.values_changed(name)``: an instrument was read; ``engine.values[name]`` has ``read``,
     ``set``, ``switches``, ``moving``, ``busy``, ``tripped``, ``alarm``, ``error``, ``hung``.
     ``engine.traces["cryostat.temperature"]`` has (clock time in s, value).
   - ``engine.roles_changed()``: ``engine.roles[name]`` says what can be set, read and switched.
   - ``engine.changed()``: ``engine.status`` (connected, problem, task, queue, paths, speed …).

   It asks by ``engine.ask(verb, then, **arguments)`` (verbs: ``labctl/host/server/_office.py``),
   never waits, and opens no modal box. ``set_theme`` and ``memory``/``remember`` where needed.
2. One line in ``KINDS`` (``_kinds.py``): title, place, tab group. Menus, shortcuts, layout and
   settings come with it.
3. A ``judge_<key>`` in ``tests/labctl/gui/test_panels_with_lab.py`` that holds what it shows
   against the truth of the simulated set-up.

Plots: ``Plot`` (``_plot.py``) for curves, ``ImagePlot`` (``_image_plot.py``) for images; no other
module knows pyqtgraph. ``LivePanel`` (``_live_panel.py``) is the base of live views: a ``LiveBar``
that begins and ends them, a plot and a read-out. ``ReadOut`` and ``FlowBar`` wrap, so that nothing
makes the window wider than a screen. After using a new
class or method of Qt run ``python tools/qt_stubs.py``. Qt is imported only in this package.
"""

from labctl.gui._app import run_window
from labctl.gui._engine import Engine
from labctl.gui._window import MainWindow

__all__ = ["Engine", "MainWindow", "run_window"]
