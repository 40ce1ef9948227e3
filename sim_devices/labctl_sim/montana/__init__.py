"""Montana Instruments cryostats: the legacy Cryostation over TCP and the s-series over REST."""

from labctl_sim.montana.cryostation import Cryostation
from labctl_sim.montana.s_series import SSeries

__all__ = ["Cryostation", "SSeries"]
