"""The library object of each kind of module; apart, so that a process can have it without a world.

``call`` leads to ``call`` of a module.
"""

from labctl_sim.libraries import VendorLibrary, breakable
from labctl_sim.picoquant._face import Call, picoquant_library
from labctl_sim.picoquant._functions import (
    HH_FUNCTIONS,
    MH_FUNCTIONS,
    PH330_FUNCTIONS,
    PH_FUNCTIONS,
)

__all__ = ["hhlib", "mhlib", "ph330lib", "phlib"]


@breakable
def phlib(call: Call) -> VendorLibrary:
    """Build PHLib."""
    return picoquant_library("PH", PH_FUNCTIONS, call)


@breakable
def hhlib(call: Call) -> VendorLibrary:
    """Build HHLib."""
    return picoquant_library("HH", HH_FUNCTIONS, call)


@breakable
def mhlib(call: Call) -> VendorLibrary:
    """Build MHLib."""
    return picoquant_library("MH", MH_FUNCTIONS, call)


@breakable
def ph330lib(call: Call) -> VendorLibrary:
    """Build PH330Lib."""
    return picoquant_library("PH330", PH330_FUNCTIONS, call)
