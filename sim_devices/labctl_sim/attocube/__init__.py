"""attocube positioners."""

from labctl_sim.attocube.anc300 import Anc300

__all__ = ["Anc300"]
