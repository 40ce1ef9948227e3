"""Instruments that answer at once, and two measurements with them: what is left is the engine."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl.measurements import Array, Context, Measurement
from labctl.roles import Identity, Instrument, Limits, SettableSpec
from labctl.stations import Station

PIXELS = 1600
_AXIS = SettableSpec("um", Limits(-1e6, 1e6), timeout_s=10.0, tolerance=1e-9)


class _Fake(Instrument):
    def identity(self) -> Identity:
        return Identity("labctl", "fake")

    def snapshot(self) -> dict[str, Any]:
        return {}

    def _open(self) -> None: ...

    def _close(self) -> None: ...


class Stage(_Fake):
    """Two axes that are at once where they shall be."""

    role: ClassVar[str] = "stage"
    settables = {"x": _AXIS, "y": _AXIS}
    readables = {"x": "um", "y": "um"}

    def __init__(self) -> None:
        super().__init__("stage")
        self._x = self._y = 0.0

    def start_x(self, value: float) -> None:
        self.check("x", value)
        self._x = value

    def start_y(self, value: float) -> None:
        self.check("y", value)
        self._y = value

    def x_arrived(self) -> bool:
        return True

    y_arrived = x_arrived

    def read_x(self) -> float:
        return self._x

    def read_y(self) -> float:
        return self._y


class Detector(_Fake):
    """A counter and a spectrometer."""

    role: ClassVar[str] = "detector"

    def __init__(self) -> None:
        super().__init__("detector")
        self._count = 0
        self._spectrum: NDArray[np.float64] = np.linspace(0.0, 1e4, PIXELS)
        self.done: Callable[[], bool] = lambda: True

    def trigger(self) -> None:
        self._count += 1

    def read_float(self) -> NDArray[np.float64]:
        return np.array(self._count * 0.5)

    def read_spectrum(self) -> NDArray[np.float64]:
        return self._spectrum + self._count


class Count(Measurement):
    """One number."""

    kind: ClassVar[str] = "count"
    units: ClassVar[str] = "Hz"
    axes: ClassVar[tuple[str, ...]] = ()

    def estimate_s(self) -> float:
        return 0.0

    def acquire(self, detector: Detector) -> NDArray[np.float64]:
        return detector.read_float()

    def run(self, context: Context) -> None:
        detector = context.station.only(Detector)
        detector.trigger()
        context.wait_until(detector.done, timeout_s=60.0, what="detector to finish", bankable=True)
        array = Array(self.kind, self.acquire(detector), self.units, self.axes)
        context.store([array], settings={"exposure_s": 0.0}, live_time_s=0.0)


class Spectrum(Count):
    """1600 numbers of 8 bytes."""

    kind: ClassVar[str] = "counts"
    units: ClassVar[str] = "counts"
    axes: ClassVar[tuple[str, ...]] = ("x",)

    def acquire(self, detector: Detector) -> NDArray[np.float64]:
        return detector.read_spectrum()


PAYLOADS: dict[str, Measurement] = {"float": Count(), "spectrum": Spectrum()}


def station() -> Station:
    """Return a station of both, without anything to make safe."""
    return Station({"stage": Stage(), "detector": Detector()}, ())
