"""attocube positioners."""

from labctl_sim.attocube.anc300 import Anc300
from labctl_sim.attocube.anc350 import Anc350

__all__ = ["Anc300", "Anc350"]
