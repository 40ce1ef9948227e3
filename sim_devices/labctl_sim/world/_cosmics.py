"""Cosmic rays."""

import numpy as np

from labctl_sim.world._emccd_truth import EmccdTruth
from labctl_sim.world._types import FloatArray


def add_cosmic_rays(
    electrons: FloatArray,
    truth: EmccdTruth,
    roi: tuple[int, int, int, int],
    exposure_s: float,
    rng: np.random.Generator,
) -> None:
    """Put charge of Poissonian many hits into ``electrons`` (rows, columns), in place.

    Each hit spreads over one to four neighbouring superpixels of its row.
    """
    _, width, _, height = roi
    rows, columns = len(electrons), electrons.size // len(electrons)
    area_cm2 = width * height * (truth.pixel_um * 1e-4) ** 2
    mean = truth.cosmic_rays_per_cm2_min * area_cm2 * exposure_s / 60.0
    for _ in range(int(rng.poisson(mean))):
        row = int(rng.integers(0, rows))
        first = int(rng.integers(0, columns))
        length = int(rng.integers(1, 5))
        shares = rng.standard_exponential(length)
        charge = np.rint(rng.exponential(truth.cosmic_ray_e) * shares / shares.sum())
        track = electrons[row, first : first + length]
        track += charge[: len(track)]
