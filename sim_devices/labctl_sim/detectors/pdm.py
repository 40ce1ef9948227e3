"""Simulated MPD PDM: thin-junction silicon avalanche photodiode."""

from labctl_sim.detectors._apd import ApdSimulator

__all__ = ["Pdm"]


class Pdm(ApdSimulator):
    """An MPD PDM; see `ApdSimulator`."""
