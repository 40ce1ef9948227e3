"""Decays straight from the world's photon streams, without wire, drivers or files.

What the fits get is what a set-up would know: histograms, a response that was taken of scattered
laser light as the measurement does it, settings and readings. The world's truth is used for the
comparison alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Irf, Measured, TimingConfiguration
from labctl.clock import EventQueue
from labctl.host import seeder
from labctl.results import StoredDecay, StoredPhotons
from labctl.setup import load_yaml
from labctl_sim.sample import Sample, load_sample
from labctl_sim.world import LaserTruth, World
from labctl_sim.world.photons import Bench, Input, Run

__all__ = ["DecayBench", "Truth", "sample_of"]

Vector = NDArray[np.float64]

BIN_PS, PERIOD_PS = 8, 100_000
_SAMPLES = Path(__file__).parents[1] / "configs" / "samples"
_LASER = LaserTruth(
    wavelength_nm=405.0, rep_rate_hz=1e7, spot_1e2_diameter_um=2.4, peak_fluence_uj_cm2=12.0
)
_ELECTRONICS_SD_PS = 10.0
_SCATTERED_PER_PULSE = 12.0
_DETECTOR = "apd_1"
_SETTLE_S = 1800.0
_READINGS = 10
_HC_EV_NM = 1239.8419843320026
_AIR = 1.000277


@dataclass(frozen=True)
class Truth:
    """What the world really was while a decay was taken."""

    temperature_k: float
    lifetime_ps: float
    superlattice_ps: float | None
    excitations: float


class DecayBench:
    """A world with spectrograph, cryostat and detectors, driven by hand.

    Args:
        seed: Seed of the world.
        sample: What is mounted.
        dot: On the axis.
    """

    def __init__(self, seed: int, sample: Sample, dot: str) -> None:
        self.queue = EventQueue()
        self.world = World(
            sample=sample, dot=dot, laser=_LASER, now=self.queue.now,
            schedule=self.queue.schedule, seed=seeder(seed),
        )  # fmt: skip
        self.thermal = self.world.attach_cryostat({})
        self.spectrograph = self.world.attach_spectrograph({})
        self.spectrograph.lines_per_mm, self.spectrograph.blaze_nm = 300.0, 500.0
        self.spectrograph.exit = "side"
        self.world.table.laser_on, self.world.table.shutter_open = True, False
        self._bench = Bench.of(self.world)
        self._point = 0

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        end_s = self.queue.now() + seconds
        happened = True
        while happened:
            _, happened = self.queue.step(end_s)

    def settle(self, kelvin: float) -> None:
        """Go to a temperature."""
        self.thermal.set_target(kelvin)
        self.wait(_SETTLE_S)

    def set_fluence(self, fluence_uj_cm2: float) -> None:
        """Set the peak fluence on the sample."""
        self.world.table.attenuation_rel = fluence_uj_cm2 / _LASER.peak_fluence_uj_cm2

    def irf(self, counts: int) -> Irf:
        """Take scattered laser light at the laser's wavelength."""
        self.world.put_scatterer(_SCATTERED_PER_PULSE)
        histogram, live_s = self._histogram(_LASER.wavelength_nm, counts)
        self.world.put_scatterer(None)
        return Irf(
            bin_ps=float(BIN_PS),
            counts=histogram,
            grating_per_mm=self.spectrograph.lines_per_mm,
            detector=_DETECTOR,
            count_rate_hz=float(histogram.sum()) / live_s,
            wavelength_nm=_LASER.wavelength_nm,
        )

    def decay(self, irf: Irf, counts: int, centre_nm: float | None = None) -> StoredDecay:
        """Take a decay at a wavelength, by default that of the strongest line."""
        nm = centre_nm or self.line_nm()
        temperature_k = self._temperature()
        histogram, live_s = self._histogram(nm, counts)
        configuration = TimingConfiguration(
            bin_ps=float(BIN_PS),
            grating_per_mm=self.spectrograph.lines_per_mm,
            detector=_DETECTOR,
            count_rate_hz=float(histogram.sum()) / live_s,
            wavelength_nm=nm,
        )
        source = self._source(irf, temperature_k, configuration, live_s)
        return StoredDecay(source, _DETECTOR, histogram, irf, configuration)

    def line_nm(self) -> float:
        """Return the wavelength in air of the strongest line, where a spectrum has its peak."""
        return _HC_EV_NM / self.world.truth()["energy_ev"] / _AIR

    def exciton_nm(self) -> float:
        """Return the wavelength in air of the middle of the exciton's lines."""
        return _HC_EV_NM / self.world.truth()["triplet_centre_ev"] / _AIR

    def superlattice_nm(self) -> float:
        """Return the wavelength in air of the coupled band."""
        (band,) = (b for b in self.world.truth()["bands"] if b["kind"] == "superlattice")
        return _HC_EV_NM / band["energy_ev"] / _AIR

    def truth(self) -> Truth:
        """Return the present truth: ``tau0 [1 + g exp(-E_a / kT)]`` at the dot's temperature."""
        found = self.world.truth()
        dot, law = self.world.dot, self.world.sample.laws.decay
        kelvin = float(found["dot_temperature_k"])
        grown = math.exp(-law.activation_mev / (0.08617333262 * kelvin))
        lifetime_ps = dot.lifetime_ps * (1.0 + law.strength * grown)
        coupled = dot.superlattice
        fast_ps = None if coupled is None else lifetime_ps * coupled.decay_factor
        return Truth(kelvin, lifetime_ps, fast_ps, float(found["excitations"]))

    def _histogram(self, centre_nm: float, counts: int) -> tuple[Vector, float]:
        self.spectrograph.centre_nm = centre_nm
        self.world.begin_point(str(self._point))
        self._point += 1
        apds = self._bench.apds("tagger")
        self.world.table.shutter_open = True
        rate_hz = self._bench.rates_hz(apds, self.queue.now())[0]
        live_s = math.ceil(1000.0 * counts / rate_hz) / 1000.0
        run = Run(
            self._bench, apds, [Input(0, 650, alive=True)] * len(apds),
            device="tagger", number=0, electronics_sd_ps=_ELECTRONICS_SD_PS,
        )  # fmt: skip
        self.wait(live_s)
        events = run.stream.until(self.queue.now(), end=True)
        run.stop()
        self.world.table.shutter_open = False
        delays_ps = (events[(events & 7) == 0] >> 3) % PERIOD_PS
        found = np.bincount(delays_ps // BIN_PS, minlength=PERIOD_PS // BIN_PS)
        return found.astype(np.float64), live_s

    def _temperature(self) -> Measured:
        readings: list[float] = []
        for _ in range(_READINGS):
            readings.append(self.thermal.read_platform_k())
            self.wait(1.0)
        return Measured(float(np.mean(readings)), float(np.std(readings, ddof=1)))

    def _source(
        self, irf: Irf, kelvin: Measured, configuration: TimingConfiguration, live_s: float
    ) -> StoredPhotons:
        values: Mapping[str, Any] = {
            "laser.rep_rate_hz": _LASER.rep_rate_hz,
            "tagger.delay_bin_ps": float(BIN_PS),
            "spectrograph.wavelength_nm": configuration.wavelength_nm,
            "spectrograph.lines_per_mm": configuration.grating_per_mm,
            f"photons.detectors.{_DETECTOR}.count_rate_hz": configuration.count_rate_hz,
        }
        fluence = self.world.table.attenuation_rel * _LASER.peak_fluence_uj_cm2
        return StoredPhotons(
            point=self._point - 1, measurement="trpl", label="", arrays={}, values=values,
            files=(), detectors=(_DETECTOR,), temperature_k=kelvin, temperature_set_k=None,
            fluence_uj_cm2=fluence, live_s=live_s, irfs={_DETECTOR: irf}, warnings=(),
        )  # fmt: skip


@lru_cache(maxsize=8)
def sample_of(name: str, dot: str = "", lifetime_ps: float = 0.0) -> Sample:
    """Return a shipped sample; with the lifetime of a dot changed, if one is given."""
    sample = load_sample(load_yaml(_SAMPLES / name).data)
    if not dot:
        return sample
    changed = sample.dots[dot].model_copy(update={"lifetime_ps": lifetime_ps})
    return sample.model_copy(update={"dots": {**sample.dots, dot: changed}})
