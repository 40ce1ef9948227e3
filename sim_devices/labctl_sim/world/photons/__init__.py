"""Streams of detected photons: what a time-tagging module sees of the world."""

from labctl_sim.world.photons._cells import Grid
from labctl_sim.world.photons._jit import jit
from labctl_sim.world.photons._sorting import Times

__all__ = ["Grid", "Times", "jit"]
