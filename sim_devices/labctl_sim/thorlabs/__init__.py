"""Thorlabs instruments."""

from labctl_sim.thorlabs.sc10 import Sc10

__all__ = ["Sc10"]
