"""Refraction of standard air."""

import numpy as np

from labctl_sim.world._types import FloatArray


def air_index(vacuum_nm: FloatArray) -> FloatArray:
    """Index of standard dry air at 15 C, 1013.25 hPa, 450 ppm CO2.

    Ciddor, Appl. Opt. 35, 1566 (1996), equation 1; 1.000278 at 531 nm.
    """
    wavenumber2 = (1e3 / vacuum_nm) ** 2
    far = 5792105e-8 / (238.0185 - wavenumber2)
    near = 167917e-8 / (57.362 - wavenumber2)
    return 1.0 + np.asarray(far + near)
