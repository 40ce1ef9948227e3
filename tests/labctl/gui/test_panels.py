"""Every panel draws what the engine shows, and asks the engine for what a person wants."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from labctl.gui._big import BigPanel
from labctl.gui._console import ConsolePanel
from labctl.gui._engine import Engine
from labctl.gui._image import ImagePanel
from labctl.gui._inbox import Inbox, Picture
from labctl.gui._instrument import InstrumentBox
from labctl.gui._map import MapPanel
from labctl.gui._photons import DecayPanel, PairsPanel, RatesPanel, tail_lifetime_ns
from labctl.gui._readout import describe_peak, half_maximum_width
from labctl.gui._sample import SamplePanel
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._temperature import TemperaturePanel
from labctl.gui._words import duration, number_in_words, several
from labctl.host.server import EngineRequest

STAGE: dict[str, Any] = {
    "name": "stage",
    "role": "positioner",
    "settables": {
        axis: {
            "unit": "um",
            "low": -2000.0,
            "high": 2000.0,
            "tolerance": 0.1,
            "settles": False,
            "timeout_s": 600.0,
        }
        for axis in "xyz"
    },
    "readables": {"x": "um", "y": "um", "z": "um"},
    "switches": {},
    "actions": ["stop"],
    "axes": ["x", "y", "z"],
}
CRYOSTAT: dict[str, Any] = {
    "name": "cryostat",
    "role": "cryostat",
    "settables": {},
    "readables": {"temperature": "K", "stability": "K"},
    "switches": {},
    "actions": [],
    "axes": [],
}


class Asked(Engine):
    """An engine to which nothing is attached; keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__(EngineRequest(setup=Path("nowhere.yaml"), simulate=True))
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def ask(self, verb: str, then: Any = None, **arguments: Any) -> None:
        self.asked.append((verb, arguments))

    def tell(self, **head: Any) -> None:
        self.inbox.put(head, {})
        self._drain()

    def show_picture(self, topic: str, arrays: dict[str, Any], **facts: Any) -> None:
        self.inbox.put({"kind": "live", "topic": topic, "t_s": 0.0, **facts}, arrays)
        self._drain()

    def show_values(self, name: str, t_s: float, **values: Any) -> None:
        head = {"kind": "live", "topic": f"values/{name}", "t_s": t_s, "name": name}
        self.inbox.put({**head, "values": values}, {})
        self._drain()


@pytest.fixture
def engine(qtbot: QtBot) -> Generator[Asked]:
    del qtbot
    asked = Asked()
    asked.tell(kind="roles", roles=[STAGE, CRYOSTAT])
    yield asked
    asked.close()


def test_the_image_with_its_region(engine: Asked, qtbot: QtBot) -> None:
    panel = ImagePanel(engine)
    qtbot.addWidget(panel)
    image = np.full((200, 1600), 600, np.uint16)
    image[90:110, 800] = 900
    engine.show_picture("image", {"counts": image}, y0=0)
    assert "1600 x 200 pixels, peak 900" in panel.read_out.text()
    panel.region.setChecked(True)
    panel.plot.show_region(800.0, 90.0, 1.0, 20.0)
    assert "rows 90 to 110, 18000 counts" in panel.read_out.text()
    panel.bar.remember({"exposure": "20 ms"})
    panel.bar.live.click()
    settings = {"exposure": "20 ms", "light": True}
    assert engine.asked == [("look", {"kind": "image", "settings": settings})]
    # Of a part of the sensor, rows are counted from its own first one.
    engine.show_picture("image", {"counts": image[80:120]}, y0=80)
    assert "region rows 90 to 110, 18000 counts  (rows: [90, 20])" in panel.read_out.text()


def test_click_to_go_brings_a_place_into_the_spot(engine: Asked, qtbot: QtBot) -> None:
    panel = SamplePanel(engine)
    qtbot.addWidget(panel)
    scale = {
        "um_per_pixel": 0.1,
        "um_per_pixel_error": 0.001,
        "rotation_deg": 0.0,
        "rotation_error_deg": 0.1,
        "mirrored": False,
        "rms_um": 0.01,
    }
    picture = {"counts": np.zeros((1024, 1280), np.uint16)}
    engine.show_picture("picture", picture, imaging_scale=None, laser_spot=None)
    panel.go.setChecked(True)
    panel.plot.clicked.emit(600.0, 500.0)
    assert "needs calibrations" in panel.read_out.text()
    spot = {"x_px": 640.0, "y_px": 512.0}
    engine.show_picture("picture", picture, imaging_scale=scale, laser_spot=spot)
    engine.show_values("stage", 0.0, read={"x": 10.0, "y": -5.0})
    panel.plot.clicked.emit(600.0, 500.0)
    wanted = {arguments["quantity"]: arguments["value"] for _, arguments in engine.asked}
    # The place lies 40 columns and 12 rows before the spot: 4 um and 1.2 um of the stage.
    assert wanted == {"x": pytest.approx(14.0), "y": pytest.approx(-3.8)}


def test_a_dot_of_the_map_is_gone_to(engine: Asked, qtbot: QtBot) -> None:
    panel = MapPanel(engine)
    qtbot.addWidget(panel)
    axis = np.arange(5.0)
    arrays = {"rate": np.eye(5) * 1000.0, "x": axis, "y": axis}
    dot = {"name": "D001", "x_um": 2.25, "y_um": 3.5, "brightness_hz": 1234.0}
    engine.show_picture("point/map", arrays, dots=[dot])
    assert panel.dots.item(0).text() == "D001  1,234 /s"
    panel.plot.picked.emit(dot)
    panel.go.click()
    assert [(a["quantity"], a["value"]) for _, a in engine.asked] == [("x", 2.25), ("y", 3.5)]


def test_the_tail_of_a_decay_tells_its_lifetime() -> None:
    rng = np.random.default_rng(0)
    delay_ns = np.arange(4096, dtype=np.float64) * 0.025
    expected = 200.0 * np.exp(-(delay_ns - 5.0) / 4.0) * (delay_ns > 5.0) + 0.5
    counts = rng.poisson(expected).astype(np.float64)
    found = tail_lifetime_ns(delay_ns, counts)
    assert found is not None
    lifetime_ns, error_ns, fitted = found
    # A quick look: within 3 % and five of its counting errors.
    assert abs(lifetime_ns - 4.0) < max(5.0 * error_ns, 0.12)
    assert fitted.shape == counts.shape
    assert tail_lifetime_ns(delay_ns, np.zeros(4096)) is None
    assert tail_lifetime_ns(delay_ns, rng.poisson(np.full(4096, 1.0)).astype(np.float64)) is None


def test_decay_pairs_and_rates(engine: Asked, qtbot: QtBot) -> None:
    decay, pairs, rates = DecayPanel(engine), PairsPanel(engine), RatesPanel(engine)
    for panel in (decay, pairs, rates):
        qtbot.addWidget(panel)
    delay = np.arange(4096) * 25.0
    counts = np.stack([np.zeros(4096), np.ones(4096)]).astype(np.uint32)
    engine.show_picture("decay", {"counts": counts, "delay": delay}, live_s=2.0)
    assert decay.read_out.text() == "0, 4096 counts in 2.0 s"
    # Empty bins have no logarithm.
    assert decay.plot.curves[1].y.min() == 0.5
    peak = np.arange(-2, 3)
    areas = {
        "peak": peak,
        "areas": np.array([9, 11, 2, 10, 10]),
        "areas_expected": np.full(5, 10.0),
    }
    engine.show_picture("g2", areas, live_s=2.0)
    assert pairs.read_out.text().startswith("g²(0) = 0.200 ± 0.141 from 2 pairs")
    trace = {"rate": np.full((20, 2), 3000.0), "time": np.arange(20) * 0.05}
    engine.show_picture("rates", trace, rates_hz={"apd_1": 3000.0}, warn_hz={"apd_1": 1e6})
    assert rates.read_out.text() == "apd_1 3,000 /s"


def test_a_decay_with_the_fit_of_the_engine(engine: Asked, qtbot: QtBot) -> None:
    panel = DecayPanel(engine)
    qtbot.addWidget(panel)
    delay = np.arange(400) * 25.0
    fit = np.where(delay > 1000.0, 100.0 * np.exp(-delay / 500.0), np.nan)
    arrays = {"counts": np.full(400, 3, np.uint32), "delay": delay, "fit": fit}
    facts = {"live_s": 2.0, "lifetime_ps": 500.0, "lifetime_error_ps": 12.0, "growing": True}
    engine.show_picture("point/trpl", arrays, **facts)
    words = panel.read_out.text()
    assert words.startswith("1200 counts in 2.0 s, lifetime 0.5000 ± 0.0120 ns")
    drawn = panel.plot.curves[0]
    assert len(drawn.x) == int(np.isfinite(fit).sum())
    assert drawn.x[0] == pytest.approx(1.025)


def test_a_spectrum_that_grows_and_one_that_is_stored(engine: Asked, qtbot: QtBot) -> None:
    panel = SpectrumPanel(engine)
    qtbot.addWidget(panel)
    panel.unit.setCurrentText("cps")
    nm = np.linspace(520.0, 540.0, 100)
    for frames, growing in ((1, True), (2, True), (4, False)):
        counts = np.full(100, 300 * frames, np.uint32)
        arrays = {"counts": counts, "wavelength": nm}
        engine.show_picture("point/spectrum", arrays, live_s=1.5 * frames, growing=growing)
        assert panel.plot.curves[1].y.max() == pytest.approx(200.0)
        # A point is no part of the average of live spectra.
        assert len(panel.plot.curves[0].x) == 0


def test_a_long_trace_is_drawn_coarser(engine: Asked, qtbot: QtBot) -> None:
    panel = RatesPanel(engine)
    qtbot.addWidget(panel)
    counts = np.full((360_000, 2), 5, np.uint32)
    time_s = (np.arange(360_000) + 0.5) * 0.01
    arrays = {"counts": counts.sum(axis=1), "time": time_s, "by_detector": counts}
    engine.show_picture("point/trace", arrays, live_s=3600.0)
    curve = panel.plot.curves[0]
    assert len(curve.x) == 4000
    assert (curve.x[0], curve.x[-1]) == pytest.approx((0.45, 3599.55))
    assert np.all(curve.y == pytest.approx(500.0))
    assert panel.read_out.text() == "detector 1, mean 500 /s   detector 2, mean 500 /s"


def test_the_temperature_with_its_set_point(engine: Asked, qtbot: QtBot) -> None:
    panel = TemperaturePanel(engine)
    qtbot.addWidget(panel)
    assert [panel.source.itemText(n) for n in range(panel.source.count())] == [
        "cryostat.temperature"
    ]
    for second in range(100):
        read = {"temperature": 10.0 + 0.01 * (second % 2), "stability": 0.01}
        engine.show_values("cryostat", float(second), read=read, set={"temperature": 10.0})
    assert "set 10 K" in panel.read_out.text()
    assert panel.read_out.property("tone") == "good"
    engine.show_values("cryostat", 100.0, read={"temperature": 14.0}, set={"temperature": 20.0})
    assert panel.read_out.property("tone") == "warn"
    assert panel.plot.curves[0].x[0] == -100.0


def test_an_instrument_is_set_jogged_and_stopped(engine: Asked, qtbot: QtBot) -> None:
    box = InstrumentBox(engine, STAGE)
    qtbot.addWidget(box)
    box.fields["x"].setText("12,5")
    box.set_quantity("x")
    box.fields["x"].setText("far")
    box.set_quantity("x")
    assert engine.log[-1]["text"].startswith("x: 'far' is not a quantity")
    box.fields["x"].setText("0.4 mm")
    box.set_quantity("x")
    box.fields["x"].setText("4 K")
    box.set_quantity("x")
    assert engine.log[-1]["text"].startswith("x: '4 K' is not a quantity in um")
    box.act("stop")
    assert engine.asked == [
        ("set", {"name": "stage", "quantity": "x", "value": 12.5}),
        ("set", {"name": "stage", "quantity": "x", "value": 400.0}),
        ("act", {"name": "stage", "action": "stop"}),
    ]
    engine.show_values("stage", 0.0, read={"x": 1.0, "y": float("nan")}, moving=["x"])
    box.update_values()
    assert box.state.text() == "moving x"
    assert box.readings["x"].text() == "1 µm"
    assert box.readings["y"].text() == "no reading"
    engine.show_values("stage", 1.0, read={}, tripped="too much light")
    box.update_values()
    assert box.state.text() == "GUARD: too much light"
    assert not box.rearm.isHidden()


def test_big_numbers_and_console(engine: Asked, qtbot: QtBot) -> None:
    big, console = BigPanel(engine), ConsolePanel(engine)
    qtbot.addWidget(big)
    qtbot.addWidget(console)
    engine.show_values("cryostat", 0.0, read={"temperature": 4.25})
    assert big.numbers[0].text() == "4.25 K"
    for line in ("lab.cryostat.read('temperature') * 2", "lab.stage.set('x', 3)", "1 / 0"):
        console.input.setText(line)
        console.enter()
    said = console.output.toPlainText()
    assert "8.5" in said
    assert "ZeroDivisionError" in said
    assert engine.asked == [("set", {"name": "stage", "quantity": "x", "value": 3.0})]


def test_a_window_that_is_slow_draws_the_newest_and_counts_what_it_left_out() -> None:
    inbox = Inbox()
    heard: list[int] = []
    inbox.woken.connect(lambda: heard.append(1))
    for number in range(100):
        inbox.put({"kind": "live", "topic": "spectrum", "n": number}, {})
    inbox.put({"kind": "log"}, {})
    words, pictures = inbox.take()
    assert words == [{"kind": "log"}]
    assert pictures == {"spectrum": Picture({"kind": "live", "topic": "spectrum", "n": 99}, {})}
    assert inbox.dropped == 99
    assert len(heard) == 1


def test_the_peak_of_a_spectrum_in_words() -> None:
    nm = np.linspace(520.0, 540.0, 2001)
    line = 1000.0 / (1.0 + ((nm - 531.0) / 0.5) ** 2)
    width = half_maximum_width(nm, line)
    assert width == pytest.approx(1.0, rel=0.02)
    words = describe_peak(nm, line, "nm")
    # 1 nm at 531 nm is 4.40 meV.
    assert words.startswith("peak 531.000 nm = 2.334")
    assert "meV" in words
    assert half_maximum_width(nm, np.ones(2001)) is None
    assert "no data" in describe_peak(nm, line, "nm", (600.0, 601.0))


def test_numbers_in_words() -> None:
    assert number_in_words(531.0, "nm") == "531 nm"
    assert number_in_words(float("nan"), "K") == "no reading"
    assert number_in_words(None, "K") == "–"
    assert number_in_words(3.84531e-8, "W") == "38.4531 nW"
    assert number_in_words(1e7, "Hz") == "10 MHz"
    assert number_in_words(-2.5e-11, "A") == "-0.025 nA"
    assert number_in_words(0.0, "W") == "0 W"
    assert number_in_words(0.17, "uJ/cm^2") == "0.17 µJ/cm²"
    assert number_in_words(-70.0, "degC") == "-70 °C"
    assert number_in_words(45.0, "deg") == "45°"
    assert number_in_words(0.0142, "") == "0.0142"


def test_times_and_numbers_of_things_in_words() -> None:
    assert duration(0.00283) == "0 s"
    assert duration(5.15) == "5.2 s"
    assert duration(250.0) == "4 min 10 s"
    assert [several(n, "point") for n in (0, 1, 2)] == ["0 points", "1 point", "2 points"]


def test_dots_stand_out_of_a_flattened_mean(engine: Asked, qtbot: QtBot) -> None:
    panel = SamplePanel(engine)
    qtbot.addWidget(panel)
    panel.average.setValue(4)
    panel.flat.setChecked(True)
    rng = np.random.default_rng(0)
    rows, columns = np.indices((256, 256))
    halo = 100.0 * np.exp(-((rows - 128.0) ** 2 + (columns - 128.0) ** 2) / (2 * 60.0**2))
    dot = 40.0 * np.exp(-((rows - 150.0) ** 2 + (columns - 90.0) ** 2) / (2 * 1.5**2))
    for _ in range(4):
        counts = rng.poisson(halo + dot).astype(np.uint16)
        engine.show_picture("picture", {"counts": counts}, imaging_scale=None, laser_spot=None)
    image = np.asarray(panel.plot.image.image)
    row, column = np.unravel_index(int(np.argmax(image)), image.shape)
    assert abs(int(row) - 150) <= 2
    assert abs(int(column) - 90) <= 2
    # What is left of the halo is less than a tenth of its height.
    assert abs(float(image[100:156, 100:156].mean())) < 10.0
    assert "peak" in panel.read_out.text()


def test_a_stage_that_moves_leaves_no_ghosts_in_the_mean(engine: Asked, qtbot: QtBot) -> None:
    panel = SamplePanel(engine)
    qtbot.addWidget(panel)
    panel.average.setValue(4)
    facts: dict[str, Any] = {"imaging_scale": None, "laser_spot": None}
    for level in (10, 20):
        engine.show_picture("picture", {"counts": np.full((64, 64), level, np.uint16)}, **facts)
    assert np.all(panel.plot.image.image == 15.0)
    engine.show_values("stage", 0.0, read={"x": 1.0}, moving=["x"])
    engine.show_picture("picture", {"counts": np.full((64, 64), 40, np.uint16)}, **facts)
    assert np.all(panel.plot.image.image == 40.0)
    engine.show_values("stage", 1.0, read={"x": 2.0}, moving=[])
    engine.show_picture("picture", {"counts": np.full((64, 64), 60, np.uint16)}, **facts)
    assert np.all(panel.plot.image.image == 50.0)
