"""What a walk through the window has shown to be wrong, so that it does not come back."""

import numpy as np
from pytestqt.qtbot import QtBot

from labctl.gui._instruments import InstrumentsPanel
from labctl.gui._photons import DecayPanel, PairsPanel
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._theme import LIGHT
from labctl.gui._window import MainWindow

PATIENCE_MS = 60_000


def test_every_button_of_an_instrument_can_be_seen(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.panels["instruments"]
    assert isinstance(panel, InstrumentsPanel)
    qtbot.waitUntil(lambda: "cryostat" in panel.boxes, timeout=PATIENCE_MS)

    def all_seen() -> bool:
        inside, seen = panel.area.widget(), panel.area.viewport()
        return inside.minimumSizeHint().width() <= seen.width()

    qtbot.waitUntil(all_seen, timeout=PATIENCE_MS)


def test_names_in_a_legend_take_the_colour_of_the_theme(window: MainWindow) -> None:
    window.set_theme("light")
    panel = window.panels["spectrum"]
    assert isinstance(panel, SpectrumPanel)
    legend = panel.plot.getPlotItem().legend
    assert legend is not None
    assert len(legend.items) == 2
    assert all(LIGHT.text in label.item.toHtml() for _, label in legend.items)
    window.set_theme("dark")


def test_a_set_point_follows_while_something_is_measured(window: MainWindow, qtbot: QtBot) -> None:
    engine = window.engine
    engine.ask("look", kind="spectrum", settings={"exposure": "50 ms", "adc": "5 MHz"})
    qtbot.waitUntil(lambda: engine.status["task"] == "live_spectrum", timeout=PATIENCE_MS)
    engine.ask("set", name="cryostat", quantity="temperature", value=12.0)
    qtbot.waitUntil(
        lambda: engine.values["cryostat"]["set"] == {"temperature": 12.0}, timeout=PATIENCE_MS
    )
    assert engine.status["task"] == "live_spectrum"


def test_a_move_that_is_asked_for_in_a_live_view_arrives(window: MainWindow, qtbot: QtBot) -> None:
    engine = window.engine
    engine.ask("look", kind="spectrum", settings={"exposure": "50 ms", "adc": "5 MHz"})
    qtbot.waitUntil(lambda: engine.status["task"] == "live_spectrum", timeout=PATIENCE_MS)
    for value in (540.0, 531.0):
        engine.ask("set", name="spectrograph", quantity="wavelength", value=value)

        def arrived(value: float = value) -> bool:
            values = engine.values["spectrograph"]
            there = abs(values["read"].get("wavelength", 0.0) - value) < 0.05
            return there and not values["moving"] and not values["busy"]

        qtbot.waitUntil(arrived, timeout=PATIENCE_MS)
    assert not any("inf s" in entry["text"] for entry in engine.log)


def test_a_decay_is_shown_near_its_pulse(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.panels["decay"]
    assert isinstance(panel, DecayPanel)
    # What is not seen is not laid out.
    window.docks["decay"].raise_()
    qtbot.waitUntil(panel.plot.isVisible, timeout=PATIENCE_MS)
    delay_ps = (np.arange(4000) + 0.5) * 25.0
    counts = 1e4 * np.exp(-(delay_ps - 3000.0) / 300.0) * (delay_ps > 3000.0) + 1.0
    head = {"kind": "live", "topic": "decay", "t_s": 0.0, "live_s": 1.0}
    arrays = {"counts": counts[np.newaxis].astype(np.uint32), "delay": delay_ps}
    window.engine.inbox.put(head, arrays)
    window.engine.inbox.woken.emit()
    (low, high), _ = panel.plot.getPlotItem().getViewBox().viewRange()
    assert 2.0 < low < 3.0 < 5.0 < high < 8.0
    panel.near.setChecked(False)
    box = panel.plot.getPlotItem().getViewBox()
    qtbot.waitUntil(lambda: box.viewRange()[0][0] < 1.0, timeout=PATIENCE_MS)


def test_peaks_of_coincidences_are_marks_without_a_line(window: MainWindow) -> None:
    panel = window.panels["pairs"]
    assert isinstance(panel, PairsPanel)
    window.set_theme("light")
    window.set_theme("dark")
    assert [curve.item.opts["pen"] for curve in panel.plot.curves] == [None, None]
