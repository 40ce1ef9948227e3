"""Walks through the window as a new user would, on the simulated microscope, and takes pictures.

``python tools/walk.py FOLDER [--pictures DIR]``: places a dot by the picture of the sample and by
a map, goes there, takes spectrum and decay, runs a short temperature series, is killed in the
middle of it, attaches again and looks at the results. Everything is clicked or typed into the
window; nothing is asked of the engine behind its back. Exit status 0 only if all of it worked.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PyQt5.QtCore import QEvent, QEventLoop, QPointF, QRectF, QSettings, Qt, QTimer
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QApplication, QWidget

from labctl.gui import Engine, MainWindow
from labctl.gui._big import BigPanel
from labctl.gui._image import ImagePanel
from labctl.gui._image_plot import ImagePlot
from labctl.gui._instruments import InstrumentsPanel
from labctl.gui._map import MapPanel
from labctl.gui._overlay import OverlayWindow
from labctl.gui._photons import DecayPanel, PairsPanel, RatesPanel
from labctl.gui._recipe import RecipePanel
from labctl.gui._run import RunPanel
from labctl.gui._runs import RunsPanel
from labctl.gui._sample import SamplePanel
from labctl.gui._spectrum import SpectrumPanel
from labctl.gui._viewer import RunViewer
from labctl.host.server import EngineRequest

ROOT = Path(__file__).parents[1]
SETUP = ROOT / "configs" / "setups" / "microscope.yaml"
COLD = "instruments.cryostat.simulate.truth.start_temperature=4 K"
SPEED = 2.5
PATIENCE_S = 300.0
_SMALLER = ((160, 1.0), (128, 0.8), (96, 0.66), (64, 0.5))
_MOST_BYTES = 195_000
_AROUND_PX = 170.0
P = TypeVar("P", bound=QWidget)
Floats = NDArray[np.float64]
STATE = "walk.json"
"""What the window that is killed leaves for the one that follows."""

PLACES = """# Where things are: scale of the picture, steps of the stage, spot of the laser.
name: where things are
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - calibrate: {kind: imaging_scale, exposure: 200 ms, level: 0.8, roi: [528, 256, 372, 256]}
  - calibrate: {kind: step_sizes, exposure: 200 ms, level: 0.8, roi: [528, 256, 372, 256]}
  - calibrate: {kind: laser_spot, exposure: 100 ms, roi: [528, 256, 372, 256]}
  - irf: {grating: 300/mm, stop: {counts: 100000, at_most: 30 s}}
"""
MAP = """# A map around where the stage stands.
name: map of the surroundings
steps:
  - map:
      size: [6 um, 6 um]
      step: 0.5 um
      dwell: 0.1 s
      find: true
      grating: 300/mm
      wavelength: 531 nm
"""
SERIES = """# A short temperature series of what is in the spot.
name: short temperature series
steps:
  - scan: cryostat.temperature
    values: [4, 10, 20]   # K
    settle: {tolerance: 0.2 K, std: 0.2 K, for: 20 s, timeout: 30 min}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 5}
      - trpl: {at_peak: true, stop: {counts: 20000, at_most: 30 s}}
"""


class Walk:
    """A window, and what a person does with it."""

    def __init__(self, folder: Path, pictures: Path) -> None:
        self.folder, self.pictures = folder, pictures
        self.app = QApplication.instance() or QApplication(["labctl"])
        request = EngineRequest(
            setup=SETUP, simulate=True, speed=SPEED, out=folder / "data", changes=(COLD,)
        )
        self.engine = Engine(request)
        settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
        self.window = MainWindow(self.engine, settings)
        self.window.resize(1500, 950)
        self.window.show()
        self.engine.begin()

    def until(self, ready: Callable[[], Any], what: str) -> None:
        """Let the window live until something has happened."""
        end_s = monotonic() + PATIENCE_S
        while not ready():
            if monotonic() > end_s:
                said = "\n".join(entry["text"] for entry in list(self.engine.log)[-5:])
                raise SystemExit(f"not within {PATIENCE_S:g} s: {what}\n{said}")
            self.live(0.05)

    def live(self, seconds: float) -> None:
        """Let the window live for so long."""
        loop = QEventLoop()
        QTimer.singleShot(int(1000 * seconds), loop.quit)
        loop.exec()

    def panel(self, key: str, kind: type[P]) -> P:
        """Bring a panel to the front."""
        dock = self.window.docks[key]
        dock.show()
        dock.raise_()
        panel = self.window.panels[key]
        if not isinstance(panel, kind):
            raise SystemExit(f"the panel {key} is {panel!r}")
        self.live(0.3)
        return panel

    def picture(self, name: str, of: QWidget | None = None) -> None:
        """Take a picture, of few colours so that it stays small."""
        self.live(0.3)
        path = self.pictures / f"walk_{name}.png"
        (of or self.window).grab().save(str(path))
        with Image.open(path) as raw:
            drawn = raw.convert("RGB")
        for colours, share in _SMALLER:
            size = round(share * drawn.width), round(share * drawn.height)
            smaller = drawn.resize(size, Image.Resampling.LANCZOS)
            smaller.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
            if path.stat().st_size < _MOST_BYTES:
                break
        print(f"{name}: {path.stat().st_size / 1000:.0f} kB", flush=True)

    def recipe(self, name: str, text: str) -> RecipePanel:
        """Open a recipe and wait for its check."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        panel = self.panel("recipe", RecipePanel)
        panel.open(str(path))
        self.until(lambda: " in about " in panel.verdict.text(), f"the check of {name}")
        return panel

    def run(self, name: str, text: str) -> None:
        """Open a recipe and begin it."""
        panel = self.recipe(name, text)
        title = next(line[6:] for line in text.splitlines() if line.startswith("name: "))
        panel.start.click()
        self.until(lambda: self.engine.run.name == title, f"{name} to begin")

    def ended(self) -> None:
        """Wait for the end of the run."""
        self.until(lambda: self.engine.run.state in ("done", "aborted", "failed"), "the end")
        self.until(lambda: not self.engine.status["task"], "the engine to be free")
        if self.engine.run.state != "done":
            said = self.panel("run", RunPanel).step.text()
            raise SystemExit(f"{self.engine.run.name}: {self.engine.run.state}: {said}")

    def set(self, instrument: str, quantity: str, value: str) -> None:
        """Type a value into the box of an instrument and set it."""
        box = self.panel("instruments", InstrumentsPanel).boxes[instrument]
        box.fields[quantity].setText(value)
        box.set_quantity(quantity)
        self.until(lambda: not box.fields[quantity].text(), f"{instrument} to take {value}")

    def click(self, plot: ImagePlot, x: float, y: float) -> None:
        """Click on a place of a plot with the mouse."""
        place = plot.mapFromScene(plot.getPlotItem().getViewBox().mapViewToScene(QPointF(x, y)))
        left, nothing = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
            event = QMouseEvent(kind, QPointF(place), left, left, nothing)
            QApplication.sendEvent(plot.viewport(), event)
        self.live(0.6)  # until it can be no double click

    def stage_rests(self) -> None:
        """Wait until the stage has arrived."""
        self.live(0.5)
        self.until(lambda: not self.engine.values["stage"].get("moving"), "the stage to arrive")
        self.live(0.5)


def before(walk: Walk) -> None:
    """Go as far as the middle of the temperature series, then die."""
    engine = walk.engine
    walk.until(lambda: engine.status.get("connected"), "the simulated set-up")
    walk.until(lambda: len(engine.values) >= len(engine.roles) > 0, "a reading of everything")
    walk.picture("01_start")
    walk.run("places.yaml", PLACES)
    walk.picture("02_calibrating")
    walk.ended()
    dot_on_the_picture(walk)
    dot_on_the_map(walk)
    spectrum_and_decay(walk)
    walk.run("series.yaml", SERIES)
    walk.panel("temperature", QWidget)
    walk.until(lambda: engine.run.points >= 2, "the first temperature")
    walk.until(lambda: engine.run.readings.get("cryostat.temperature", (0.0, ""))[0] > 6.0, "6 K")
    walk.panel("spectrum", SpectrumPanel)
    walk.picture("10_series")
    state = {"run": engine.run.run, "points": engine.run.points}
    (walk.folder / STATE).write_text(json.dumps(state), "utf-8")
    walk.window.keep()
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def dot_on_the_picture(walk: Walk) -> None:
    """Look at the sample in a wide field of laser light, and click on a dot."""
    walk.set("attenuator", "fluence", "12")
    sample = walk.panel("sample", SamplePanel)
    sample.bar.remember({"light": "wide_field", "exposure": "1 s", "gain": "3.9"})
    sample.average.setValue(12)
    sample.flat.setChecked(True)
    sample.bar.live.click()
    walk.until(lambda: sample.plot.image.image is not None, "a picture of the sample")
    walk.until(lambda: "calibrated" in sample.read_out.text(), "the scale of the picture")
    averaged(walk)
    column, row = dot_beside(sample)
    sample.go.setChecked(True)
    zoom(sample)
    walk.picture("03_sample")
    spot = spot_of(sample)
    walk.click(sample.plot, column, row)
    walk.stage_rests()
    averaged(walk)
    # A stage without sensors errs by a share of its way: a second click brings it there.
    walk.click(sample.plot, *brightest(sample, spot, reach=40))
    walk.stage_rests()
    averaged(walk)
    walk.picture("04_sample_gone")
    found = brightest(sample, spot, reach=40)
    if np.hypot(found[0] - spot[0], found[1] - spot[1]) > 12.0:
        raise SystemExit(f"the dot is at {found}, the spot at {spot}; clicked at {column, row}")
    sample.go.setChecked(False)
    sample.bar.halt.click()
    walk.until(lambda: not walk.engine.status["task"], "the live view to end")
    walk.set("attenuator", "fluence", "0.17")


def averaged(walk: Walk) -> None:
    """Wait until the average is one of pictures that were all taken since."""
    seen_s = engine_time(walk)
    walk.until(lambda: engine_time(walk) > seen_s + 16.0, "an average of pictures")


def engine_time(walk: Walk) -> float:
    """Return when the newest picture of the sample was taken, s of the clock."""
    return float(walk.engine.pictures["picture"].head["t_s"])


def zoom(sample: SamplePanel) -> None:
    """Look closer at what lies around the spot."""
    column, row = spot_of(sample)
    around = QRectF(column - _AROUND_PX, row - _AROUND_PX, 2 * _AROUND_PX, 2 * _AROUND_PX)
    sample.plot.getPlotItem().getViewBox().setRange(around, padding=0.0)


def dot_beside(sample: SamplePanel) -> tuple[float, float]:
    """Return column and row of the brightest dot to the right of the spot, as an eye finds it."""
    column, row = spot_of(sample)
    return brightest(sample, (column + 65.0, row), reach=35)


def spot_of(sample: SamplePanel) -> tuple[float, float]:
    """Return column and row of the laser's spot."""
    spot = sample.spot_px()
    if spot is None:
        raise SystemExit("the laser's spot is not calibrated")
    return spot


def brightest(sample: SamplePanel, near: tuple[float, float], *, reach: int) -> tuple[float, float]:
    """Return column and row of the brightest place within ``reach`` of one."""
    image = np.asarray(sample.plot.image.image, np.float64)
    smooth = boxed(image, 2) - boxed(image, 9)
    rows, columns = np.indices(image.shape)
    far = np.hypot(columns - near[0], rows - near[1])
    smooth[far > reach] = 0.0
    row, column = np.unravel_index(int(np.argmax(smooth)), image.shape)
    return float(column), float(row)


def boxed(image: Floats, half: int) -> Floats:
    """Return the mean over a square around each pixel."""
    for axis in (0, 1):
        shifted = [np.roll(image, by, axis) for by in range(-half, half + 1)]
        image = np.mean(np.stack(shifted), axis=0)
    return image


def dot_on_the_map(walk: Walk) -> None:
    """Map the surroundings, choose the brightest dot, and go there."""
    walk.run("map.yaml", MAP)
    panel = walk.panel("map", MapPanel)
    walk.until(lambda: "places" in panel.read_out.text(), "the first lines of the map")
    walk.live(6.0)
    walk.picture("05_map_grows")
    walk.ended()
    walk.until(lambda: panel.dots.count() > 0, "dots on the map")
    panel.dots.itemClicked.emit(panel.dots.item(0))
    walk.picture("06_map")
    panel.go.click()
    walk.stage_rests()
    recipe = walk.panel("recipe", RecipePanel)
    recipe.tabs.setCurrentWidget(recipe.tree)
    walk.picture("06_tree")
    recipe.tabs.setCurrentIndex(0)


def spectrum_and_decay(walk: Walk) -> None:
    """Look at the spectrum, the camera, the decay and the coincidences of what is in the spot."""
    spectrum = walk.panel("spectrum", SpectrumPanel)
    spectrum.bar.remember({"exposure": "1 s"})
    spectrum.average.setValue(5)
    spectrum.bar.live.click()
    walk.until(lambda: walk.engine.status["task"] == "live_spectrum", "the live view")
    walk.until(lambda: len(spectrum.plot.curves[0].x) > 0, "the second spectrum")
    spectrum.axis.setCurrentText("eV")
    spectrum.cursors.setChecked(True)
    walk.live(2.0)
    walk.picture("07_spectrum")
    spectrum.axis.setCurrentText("nm")
    spectrum.cursors.setChecked(False)
    # Photons are taken where the line is, with more of its light.
    nm = spectrum.plot.curves[1].x[np.argmax(spectrum.plot.curves[1].y)]
    image = walk.panel("image", ImagePanel)
    image.bar.live.click()
    walk.until(lambda: "pixels" in image.read_out.text(), "an image")
    image.region.setChecked(True)
    walk.picture("08_camera")
    image.bar.halt.click()
    walk.until(lambda: not walk.engine.status["task"], "the live view to end")
    walk.set("spectrograph", "wavelength", f"{nm:.2f}")
    walk.set("attenuator", "fluence", "0.85")
    decay = walk.panel("decay", DecayPanel)
    decay.bar.live.click()
    walk.until(lambda: "lifetime" in decay.read_out.text(), "a lifetime")
    walk.live(8.0)
    walk.picture("09_decay")
    pairs = walk.panel("pairs", PairsPanel)
    walk.until(lambda: "g²(0)" in pairs.read_out.text(), "coincidences")
    walk.live(8.0)
    walk.picture("09_pairs")
    walk.panel("rates", QWidget)
    walk.picture("09_rates")
    decay.bar.halt.click()
    walk.until(lambda: not walk.engine.status["task"], "the live view to end")
    walk.set("attenuator", "fluence", "0.17")


def after(walk: Walk) -> None:
    """Attach to the run that goes on, wait for its end, look at what has come of it."""
    engine = walk.engine
    left = json.loads((walk.folder / STATE).read_text("utf-8"))
    walk.until(lambda: engine.run.run, "the engine")
    if engine.run.run != left["run"] or engine.run.points < left["points"]:
        raise SystemExit(f"the window was killed during {left}, and finds {engine.run}")
    walk.window.set_theme("light")
    walk.panel("temperature", QWidget)
    walk.picture("11_attached")
    walk.ended()
    runs = walk.panel("runs", RunsPanel)
    walk.until(lambda: runs.list.count() >= 3, "the list of runs")
    walk.until(lambda: "complete" in runs.list.item(0).text(), "the picture of the series")
    walk.picture("12_runs")
    runs.list.item(0).setSelected(True)
    runs.view.click()
    viewer = runs.viewers[-1]
    if not isinstance(viewer, RunViewer):
        raise SystemExit(f"Open has opened {viewer!r}")
    walk.picture("13_viewer", viewer)
    viewer.measurement.setCurrentText("trpl")
    viewer.point.setValue(2)
    walk.picture("14_viewer_decay", viewer)
    runs.compare.click()
    overlay = runs.viewers[-1]
    if not isinstance(overlay, OverlayWindow):
        raise SystemExit(f"Compare has opened {overlay!r}")
    overlay.plot.show_x(525.0, 536.0)
    walk.picture("15_compare", overlay)
    big = walk.panel("big", BigPanel)
    walk.until(lambda: " K" in big.numbers[0].text(), "a temperature")
    rates = walk.panel("rates", RatesPanel)
    rates.bar.live.click()
    walk.until(lambda: " /s" in big.numbers[2].text(), "a count rate")
    walk.panel("big", BigPanel)
    walk.picture("16_big")
    rates.bar.halt.click()
    walk.until(lambda: not walk.engine.status["task"], "the live view to end")
    viewer.close()
    overlay.close()
    wrong = walk.folder / "wrong.yaml"
    wrong.write_text(SERIES.replace("exposure: 1 s", "exposure: 1 K"), "utf-8")
    recipe = walk.panel("recipe", RecipePanel)
    recipe.open(str(wrong))
    walk.until(recipe.problems.isVisible, "the mistake to be shown")
    walk.picture("17_mistake")


def main() -> int:
    """Start the two windows, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--part", choices=["before", "after"])
    given = parser.parse_args()
    folder: Path = given.folder.resolve()
    pictures: Path = (given.pictures or folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("LABCTL_RUNTIME_DIR", str(folder / "runtime"))
    if given.part:
        return part(Walk(folder, pictures), given.part)
    command = [sys.executable, __file__, str(folder), "--pictures", str(pictures), "--part"]
    first = subprocess.run([*command, "before"], check=False)
    if first.returncode != -getattr(signal, "SIGKILL", signal.SIGTERM):
        print(f"the first window has ended with status {first.returncode}, and was not killed")
        return 1
    return subprocess.run([*command, "after"], check=False).returncode


def part(walk: Walk, name: str) -> int:
    """Walk one part; the second ends the engine."""
    try:
        (before if name == "before" else after)(walk)
    except BaseException:
        walk.picture(f"failed_{name}")
        walk.engine.ask("end")
        walk.live(2.0)
        raise
    walk.engine.ask("end")
    walk.until(lambda: not walk.engine.is_attached, "the engine to end")
    walk.window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
