"""Samples: named dots and the laws of their material, read from plain data with units."""

from labctl_sim.sample._dot import (
    Bleaching,
    Blinking,
    Diffusion,
    Dot,
    Interference,
    Orientation,
    Stark,
    Superlattice,
)
from labctl_sim.sample._laws import (
    Binding,
    Broadening,
    Decay,
    Excitation,
    FineStructure,
    Laws,
    Mode,
    PhaseTransition,
    Quenching,
    Replicas,
    RoomTemperature,
    Sizing,
    ThermalShift,
)
from labctl_sim.sample._load import check_sample, load_sample
from labctl_sim.sample._quantity import magnitude
from labctl_sim.sample._sample import Sample

__all__ = [
    "Binding",
    "Bleaching",
    "Blinking",
    "Broadening",
    "Decay",
    "Diffusion",
    "Dot",
    "Excitation",
    "FineStructure",
    "Interference",
    "Laws",
    "Mode",
    "Orientation",
    "PhaseTransition",
    "Quenching",
    "Replicas",
    "RoomTemperature",
    "Sample",
    "Sizing",
    "Stark",
    "Superlattice",
    "ThermalShift",
    "check_sample",
    "load_sample",
    "magnitude",
]
