"""Special functions, behind one adapter because scipy carries no types."""

import numpy as np
from scipy import special

from labctl_sim.world._types import FloatArray


def erf(x: FloatArray) -> FloatArray:
    """Error function, element by element, float64."""
    return np.asarray(special.erf(x), dtype=np.float64)


def normal_cdf(x: FloatArray) -> FloatArray:
    """Cumulative standard normal distribution."""
    return np.asarray(special.ndtr(x), dtype=np.float64)
