"""From electrons to numbers: electron-multiplying register, amplifier, converter."""

import numpy as np

from labctl_sim.world._types import CountArray, FloatArray

FULL_SCALE_ADU = 65535


def multiply(electrons: FloatArray, gain: float, rng: np.random.Generator) -> FloatArray:
    """Electrons behind the register for whole numbers of electrons before it.

    n + Gamma(shape n (g-1)/g, scale g): mean n g, variance n g (g-1). With Poissonian n the
    excess noise factor is 2 - 1/g: 1 without gain and 2 at high gain, where this becomes
    Gamma(n, g) (Basden, Haniff, Mackay, MNRAS 345, 985 (2003); Robbins and Hadwen, IEEE Trans.
    Electron Devices 50, 1227 (2003)).
    """
    if gain <= 1.0:
        return electrons
    shape = electrons * ((gain - 1.0) / gain)
    return electrons + rng.standard_gamma(shape) * gain


def digitize(
    electrons: FloatArray,
    *,
    read_noise_e: float,
    electrons_per_adu: float,
    bias_adu: float,
    rng: np.random.Generator,
) -> CountArray:
    """Add read noise and bias, round to whole numbers, clip to 16 bit."""
    noisy = electrons + read_noise_e * rng.standard_normal(electrons.shape)
    adu = np.rint(noisy / electrons_per_adu + bias_adu)
    return np.clip(adu, 0, FULL_SCALE_ADU).astype(np.uint16)
