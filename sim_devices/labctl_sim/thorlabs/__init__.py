"""Thorlabs instruments."""

from labctl_sim.thorlabs.pm100d import Pm100d
from labctl_sim.thorlabs.sc10 import Sc10

__all__ = ["Pm100d", "Sc10"]
