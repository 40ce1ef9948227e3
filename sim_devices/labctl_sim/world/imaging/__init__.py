"""Pictures of the sample: what an imaging camera at the microscope sees.

`ImagingSensor` renders frames; the substrate's structure is fixed to the sample and moves with it.
"""

from labctl_sim.world.imaging._sensor import FULL_SCALE_COUNTS, ImagingSensor
from labctl_sim.world.imaging._truth import ImagingTruth

__all__ = ["FULL_SCALE_COUNTS", "ImagingSensor", "ImagingTruth"]
