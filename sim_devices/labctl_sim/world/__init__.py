"""The simulated physical world: sample, light path, detectors, cryostat.

Laws and numbers stand in one small module each, with their source; nothing here knows a
protocol or an instrument's words.
"""

from labctl_sim.world._analyser import Analyser
from labctl_sim.world._emccd import Emccd
from labctl_sim.world._emccd_truth import EmccdTruth
from labctl_sim.world._followed import Followed
from labctl_sim.world._interferometer import Interferometer
from labctl_sim.world._lamps import LAMPS
from labctl_sim.world._laser_head import LASER_DEFAULTS, LaserHead
from labctl_sim.world._piezo import PiezoAxis, PiezoTruth
from labctl_sim.world._power import PowerSensor
from labctl_sim.world._recorded import Recorded, recorded_problems
from labctl_sim.world._spectrograph import DEFAULT_SLIT_UM, SpectrographState, SpectrographTruth
from labctl_sim.world._table import LaserTruth, Table
from labctl_sim.world._thermal import Thermal, ThermalTruth
from labctl_sim.world._truth import truth_defaults
from labctl_sim.world._world import World

__all__ = [
    "DEFAULT_SLIT_UM",
    "LAMPS",
    "LASER_DEFAULTS",
    "Analyser",
    "Emccd",
    "EmccdTruth",
    "Followed",
    "Interferometer",
    "LaserHead",
    "LaserTruth",
    "PiezoAxis",
    "PiezoTruth",
    "PowerSensor",
    "Recorded",
    "SpectrographState",
    "SpectrographTruth",
    "Table",
    "Thermal",
    "ThermalTruth",
    "World",
    "recorded_problems",
    "truth_defaults",
]
