"""Every panel, fed by the simulated set-up: what it shows is what the world's truth says."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import numpy as np
import pytest
from PyQt5.QtCore import QSettings
from pytestqt.qtbot import QtBot

from inline_lab import SPOT_PX, WARN_HZ, InlineEngine, InlineLab
from labctl.gui import MainWindow
from labctl.gui._big import BigPanel
from labctl.gui._console import ConsolePanel
from labctl.gui._image import ImagePanel
from labctl.gui._instruments import InstrumentsPanel
from labctl.gui._kinds import KINDS
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
from labctl.gui._viewer import RunViewer
from labctl.optics import ev_to_air_nm
from labctl.roles import Camera, PhotonCounter, Roi

PATIENCE_MS = 60_000
RECIPE = """name: all that can be shown
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - irf: {grating: 300/mm, stop: {counts: 30000, at_most: 10 s}}
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 2, unlocked_sensor: true}
  - trpl: {at_peak: true, stop: {time: 1 s}}
  - g2: {at_peak: true, stop: {time: 20 s}}
  - trace: {at_peak: true, stop: {time: 2 s}}
  - map: {size: [6 um, 6 um], step: 0.5 um, dwell: 20 ms, find: true}
"""
POINTS = 6
PICTURE = {"exposure": "50 ms", "roi": [512, 256, 384, 256]}
WARM_K, PIXEL_NM, SPOT_UM = 5.0, 0.11, 0.25
P = TypeVar("P", bound=Panel)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Generator[InlineLab]:
    """Have a run of everything and all live views, once for all tests."""
    with InlineLab(tmp_path_factory.mktemp("lab")) as lab:
        lab.run(RECIPE)
        for axis in "xy":
            lab.move("stage", axis, 0.0)
        lab.look("photons", 3.0)
        lab.move("spectrograph", "wavelength", 531.0)
        lab.look("spectrum", 5.0, exposure="1 s")
        lab.look("image", 9.0, exposure="1 s")
        lab.look("picture", 0.3, **PICTURE)
        lab.start("cryostat", "temperature", WARM_K)
        for _ in range(90):
            lab.clock.sleep(2.0)
            lab.read("cryostat")
        lab.read()
        yield lab


@pytest.fixture
def engine(lab: InlineLab, qtbot: QtBot) -> Generator[InlineEngine]:
    del qtbot
    engine = InlineEngine(lab)
    yield engine
    engine.close()


def judge_instruments(lab: InlineLab, panel: Panel, _: QtBot) -> None:
    assert isinstance(panel, InstrumentsPanel)
    assert set(panel.boxes) == set(lab.station)
    box = panel.boxes["spectrograph"]
    assert box.readings["wavelength"].text() == "531 nm"
    box.fields["wavelength"].setText("540")
    box.set_quantity("wavelength")
    # Where it really stands: its own scale is off by some hundredths of a nanometre.
    assert abs(lab.world.spectrograph.centre_nm - 540.0) < PIXEL_NM
    assert box.readings["wavelength"].text() == "540 nm"
    box.fields["wavelength"].setText("2000")
    box.set_quantity("wavelength")
    assert "2000" in panel.engine.log[-1]["text"]
    assert abs(lab.world.spectrograph.centre_nm - 540.0) < PIXEL_NM
    lab.move("spectrograph", "wavelength", 531.0)


def judge_spectrum(lab: InlineLab, panel: Panel, _: QtBot) -> None:
    assert isinstance(panel, SpectrumPanel)
    true_ev = lab.truths["spectrum"]["energy_ev"]
    curve = panel.plot.curves[1]
    assert abs(curve.x[np.argmax(curve.y)] - ev_to_air_nm(true_ev)) < PIXEL_NM
    panel.axis.setCurrentText("eV")
    # One pixel is 0.5 meV.
    assert abs(curve.x[np.argmax(curve.y)] - true_ev) < 0.5e-3
    counts = curve.y.copy()
    panel.unit.setCurrentText("cps")
    shown_s = panel.engine.pictures["spectrum"].head["exposure_s"]
    np.testing.assert_allclose(curve.y, counts / shown_s)
    assert "rows 0 to 200" in panel.read_out.text()


def judge_image(lab: InlineLab, panel: Panel, _: QtBot) -> None:
    assert isinstance(panel, ImagePanel)
    image = np.asarray(panel.plot.image.image, np.float64)
    assert image.shape == (200, 1600)
    row, column = np.unravel_index(int(np.argmax(image)), image.shape)
    truth = lab.truths["image"]["camera"]
    assert abs(int(row) - truth["band_row"]) < 3.0 * truth["band_sd_rows"]
    nm = panel.engine.pictures["image"].arrays["wavelength"]
    assert abs(nm[column] - ev_to_air_nm(lab.truths["image"]["energy_ev"])) < PIXEL_NM
    panel.region.setChecked(True)
    panel.plot.show_region(column - 2.0, row - 10.0, 5.0, 20.0)
    inside = int(image[row - 10 : row + 10, column - 2 : column + 3].sum())
    assert f"region rows {row - 10} to {row + 10}, {inside} counts" in panel.read_out.text()
    # A new image keeps the region, and its words.
    panel.draw("image", panel.engine.pictures["image"])
    assert f"{inside} counts" in panel.read_out.text()


def judge_sample(lab: InlineLab, panel: Panel, _: QtBot) -> None:
    assert isinstance(panel, SamplePanel)
    assert panel.spot_px() == (SPOT_PX["x_px"], SPOT_PX["y_px"])
    assert "0.0921 um per pixel, calibrated" in panel.read_out.text()
    # Black and white follow the picture until somebody drags them on the bar of colours.
    image = np.asarray(panel.plot.image.image, np.float64)
    low, high = panel.plot.levels()
    assert image.min() <= low < float(np.median(image)) < high <= image.max()
    panel.plot.hold_levels(10.0, 20.0)
    panel.draw("picture", panel.engine.pictures["picture"])
    assert panel.plot.levels() == (10.0, 20.0)
    panel.plot.show_all()
    assert panel.plot.levels() == (low, high)


def judge_map(lab: InlineLab, panel: Panel, _: QtBot) -> None:
    assert isinstance(panel, MapPanel)
    assert panel.dots.count() == 1
    lab.move("stage", "x", 3.0)
    panel.dots.itemClicked.emit(panel.dots.item(0))
    panel.go.click()
    # The dot is in the spot when the stage stands where the catalogue says, within its tolerance.
    x_um, y_um, _ = lab.world.dots_um(lab.clock.now())["A7"]
    assert np.hypot(x_um, y_um) < SPOT_UM
    rate = np.asarray(panel.plot.image.image, np.float64)
    row, column = np.unravel_index(int(np.argmax(rate)), rate.shape)
    arrays = panel.engine.pictures["point/map"].arrays
    assert abs(float(arrays["x"][column])) <= 0.5
    assert abs(float(arrays["y"][row])) <= 0.5


def judge_decay(lab: InlineLab, panel: Panel, _: QtBot) -> None:
    assert isinstance(panel, DecayPanel)
    head = panel.engine.pictures["decay"].head
    true_ps = lab.lifetime_ps("A7")
    assert 0.0 < head["lifetime_error_ps"] < 5.0
    assert abs(head["lifetime_ps"] - true_ps) < 5.0 * head["lifetime_error_ps"]
    assert f"lifetime {1e-3 * head['lifetime_ps']:.4f} ±" in panel.read_out.text()
    assert [curve.name for curve in panel.plot.curves[1:]] == ["apd_1", "apd_2"]
    fit, first = panel.plot.curves[0], panel.plot.curves[1]
    assert abs(fit.x[np.argmax(fit.y)] - first.x[np.argmax(first.y)]) < 0.1
    assert first.y.min() > 0.0


def judge_pairs(_: InlineLab, panel: Panel, __: QtBot) -> None:
    assert isinstance(panel, PairsPanel)
    panel.draw("point/g2", panel.engine.pictures["point/g2"])
    peaks, zero = panel.plot.curves[0], panel.plot.curves[1]
    assert zero.x.tolist() == [0.0]
    assert sorted(peaks.x.tolist()) == [n for n in range(-10, 11) if n]
    # Some 200 pairs in each of 20 peaks: their mean is 1 within 5 of its standard errors.
    assert abs(peaks.y.mean() - 1.0) < 5.0 / np.sqrt(200.0 * 20.0)
    assert zero.y[0] < 0.5 * peaks.y.min()
    # The view follows the data, and always reaches down to zero.
    low, high = panel.plot.shown_y()
    assert low <= 0.0 < peaks.y.max() < high


def judge_rates(lab: InlineLab, panel: Panel, _: QtBot) -> None:
    assert isinstance(panel, RatesPanel)
    assert panel.alarm.item.isVisible()
    counter = lab.station["apd_1"]
    assert isinstance(counter, PhotonCounter)
    assert panel.alarm.value == counter.warn_rate_hz == WARN_HZ
    head = panel.engine.pictures["rates"].head
    for curve, name in zip(panel.plot.curves, ("apd_1", "apd_2"), strict=True):
        assert curve.name == name
        counted_hz = float(curve.y.mean())
        # The counter looked for 0.1 s: six standard deviations of its own count.
        assert abs(head["rates_hz"][name] - counted_hz) < 6.0 * np.sqrt(counted_hz / 0.1)


def judge_big(_: InlineLab, panel: Panel, __: QtBot) -> None:
    assert isinstance(panel, BigPanel)
    kelvin = panel.engine.values["cryostat"]["read"]["temperature"]
    assert panel.numbers[0].text() == f"{kelvin:.6g} K"
    assert panel.numbers[1].text() == "531 nm"
    # The shutter is closed since the live view has ended: its last rate is none of now.
    assert panel.numbers[2].text() == "–"
    panel.engine.status = {**panel.engine.status, "task": "live_photons"}
    panel.engine.changed.emit()
    rate_hz = panel.engine.pictures["rates"].head["rates_hz"]["apd_1"]
    assert panel.numbers[2].text() == f"{rate_hz:,.0f} /s"


def judge_recipe(_: InlineLab, panel: Panel, __: QtBot) -> None:
    assert isinstance(panel, RecipePanel)
    panel.set_text(RECIPE.replace("time: 20 s", "time: 20 K"))
    assert panel.problems.item(0).text().startswith("line 7:")
    assert not panel.start.isEnabled()
    panel.set_text(RECIPE)
    assert panel.start.isEnabled()
    assert panel.verdict.text().startswith(f"{POINTS} points in about ")
    assert panel.steps.count() == POINTS


def judge_run(_: InlineLab, panel: Panel, __: QtBot) -> None:
    assert isinstance(panel, RunPanel)
    assert "all that can be shown" in panel.title.text()
    assert panel.state.text() == "done"
    assert (panel.bar.value(), panel.bar.maximum()) == (POINTS, POINTS)
    assert not any(button.isEnabled() for button in panel.buttons.values())


def judge_runs(_: InlineLab, panel: Panel, qtbot: QtBot) -> None:
    assert isinstance(panel, RunsPanel)
    qtbot.waitUntil(lambda: "complete" in _first(panel), timeout=PATIENCE_MS)
    assert "g2 1" in _first(panel)
    panel.list.item(0).setSelected(True)
    panel.view.click()
    viewer = panel.viewers[-1]
    assert isinstance(viewer, RunViewer)
    qtbot.addWidget(viewer)
    assert {"spectrum", "trpl", "g2", "trace", "map"} <= set(viewer.views)
    panel.wait()


def _first(panel: RunsPanel) -> str:
    return panel.list.item(0).text() if panel.list.count() else ""


def judge_log(_: InlineLab, panel: Panel, __: QtBot) -> None:
    assert isinstance(panel, LogPanel)
    assert "dot found" in panel.text.toPlainText()
    panel.level.setCurrentText("warnings")
    assert "dot found" not in panel.text.toPlainText()
    assert "no wavelength calibration" in panel.text.toPlainText()
    panel.words.setText("detector")
    assert "no wavelength calibration" not in panel.text.toPlainText()


def judge_temperature(lab: InlineLab, panel: Panel, _: QtBot) -> None:
    assert isinstance(panel, TemperaturePanel)
    curve = panel.plot.curves[0]
    assert curve.x[-1] == 0.0
    # The thermometer's noise is 5 mK.
    assert abs(curve.y[-1] - lab.world.thermal.sample_k()) < 0.05
    assert curve.y[0] < 4.2 < 4.8 < curve.y[-1]
    assert f"set {WARM_K:g} K" in panel.read_out.text()


def judge_console(lab: InlineLab, panel: Panel, _: QtBot) -> None:
    assert isinstance(panel, ConsolePanel)
    panel.input.setText("lab.stage.set('z', 2.0)")
    panel.enter()
    panel.input.setText("round(lab.stage.read('z'))")
    panel.enter()
    assert panel.output.toPlainText().splitlines()[-1] == "2"
    assert abs(lab.world.stage_um[2] - 2.0) < SPOT_UM
    lab.move("stage", "z", 0.0)


JUDGES: dict[str, Callable[[InlineLab, Any, QtBot], None]] = {
    name.removeprefix("judge_"): judge
    for name, judge in dict(globals()).items()
    if name.startswith("judge_")
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_a_panel_shows_what_the_lab_is(
    kind: Any, lab: InlineLab, engine: InlineEngine, qtbot: QtBot
) -> None:
    panel = kind.make(engine)
    qtbot.addWidget(panel)
    engine.hear()
    JUDGES[kind.key](lab, panel, qtbot)


@pytest.fixture
def window(engine: InlineEngine, qtbot: QtBot, tmp_path: Any) -> MainWindow:
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    window = MainWindow(engine, settings)
    qtbot.addWidget(window)
    window.show()
    return window


def panel_of(window: MainWindow, key: str, kind: type[P]) -> P:
    panel = window.panels[key]
    assert isinstance(panel, kind)
    return panel


def test_the_region_of_the_image_is_what_the_spectrum_sums(
    lab: InlineLab, window: MainWindow
) -> None:
    image, spectrum = (
        panel_of(window, "image", ImagePanel),
        panel_of(window, "spectrum", SpectrumPanel),
    )
    camera = lab.station["camera"]
    assert isinstance(camera, Camera)
    spectrum.bar.remember({"exposure": "1 s"})
    image.region.setChecked(True)
    heights: list[float] = []
    band = round(lab.truths["image"]["camera"]["band_row"])
    for first in (band - 10, 20):
        image.plot.show_region(0.0, float(first), 1600.0, 20.0)
        image.rows.click()
        # What the camera holds, as it has told itself.
        assert camera.settings is not None
        assert camera.settings.roi == Roi(0, 1600, first, 20, 1, 20)
        assert spectrum.bar.memory()["rows"] == f"[{first}, 20]"
        assert f"rows {first} to {first + 20}" in spectrum.read_out.text()
        counts = spectrum.plot.curves[1].y
        heights.append(float(counts.max() - np.median(counts)))
    whole = np.asarray(window.engine.pictures["image"].arrays["counts"], np.float64).sum(axis=0)
    # Four standard deviations of the band's rows lie inside; far from it there is next to nothing.
    assert heights[0] > 0.7 * float(whole.max() - np.median(whole))
    assert heights[1] < 0.1 * heights[0]


def test_a_click_moves_the_sample_by_the_calibrated_displacement(
    lab: InlineLab, window: MainWindow
) -> None:
    panel = panel_of(window, "sample", SamplePanel)
    before_um = np.array(lab.world.stage_um[:2])
    before = np.asarray(window.engine.pictures["picture"].arrays["counts"], np.float64)
    shift_px = np.array([40.0, -25.0])
    panel.plot.clicked.emit(SPOT_PX["x_px"] + 40.0, SPOT_PX["y_px"] - 25.0)
    np.testing.assert_array_equal(lab.world.stage_um[:2], before_um)
    panel.go.setChecked(True)
    panel.plot.clicked.emit(SPOT_PX["x_px"] + 40.0, SPOT_PX["y_px"] - 25.0)
    moved_um = np.array(lab.world.stage_um[:2]) - before_um
    # The stage may stand 0.1 um off on either axis, before as after.
    assert abs(np.hypot(*moved_um) - 0.0921 * np.hypot(*shift_px)) < 0.2
    stands = window.engine.values["stage"]["read"]
    assert np.hypot(stands["x"] - moved_um[0], stands["y"] - moved_um[1]) < 0.3
    # What was clicked is where the spot is: the whole picture has moved against the click.
    lab.look("picture", 0.3, **PICTURE)
    after = np.asarray(lab.newest()[-1][1]["counts"], np.float64)
    assert np.abs(moved_px(before, after) + shift_px).max() < 0.2 / 0.0921
    for axis in "xy":
        lab.move("stage", axis, 0.0)


def moved_px(before: Any, after: Any) -> Any:
    """Return by how much a picture has moved (columns, rows), by its correlation."""
    spectra = [np.fft.rfft2(one - one.mean()) for one in (before, after)]
    found = np.fft.irfft2(spectra[1] * spectra[0].conj())
    row, column = np.unravel_index(int(np.argmax(found)), found.shape)
    half = found.shape[0] // 2
    return np.array([(int(n) + half) % (2 * half) - half for n in (column, row)], np.float64)
