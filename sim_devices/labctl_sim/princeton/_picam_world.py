"""What a simulated camera needs of the world."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Emccd", "PicamWorld"]


class Emccd(Protocol):
    """The light on the sensor, its noise and its cooler."""

    def render(
        self,
        *,
        frame: int,
        start_s: float,
        exposure_s: float,
        em_gain: int,
        quality: str,
        adc_mhz: float,
        analog_gain: int,
        shutter_open: bool,
        roi: tuple[int, int, int, int],
        binning: tuple[int, int],
    ) -> NDArray[np.uint16]:
        """Return a frame, (rows, columns) after binning, counts."""
        ...

    def sensor_c(self) -> float:
        """Return the sensor's temperature, degC."""
        ...

    def set_sensor_target_c(self, c: float) -> None:
        """Set the cooler's set point, degC."""
        ...

    def locked(self) -> bool:
        """Whether the temperature is at the set point."""
        ...


class PicamWorld(Protocol):
    """Time, events, the point that is being measured, and the light."""

    @property
    def lock(self) -> threading.RLock:
        """Held by everybody who enters the world."""
        ...

    @property
    def now(self) -> Callable[[], float]:
        """World time, s."""
        ...

    @property
    def point_id(self) -> str:
        """The point that is being measured."""
        ...

    @property
    def point_began_s(self) -> float:
        """World time at which it began, s."""
        ...

    def after(self, delay_s: float, action: Callable[[], None]) -> Callable[[], None]:
        """Carry out the action later; returns what cancels it."""
        ...

    def camera(self, truth: Mapping[str, Any], name: str = "camera") -> Emccd:
        """Return the renderer of a camera; the name keeps the noise of several apart."""
        ...
