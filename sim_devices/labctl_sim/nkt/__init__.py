"""NKT Photonics lasers."""

from labctl_sim.nkt.superk import SuperK

__all__ = ["SuperK"]
