"""Frames of an imaging camera at the microscope."""

import math
from typing import TYPE_CHECKING

import numpy as np

from labctl_sim.world._special import normal_cdf
from labctl_sim.world._types import CountArray, FloatArray
from labctl_sim.world.imaging._substrate import Substrate
from labctl_sim.world.imaging._truth import ImagingTruth

if TYPE_CHECKING:
    from labctl_sim.world._world import World

FULL_SCALE_COUNTS = 1023
"""Of the 10 bit converter."""
_REACH_SDS = 6.0

Region = tuple[int, int, int, int]


class ImagingSensor:
    """Renders what a camera would have recorded; knows nothing of any library."""

    def __init__(self, world: "World", truth: ImagingTruth, name: str) -> None:
        """``name`` keeps the noise of several cameras apart."""
        self.truth = truth
        self.name = name
        self._world = world
        self._substrate = Substrate(world.sample.name)

    def render(
        self, *, frame: int, start_s: float, exposure_s: float, gain: float, region: Region
    ) -> CountArray:
        """One frame, counts of 10 bits, uint16, shape (rows, columns).

        Args:
            frame: Index of the frame since the point began; decides the noise.
            start_s: Beginning of the exposure on the world's clock, not in the future.
            exposure_s: Exposure.
            gain: Analog gain, a factor.
            region: x0, width, y0, height in pixels.
        """
        truth = self.truth
        with self._world.lock:
            expected = self.expected_electrons(start_s, exposure_s, region)
            rng = self._world.generator(self.name, frame)
        electrons = rng.poisson(expected) + truth.read_noise_e * rng.standard_normal(expected.shape)
        counts = np.rint(electrons * gain / truth.electrons_per_count + truth.bias_counts)
        return np.clip(counts, 0, FULL_SCALE_COUNTS).astype(np.uint16)

    def expected_electrons(self, start_s: float, exposure_s: float, region: Region) -> FloatArray:
        """Mean number of electrons of each pixel, float64, shape (rows, columns)."""
        x0, width, y0, height = region
        columns, rows = (
            np.arange(first, first + number, dtype=np.float64)
            for first, number in ((x0, width), (y0, height))
        )
        table, end_s = self._world.table, start_s + exposure_s
        rate = np.full((height, width), self.truth.dark_e_s)
        rate += table.room_light_rel * self.truth.room_light_e_s
        middle_s = 0.5 * (start_s + end_s)
        if (led := table.led.mean(start_s, end_s)) > 0.0:
            rate += led * self._reflection(middle_s, columns, rows)
        if (lit := table.excitation.mean(start_s, end_s)) > 0.0:
            rate += lit * self._laser(middle_s, columns, rows)
            rate += lit * self._luminescence(middle_s, columns, rows)
        return rate * exposure_s

    def laser_spot_px(self) -> tuple[float, float]:
        """Column and row of the laser spot."""
        return self.truth.laser_spot_x_px, self.truth.laser_spot_y_px

    def _origin_um(self, at_s: float) -> tuple[float, float, float]:
        """Where the origin of the sample's coordinates is against the axis."""
        moved = self._world.displacement_um(at_s)
        centre = self._world.dot.position_um
        # Marks lie on the substrate; the depth of the dot on the axis is its own affair.
        return moved[0] - centre[0], moved[1] - centre[1], moved[2]

    def _reflection(self, at_s: float, columns: FloatArray, rows: FloatArray) -> FloatArray:
        """Electrons per second by the LED at full brightness."""
        truth = self.truth
        x, y, z = self._origin_um(at_s)
        blur_px = truth.blur_px(z)
        bright = self._profile(
            (truth.led_centre_x_um, truth.led_centre_y_um), truth.led_sd_um, columns, rows
        )
        return (
            truth.led_e_s
            * bright
            * self._substrate.reflectance(truth, (x, y), blur_px, columns, rows)
        )

    def _profile(
        self, centre_um: tuple[float, float], sd_um: float, columns: FloatArray, rows: FloatArray
    ) -> FloatArray:
        """A round Gaussian that is 1 in its middle, which stays where it is."""
        column, row = self.truth.pixels(*centre_um)
        sd = sd_um / self.truth.um_per_pixel
        along = [
            np.exp(-0.5 * ((pixels - at) / sd) ** 2)
            for pixels, at in ((rows, row), (columns, column))
        ]
        return np.outer(along[0], along[1])

    def _laser(self, at_s: float, columns: FloatArray, rows: FloatArray) -> FloatArray:
        """Electrons per second by laser light that the sample sends back."""
        world, truth = self._world, self.truth
        density = world.table.imaging_density
        density = truth.long_pass_density if density is None else density
        if world.table.scatterer:
            return np.zeros((rows.size, columns.size))
        total = world.laser_photons_hz() * truth.reflection_rel * 10.0**-density
        total *= truth.throughput_rel * truth.quantum_efficiency
        _, _, z = world.displacement_um(at_s)
        along_x, along_y = (0.25 * um for um in world.spot_1e2_diameters_um)
        return total * self._ellipse(columns, rows, (along_x, along_y), truth.blur_px(z))

    def _ellipse(
        self, columns: FloatArray, rows: FloatArray, sds_um: tuple[float, float], blur_px: float
    ) -> FloatArray:
        """A Gaussian of unit content about the optical axis, with axes along the stage's."""
        column, row = self.laser_spot_px()
        if sds_um[0] == sds_um[1]:
            sd = math.hypot(sds_um[0] / self.truth.um_per_pixel, blur_px)
            return _spot(columns, rows, column, row, sd)
        turn = np.array(self.truth.matrix())
        # A pixel adds the variance of a square.
        blur_px2 = blur_px**2 + 1.0 / 12.0
        spread = turn @ np.diag(np.square(sds_um)) @ turn.T + blur_px2 * np.eye(2)
        away = np.stack(np.meshgrid(columns - column, rows - row), axis=-1)
        square = np.einsum("yxi,ij,yxj->yx", away, np.linalg.inv(spread), away)
        height = 1.0 / (2.0 * math.pi * math.sqrt(float(np.linalg.det(spread))))
        return height * np.exp(-0.5 * square)

    def _luminescence(self, at_s: float, columns: FloatArray, rows: FloatArray) -> FloatArray:
        """Electrons per second by dots, and by everything else that shines."""
        world, truth = self._world, self.truth
        grey = world.table.imaging_density or 0.0
        passed = truth.throughput_rel * truth.quantum_efficiency * 10.0**-grey
        glow = truth.glow_e_s * world.peak_uj_cm2() * truth.um_per_pixel**2 * 10.0**-grey
        light = glow * self._profile((0.0, 0.0), 0.25 * world.spot_1e2_diameter_um, columns, rows)
        if world.recorded is not None or world.table.scatterer:
            return light
        for name, (x, y, z) in world.dots_um(at_s).items():
            column, row = truth.pixels(x, y)
            sd = truth.blur_px(z)
            reach = _REACH_SDS * sd
            near_columns = _near(columns, column, reach)
            near_rows = _near(rows, row, reach)
            if near_columns.start >= near_columns.stop or near_rows.start >= near_rows.stop:
                continue
            electrons_hz = world.emitted_hz(name, at_s) * passed
            light[near_rows, near_columns] += electrons_hz * _spot(
                columns[near_columns], rows[near_rows], column, row, sd
            )
        return light


def _near(pixels: FloatArray, at: float, reach: float) -> slice:
    first = int(np.searchsorted(pixels, at - reach))
    return slice(first, int(np.searchsorted(pixels, at + reach)))


def _spot(
    columns: FloatArray, rows: FloatArray, column: float, row: float, sd: float
) -> FloatArray:
    """A Gaussian of unit content, integrated over pixels."""
    return np.outer(_shares(rows, row, sd), _shares(columns, column, sd))


def _shares(pixels: FloatArray, at: float, sd: float) -> FloatArray:
    edges = np.append(pixels - 0.5, pixels[-1] + 0.5)
    return np.diff(normal_cdf((edges - at) / sd))
