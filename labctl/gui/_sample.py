"""The picture of the sample with the laser's spot; a click brings a place into the spot."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtWidgets import QCheckBox, QPushButton, QSpinBox

from labctl.analysis import ImageScale
from labctl.gui._engine import Engine
from labctl.gui._image_plot import ImagePlot
from labctl.gui._inbox import Picture
from labctl.gui._live_bar import Field, LiveBar
from labctl.gui._live_panel import LivePanel
from labctl.gui._panel import set_tone

__all__ = ["SamplePanel"]

_AROUND = 31
_FIELDS = (
    Field("exposure", "50 ms", "Exposure of one picture, with its unit"),
    Field("light", "led", "What lights the sample", ("led", "laser", "wide_field", "none")),
    Field("gain", "1", "Analog gain of the camera, a factor"),
)


def _flattened(image: NDArray[Any]) -> NDArray[np.float32]:
    """Return an image less the mean of a square around each pixel; nothing near the edges."""
    smooth = image.astype(np.float32)
    for axis in (0, 1):
        sums = np.cumsum(smooth, axis=axis, dtype=np.float64)
        ahead = np.roll(sums, -(_AROUND // 2), axis)
        smooth = ((ahead - np.roll(ahead, _AROUND, axis)) / _AROUND).astype(np.float32)
    flat = image - smooth
    edge = _AROUND + 1
    flat[:edge], flat[-edge:], flat[:, :edge], flat[:, -edge:] = 0, 0, 0, 0
    return flat.astype(np.float32)


class SamplePanel(LivePanel):
    """Live picture. Click-to-go is armed by its button and wants the scale to be calibrated."""

    topics = ("picture", "point/image")

    def __init__(self, engine: Engine) -> None:
        """Show the newest picture of the engine."""
        self.plot = ImagePlot("column (pixel)", "row (pixel)", "counts", colours="CET-L1")
        super().__init__(engine, self.plot, LiveBar(engine, "picture", _FIELDS))
        self.plot.clicked.connect(self._clicked)
        self.go = QPushButton("Click to go")
        self.go.setCheckable(True)
        self.go.setToolTip("A click on the picture brings that place into the laser's spot")
        self.average = QSpinBox()
        self.average.setRange(1, 100)
        self.average.setPrefix("mean of ")
        self.average.setToolTip("So many pictures are averaged: dots that are faint stand out")
        self.average.valueChanged.connect(self._begin_anew)
        self.flat = QCheckBox("flat")
        self.flat.setToolTip(f"Take off the mean of the {_AROUND} pixels around: dots stand out")
        self.bar.add(self.average)
        self.bar.add(self.flat)
        self.bar.add(self.go)
        self._mean: NDArray[np.float64] = np.empty((0, 0))
        self._number = 0
        self._head: dict[str, Any] = {}
        engine.values_changed.connect(self._moved)
        self.catch_up()

    def memory(self) -> dict[str, Any]:
        """Return the settings of the live view."""
        return {**super().memory(), "average": self.average.value()}

    def remember(self, memory: dict[str, Any]) -> None:
        """Take the settings of an earlier life."""
        self.average.setValue(int(memory.get("average", 1)))
        super().remember({name: text for name, text in memory.items() if name != "average"})

    def spot_px(self) -> tuple[float, float] | None:
        """Return column and row of the laser's spot, if it is calibrated."""
        spot = self._head.get("laser_spot")
        return None if not spot else (float(spot["x_px"]), float(spot["y_px"]))

    def go_to(self, column: float, row: float) -> None:
        """Bring a place of the picture into the laser's spot, by the stage."""
        spot, record = self.spot_px(), self._head.get("imaging_scale")
        stage = next((n for n, r in self.engine.roles.items() if r["role"] == "positioner"), "")
        if spot is None or not record or not stage:
            missing = "the stage" if not stage else "calibrations imaging_scale and laser_spot"
            self._say(f"click to go needs {missing}", "warn")
            return
        shift_px = np.array([spot[0] - column, spot[1] - row])
        dx_um, dy_um = (float(um) for um in ImageScale.from_record(record).to_um(shift_px))
        here = self.engine.values.get(stage, {}).get("read", {})
        for axis, by_um in (("x", dx_um), ("y", dy_um)):
            target = float(here.get(axis, 0.0)) + by_um
            self.engine.ask("set", name=stage, quantity=axis, value=target)
        self._begin_anew()
        self._say(f"stage goes by x {dx_um:+.2f} um, y {dy_um:+.2f} um", "good")

    def draw(self, topic: str, picture: Picture) -> None:
        """Draw a picture where it lies on the camera, and the laser's spot."""
        counts = picture.arrays.get("counts")
        if counts is None:
            return
        if topic == "picture":
            self._head = picture.head
        rows, columns = counts.shape
        left, top = float(picture.head.get("x0", 0)), float(picture.head.get("y0", 0))
        shown = self._averaged(counts)
        shown = _flattened(shown) if self.flat.isChecked() else shown
        self.plot.show_image(shown, (left, top, float(columns), float(rows)))
        spot = self.spot_px()
        if spot is not None:
            self.plot.show_cross(*spot)
        scale = self._head.get("imaging_scale")
        known = (
            f"{scale['um_per_pixel']:.4f} um per pixel, calibrated" if scale else "not calibrated"
        )
        self._say(f"{columns} x {rows} pixels, peak {int(counts.max())} counts, {known}", "")

    def _averaged(self, counts: NDArray[Any]) -> NDArray[Any]:
        if self.average.value() == 1:
            return counts
        if counts.shape != self._mean.shape:
            self._begin_anew()
            self._mean = np.zeros(counts.shape)
        # A running mean that forgets, as that of spectra.
        self._number = min(self._number + 1, self.average.value())
        self._mean = self._mean + (counts - self._mean) / self._number
        return self._mean

    def _begin_anew(self, _: int = 0) -> None:
        self._mean, self._number = np.empty((0, 0)), 0

    def _moved(self, name: str) -> None:
        """Forget pictures of places that are left: their dots would stand beside the true ones."""
        stage = self.engine.roles.get(name, {}).get("role") == "positioner"
        if stage and self.engine.values[name].get("moving"):
            self._begin_anew()

    def _clicked(self, column: float, row: float) -> None:
        if self.go.isChecked():
            self.go_to(column, row)

    def _say(self, text: str, tone: str) -> None:
        self.read_out.setText(text)
        set_tone(self.read_out, tone)
