"""Counting the light of what is in the spot, for a moment: by a photon counter, or by spectra."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from labctl.errors import ConfigError, Problem
from labctl.measurements._context import Context
from labctl.measurements._count_rate import RateMeter, rate_meter
from labctl.measurements._dispersion import dispersion, tune
from labctl.measurements._exposure import Exposure, excitation, expose
from labctl.measurements._lit import Onto
from labctl.measurements._paths import take_path
from labctl.measurements._settings import filter_settings, laser_settings, spectrograph_settings
from labctl.measurements._spectrum import Spectrum
from labctl.roles import Camera, PhotonCounter, Spectrograph
from labctl.units import GroovesPerMm, Nanometers, Seconds, split_suffix

__all__ = ["Counter", "Counting"]

_GATE_S = 0.1
"""Rate meters of the modules count for so long (MultiHarp, HydraHarp manuals: GetCountRate)."""


def _key(name: str) -> str:
    return split_suffix(name)[0]


class Counting(BaseModel):
    """How light is counted.

    Attributes:
        detector: ``apd``: a photon counter's rate meter; ``camera``: one frame of a spectrum.
        dwell_s: Time of counting, s: a multiple of the rate meter's gate of 0.1 s, or the exposure.
        counter: Name of the photon counter; empty: the first of the set-up.
        path: Light path; None: ``apd`` or ``camera``, if the set-up has it.
        grating_per_mm: Groove density of the grating, 1/mm, 0 for a mirror; None: the one in use.
        wavelength_nm: At the exit slit or in the middle of the camera, nm; None: where it is.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_key, validate_by_name=False
    )

    detector: Literal["apd", "camera"] = "apd"
    dwell_s: Seconds = Field(0.1, gt=0)
    counter: str = ""
    path: str | None = None
    grating_per_mm: GroovesPerMm | None = Field(None, ge=0)
    wavelength_nm: Nanometers | None = Field(None, ge=0)

    @property
    def live_s(self) -> float:
        """Time in which light is really counted, s."""
        return self.gates * _GATE_S if self.detector == "apd" else self.dwell_s

    @property
    def gates(self) -> int:
        """Number of readings of the rate meter."""
        return max(1, round(self.dwell_s / _GATE_S))

    @property
    def pixel_s(self) -> float:
        """Lab time of one count, s."""
        return self.live_s + (_GATE_S if self.detector == "apd" else 0.1)

    @contextmanager
    def ready(self, context: Context) -> Generator["Counter"]:
        """Take the light path, set the detector; its own shutter is shut again whatever happens."""
        if self.detector == "camera":
            yield self._camera(context)
            return
        detector = self._detector(context)
        standing = self._standing(context, "apd", detector.name)
        with rate_meter(context, detector, self.gates) as meter:
            yield _Apd(context, self, standing, meter)

    def _camera(self, context: Context) -> "Counter":
        camera = context.station.only(Camera, prefer="camera")
        return _Spectra(context, self, self._standing(context, "camera", camera.name), camera)

    def _standing(self, context: Context, path: str, detector: str) -> dict[str, Any]:
        taken = take_path(context, self.path, path, [detector])
        station = context.station
        standing: dict[str, Any] = {"path": taken, **filter_settings(context)}
        if any(isinstance(station[name], Spectrograph) for name in station):
            spectrograph = station.only(Spectrograph, prefer="spectrograph")
            tune(context, spectrograph, self.grating_per_mm, self.wavelength_nm)
            standing["spectrograph"] = spectrograph_settings(spectrograph)
        return {**standing, "laser": laser_settings(context), "detector": detector}

    def _detector(self, context: Context) -> PhotonCounter:
        station = context.station
        if self.counter:
            return station.get(self.counter, PhotonCounter)
        found = (one for name in station if isinstance(one := station[name], PhotonCounter))
        first = next(found, None)
        if first is None:
            what = "counting with 'detector: apd' needs a photon counter, and the set-up has none"
            raise ConfigError([Problem(what, hint="count with 'detector: camera'")])
        return first


@dataclass
class Counter(ABC):
    """Counts in one light path.

    Attributes:
        context: The context of the measurement.
        how: What was asked for.
        standing: How the instruments stand, for the settings of the point.
    """

    context: Context
    how: Counting
    standing: Mapping[str, Any]

    @abstractmethod
    def light(self, onto: Onto | None = None) -> AbstractContextManager[None]:
        """Return a context in which the excitation is let in; ``onto`` tells what was lit."""

    @property
    @abstractmethod
    def counting_s(self) -> float:
        """Time over which one number of counts is taken, s."""

    @property
    @abstractmethod
    def dark(self) -> float:
        """Counts in that time without light."""

    @abstractmethod
    def rate_hz(self) -> float:
        """Count for the dwell time; returns counts per second."""

    def counts(self) -> float:
        """Let the light in and count; returns counts."""
        with self.light():
            return self.rate_hz() * self.counting_s

    def take_path(self) -> None:
        """Take the light path once more, after something else has looked at the sample."""
        detector = str(self.standing["detector"])
        take_path(self.context, self.how.path, self.how.detector, [detector])

    def spectra(self) -> list[NDArray[np.uint32]]:
        """Return the spectra that were taken, in their order, each of shape (column,), counts."""
        return []

    def wavelength_nm(self) -> NDArray[np.float64]:
        """Return the wavelengths of the spectra's columns, nm."""
        return np.zeros(0)


@dataclass
class _Apd(Counter):
    meter: RateMeter

    @property
    def counting_s(self) -> float:
        return self.meter.counting_s

    @property
    def dark(self) -> float:
        return self.meter.dark

    def light(self, onto: Onto | None = None) -> AbstractContextManager[None]:
        return excitation(self.context, True, onto)

    def rate_hz(self) -> float:
        return self.meter.read() / self.meter.counting_s


@dataclass
class _Spectra(Counter):
    camera: Camera
    taken: list[NDArray[np.uint32]] = field(default_factory=list[NDArray[np.uint32]])
    onto: Onto | None = None

    @property
    def counting_s(self) -> float:
        return self.how.dwell_s

    @property
    def dark(self) -> float:
        """None: what stands above the median of a spectrum is light."""
        return 0.0

    @contextmanager
    def light(self, onto: Onto | None = None) -> Generator[None]:
        """Let each frame open the shutter for itself."""
        self.onto = onto
        yield
        self.onto = None

    def rate_hz(self) -> float:
        asked = Spectrum.model_validate({"exposure": f"{self.how.dwell_s} s"})
        exposure = Exposure(asked.camera_settings(self.camera), 1, onto=self.onto)
        frames = expose(self.context, self.camera, exposure)
        line = frames.counts[0].sum(axis=0, dtype=np.uint32)
        self.taken.append(line)
        above = line - np.median(line)
        return float(above.sum()) / self.how.dwell_s

    def spectra(self) -> list[NDArray[np.uint32]]:
        return self.taken

    def wavelength_nm(self) -> NDArray[np.float64]:
        spectrograph = self.context.station.only(Spectrograph, prefer="spectrograph")
        calibration = dispersion(self.context, spectrograph, self.camera)
        width = len(self.taken[0])
        return calibration.region_nm(0, width, spectrograph.read_wavelength(), 1)
