"""How far the steps of a slip-stick axis lead, from ways of equally many of them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["StepSize", "measure_step_size"]

_FEWEST = 5
_STUCK_SDS = 6.0
_STUCK_REL = 0.05
"""Ways that are shorter than the median by less are not told from scatter."""
_LARGEST_SCATTER = 0.3


@dataclass(frozen=True)
class StepSize:
    """Mean size of a step in one direction.

    Attributes:
        um: The size, a positive number, um; the error is by the scatter of the ways.
        left_out: Ways on which the axis has stuck.
    """

    um: Measured
    left_out: int


def measure_step_size(ways_um: NDArray[np.float64], steps: int) -> StepSize:
    """Find the size of a step from ways of ``steps`` steps each, all in one direction.

    An axis that sticks makes its way shorter, never longer: a way that is shorter than the median
    by more than six times the scatter of those above it, and by 5 %, is left out. The standard
    error is multiplied by sqrt((n - 1) / (n - 3)), so that it is that of Student's distribution.

    Args:
        ways_um: How far each way has led in its direction, um, shape (way,).
        steps: Steps of each.

    Raises:
        AnalysisError: Fewer than 5 good ways, or they do not lead anywhere.
    """
    median_um = float(np.median(ways_um))
    if not median_um > 0.0:
        message = f"{steps} steps lead {median_um:.3f} um: the axis does not move, or the wrong way"
        raise AnalysisError(message)
    above_um = ways_um[ways_um >= median_um] - median_um
    usual_um = math.sqrt(float(np.mean(above_um**2)))
    allowed_um = max(_STUCK_SDS * usual_um, _STUCK_REL * median_um)
    good = ways_um[median_um - ways_um <= allowed_um]
    if good.size < _FEWEST:
        message = f"{good.size} good ways of {ways_um.size} are too few; {_FEWEST} are needed"
        raise AnalysisError(message)
    scatter_um = float(good.std(ddof=1))
    if scatter_um > _LARGEST_SCATTER * median_um:
        message = f"ways of {steps} steps scatter by {scatter_um:.2f} um about {median_um:.2f} um"
        raise AnalysisError(message)
    error_um = scatter_um / math.sqrt(good.size) * math.sqrt((good.size - 1) / (good.size - 3))
    size = Measured(float(good.mean()), error_um).scaled(1.0 / steps)
    return StepSize(size, int(ways_um.size - good.size))
