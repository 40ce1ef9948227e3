"""Passive optics in rotation mounts: what they do to the light of the world."""

from labctl_sim.optics.analyser import RotatingAnalyser
from labctl_sim.optics.edge_filter import TiltedEdgeFilter
from labctl_sim.optics.half_wave_analyser import HalfWaveAnalyser
from labctl_sim.optics.waveplate_attenuator import WaveplateAttenuator

__all__ = ["HalfWaveAnalyser", "RotatingAnalyser", "TiltedEdgeFilter", "WaveplateAttenuator"]
