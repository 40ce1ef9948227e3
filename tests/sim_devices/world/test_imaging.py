"""Pictures of the world: geometry, movement, focus, light and noise, by closed forms."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, World
from labctl_sim.world.imaging import ImagingSensor, ImagingTruth

SAMPLE = {
    "schema_version": 1,
    "name": "two dots",
    "composition": "CsPbBr3",
    "dots": {
        "A1": {"edge_length": "23 nm", "lifetime": "180 ps", "position": ["4 um", "-3 um", "0 um"]},
        "A2": {"edge_length": "23 nm", "lifetime": "180 ps", "position": ["7 um", "1 um", "0 um"]},
    },
}
REGION = (400, 512, 250, 512)
QUIET = ImagingTruth(dark_e_s=0.0, focus_offset_um=0.0, glow_e_s=0.0)


def world(seed: int = 0) -> World:
    def seeds(*labels: Any) -> int:
        return abs(hash((seed, *map(str, labels)))) if labels else seed

    made = World(
        sample=load_sample(SAMPLE),
        dot="A1",
        laser=LaserTruth(peak_fluence_uj_cm2=12.0),
        now=lambda: 0.0,
        schedule=lambda _at_s, _action: lambda: None,
        seed=seeds,
        memory=False,
    )
    made.stage_um = (0.0, 0.0, 0.0)
    return made


def expected(made: World, truth: ImagingTruth = QUIET) -> NDArray[np.float64]:
    return ImagingSensor(made, truth, "camera").expected_electrons(0.0, 0.1, REGION)


def lit(made: World) -> World:
    made.table.led.set(0.0, 1.0)
    return made


def test_the_substrate_moves_with_the_stage_and_the_light_does_not() -> None:
    """Moved by 40 columns and 24 rows exactly: the same reflectance, further on."""
    made = lit(world())
    truth = ImagingTruth(dark_e_s=0.0, led_sd_um=1e6)
    before = expected(made, truth)
    inverse = np.linalg.inv(np.array(truth.matrix()))
    x_um, y_um = inverse @ np.array([40.0, 24.0])
    made.stage_um = (float(x_um), float(y_um), 0.0)
    after = expected(made, truth)
    assert np.allclose(after[24:, 40:], before[:-24, :-40], rtol=1e-6)
    assert not np.allclose(after, before, rtol=1e-3)


def test_the_substrate_belongs_to_the_sample() -> None:
    assert np.array_equal(expected(lit(world(0))), expected(lit(world(1))))


def test_contrast_falls_with_defocus() -> None:
    made, contrast = lit(world()), list[float]()
    for z_um in (0.0, 0.4, 0.8, 1.6, 3.2):
        made.stage_um = (0.0, 0.0, z_um)
        picture = expected(made)
        contrast.append(float(np.std(np.diff(picture, axis=0)) / picture.mean()))
    assert contrast == sorted(contrast, reverse=True)
    assert contrast[-1] < 0.4 * contrast[0]


def test_dots_stand_where_the_optics_put_them() -> None:
    made = world()
    made.table.laser_on = made.table.shutter_open = True
    made.table.spread(50.0)
    picture = expected(made, replace(QUIET, long_pass_density=30.0))
    angle, scale = math.radians(QUIET.rotation_deg), QUIET.um_per_pixel
    x = (math.cos(angle) * 3.0 - math.sin(angle) * 4.0) / scale
    y = -(math.sin(angle) * 3.0 + math.cos(angle) * 4.0) / scale
    second = round(QUIET.laser_spot_x_px + x) - 400, round(QUIET.laser_spot_y_px + y) - 250
    around = picture[second[1] - 12 : second[1] + 13, second[0] - 12 : second[0] + 13]
    assert np.unravel_index(int(np.argmax(around)), around.shape) == (12, 12)
    # All of the dot's light, and nothing else but the laser through the long-pass filter.
    dot_e = made.emitted_hz("A2", 0.0) * QUIET.throughput_rel * QUIET.quantum_efficiency * 0.1
    assert around.sum() == pytest.approx(dot_e, rel=0.01)


def test_the_wide_field_has_the_same_power() -> None:
    made = world()
    before = made.laser_photons_hz(), made.laser_power_w(), made.peak_uj_cm2()
    made.table.spread(24.0)
    assert made.laser_photons_hz() == pytest.approx(before[0])
    assert made.laser_power_w() == pytest.approx(before[1])
    assert made.peak_uj_cm2() == pytest.approx(before[2] / 100.0)


def test_laser_light_needs_the_long_pass_out() -> None:
    """All of it that comes through the grey filters, at the true place."""
    made = world()
    made.table.laser_on = made.table.shutter_open = True
    truth = ImagingTruth(dark_e_s=0.0, glow_e_s=0.0)
    made.table.imaging_density = 2.5
    bright = expected(made, truth)
    rows, columns = np.mgrid[250:762, 400:912]
    assert np.average(columns, weights=bright) == pytest.approx(truth.laser_spot_x_px, abs=0.05)
    assert np.average(rows, weights=bright) == pytest.approx(truth.laser_spot_y_px, abs=0.05)
    share = truth.reflection_rel * truth.throughput_rel * truth.quantum_efficiency * 10.0**-2.5
    assert bright.sum() == pytest.approx(0.1 * made.laser_photons_hz() * share, rel=0.01)


def test_noise_is_that_of_the_camera() -> None:
    """Variance against mean in counts: shot noise over the conversion, read noise and rounding."""
    made = lit(world())
    truth = ImagingTruth(led_sd_um=1e6)
    sensor = ImagingSensor(made, truth, "camera")
    arguments: dict[str, Any] = {"start_s": 0.0, "exposure_s": 0.05, "gain": 2.0, "region": REGION}
    frames = np.stack([sensor.render(frame=n, **arguments) for n in range(4)]).astype(np.float64)
    factor = 2.0 / truth.electrons_per_count
    light = frames.mean() - truth.bias_counts
    variance = float(frames.var(axis=0, ddof=1).mean())
    floor = (truth.read_noise_e * factor) ** 2 + 1.0 / 12.0
    assert variance == pytest.approx(light * factor + floor, rel=0.02)
    again = sensor.render(frame=0, **arguments)
    assert np.array_equal(again, frames[0])
