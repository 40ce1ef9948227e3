"""Frames of an EMCCD camera behind the spectrograph."""

from typing import TYPE_CHECKING

import numpy as np

from labctl_sim.world._cooling import SensorCooling
from labctl_sim.world._cosmics import add_cosmic_rays
from labctl_sim.world._emccd_truth import EmccdTruth
from labctl_sim.world._picture import Optics, Picture, Scene
from labctl_sim.world._register import digitize, multiply
from labctl_sim.world._special import normal_cdf
from labctl_sim.world._types import CountArray, FloatArray

if TYPE_CHECKING:
    from labctl_sim.world._world import World

Roi = tuple[int, int, int, int]


class Emccd:
    """Renders what a camera would have recorded; knows nothing of any protocol.

    Hardware binning adds charge before the register, so a binned row is drawn at once: sums of
    Poissonian numbers are Poissonian, and this is exact, not an approximation.
    """

    def __init__(self, world: "World", truth: EmccdTruth, name: str) -> None:
        """``name`` keeps the noise of several cameras apart."""
        self.truth = truth
        self.name = name
        self._world = world
        self._optics: tuple[object, Optics, FloatArray] | None = None
        self._picture: tuple[object, Picture] | None = None
        self._cooling = SensorCooling(
            world.now,
            start_c=truth.sensor_start_c,
            target_c=truth.sensor_target_c,
            coldest_c=truth.coldest_c,
            time_constant_s=truth.cooling_time_s,
            band_c=truth.lock_band_k,
            hold_s=truth.lock_hold_s,
        )

    def sensor_c(self) -> float:
        """Temperature of the sensor."""
        return self._cooling.celsius()

    def set_sensor_target_c(self, c: float) -> None:
        """New set point of the cooler."""
        self._cooling.set_target(c)

    def locked(self) -> bool:
        """Whether the sensor has settled at its set point."""
        return self._cooling.locked()

    def electron_rate_per_column(self, at_s: float | None = None) -> FloatArray:
        """Expected photo-electrons per second and column, all rows, with the light as it is now.

        Shape (columns,), float64. Dot and laser light count as if the excitation were on for
        the whole second when it is on now. Dark current is not in it.
        """
        moment_s = self._world.now() if at_s is None else at_s
        on = self._world.table.excitation.mean(moment_s, moment_s)
        dot, extended, everywhere = self._rates(moment_s, on)
        return dot + extended + everywhere * self.truth.rows

    def optics(self) -> Optics:
        """The spectrograph as this sensor sees it now."""
        return self._seen()[1]

    def expected_electrons(
        self,
        *,
        start_s: float,
        exposure_s: float,
        shutter_open: bool,
        roi: Roi,
        binning: tuple[int, int],
    ) -> FloatArray:
        """Mean number of electrons before the register, shape (rows, columns) after binning.

        Contains light, dark current and clock-induced charge. Arguments as for `render`.
        """
        x0, width, y0, height = roi
        x_bin, y_bin = binning
        pixels = x_bin * y_bin
        floor = self.truth.dark_at(self.sensor_c()) * exposure_s + self.truth.induced_charge_e
        shape = (height // y_bin, width // x_bin)
        if not shutter_open or exposure_s <= 0.0:
            return np.full(shape, floor * pixels)
        on = self._world.table.excitation.mean(start_s, start_s + exposure_s)
        dot, extended, everywhere = self._rates(start_s + 0.5 * exposure_s, on)
        columns = slice(x0, x0 + shape[1] * x_bin)
        edges = y0 + y_bin * np.arange(shape[0] + 1, dtype=np.float64)
        light = self._band_shares(edges, columns) * dot[columns]
        light += self._lit_shares(edges)[:, None] * extended[columns]
        binned = light.reshape(shape[0], shape[1], x_bin).sum(axis=2)
        return (binned + everywhere * pixels) * exposure_s + floor * pixels

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
        roi: Roi,
        binning: tuple[int, int],
    ) -> CountArray:
        """One frame, uint16, shape (rows, columns) after binning.

        Args:
            frame: index of the frame since the point began; decides the noise.
            start_s: beginning of the exposure on the world's clock, not in the future.
            exposure_s: exposure.
            em_gain: set gain, used when ``quality`` is the multiplying port.
            quality: "LowNoise", "HighCapacity" or "ElectronMultiplied" (the vendor's words).
            adc_mhz: pixel rate.
            analog_gain: 1 low, 2 medium, 3 high.
            shutter_open: the camera's own shutter.
            roi: x0, width, y0, height in sensor pixels.
            binning: columns and rows per superpixel.
        """
        with self._world.lock:
            expected = self.expected_electrons(
                start_s=start_s,
                exposure_s=exposure_s,
                shutter_open=shutter_open,
                roi=roi,
                binning=binning,
            )
            rng = self._world.generator(self.name, frame)
        electrons = rng.poisson(expected).astype(np.float64)
        add_cosmic_rays(electrons, self.truth, roi, exposure_s, rng)
        output = multiply(electrons, self.truth.gain(em_gain, quality), rng)
        return digitize(
            np.minimum(output, self.truth.register_full_well_e),
            read_noise_e=self.truth.read_noise_e(quality, adc_mhz),
            electrons_per_adu=self.truth.electrons_per_adu(quality, adc_mhz, analog_gain),
            bias_adu=self.truth.bias_adu,
            rng=rng,
        )

    def _seen(self) -> tuple[object, Optics, FloatArray]:
        """Where the spectrograph stands, its optics, and the sensor's efficiency per column."""
        where = self._world.spectrograph.key()
        if self._optics is None or self._optics[0] != where:
            truth = self.truth
            optics = Optics(self._world.spectrograph, truth.pixel_um, truth.columns, truth.rows)
            efficiency = truth.efficiency(optics.colour_nm)
            self._optics, self._picture = (where, optics, efficiency), None
        return self._optics

    def _rates(self, at_s: float, excited: float) -> tuple[FloatArray, FloatArray, float]:
        """Electrons per second: point source per column, slit per column, stray per pixel."""
        truth = self.truth
        if self._world.spectrograph.exit != truth.exit:
            nothing = np.zeros(truth.columns)
            return nothing, nothing, 0.0
        picture, efficiency = self._light(at_s, lit=excited > 0.0)
        rows = truth.last_lit_row - truth.first_lit_row
        dot = ((picture.dot + picture.leak) * efficiency + picture.recorded) * excited
        extended = (picture.lamp + picture.room_hz * rows) * efficiency
        stray_hz = picture.stray_hz + picture.stray_dot_hz * excited
        return dot, extended, stray_hz * truth.quantum_efficiency

    def _light(self, at_s: float, *, lit: bool) -> tuple[Picture, FloatArray]:
        """The picture, computed anew only when something has changed; without dots in the dark."""
        _, optics, efficiency = self._seen()
        scene: Scene = self._world.scene(at_s, lit=lit)
        if self._picture is None or self._picture[0] != scene:
            self._picture = (scene, optics.picture(scene))
        return self._picture[1], efficiency

    def _band_shares(self, edges: FloatArray, columns: slice) -> FloatArray:
        """Share of a point source's light between row edges; (edges - 1, columns)."""
        truth = self.truth
        column = np.arange(truth.columns, dtype=np.float64)[columns]
        tilt = truth.band_tilt_rows * (column / truth.columns - 0.5)
        below = normal_cdf((edges[:, None] - truth.band_row - 0.5 - tilt) / truth.band_sd_rows)
        return np.diff(below, axis=0)

    def _lit_shares(self, edges: FloatArray) -> FloatArray:
        """Share of an extended source's light between row edges; (edges - 1,)."""
        first, last = self.truth.first_lit_row, self.truth.last_lit_row
        return np.diff(np.clip((edges - first) / (last - first), 0.0, 1.0))
