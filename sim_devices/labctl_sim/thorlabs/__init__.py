"""Thorlabs instruments."""

from labctl_sim.thorlabs.ell14 import Ell14
from labctl_sim.thorlabs.fw102c import Fw102c
from labctl_sim.thorlabs.k10cr1 import K10cr1
from labctl_sim.thorlabs.mff101 import Mff101
from labctl_sim.thorlabs.pm100d import Pm100d
from labctl_sim.thorlabs.sc10 import Sc10

__all__ = ["Ell14", "Fw102c", "K10cr1", "Mff101", "Pm100d", "Sc10"]
