"""Streams of detected photons: what a time-tagging module sees of the world.

`Bench` holds the detectors of a world, a `Run` is one acquisition of a module; its stream gives
the events at the module's inputs and does not depend on how often it is asked.
"""

from labctl_sim.world.photons._bench import TICK_S, Bench, Input, Run
from labctl_sim.world.photons._blinking import Dwells, blinking, charging
from labctl_sim.world.photons._cells import Grid
from labctl_sim.world.photons._clicks import Responses
from labctl_sim.world.photons._detector import Apd, ApdTruth
from labctl_sim.world.photons._emit import Timing
from labctl_sim.world.photons._interfering import equalized, interfering
from labctl_sim.world.photons._jit import jit
from labctl_sim.world.photons._light import Light, Source
from labctl_sim.world.photons._models import Paths, PulseModel, bunched, cascade
from labctl_sim.world.photons._sorting import Times
from labctl_sim.world.photons._stream import Chance, PhotonStream, grid_of, short_stream

__all__ = [
    "TICK_S",
    "Apd",
    "ApdTruth",
    "Bench",
    "Chance",
    "Dwells",
    "Grid",
    "Input",
    "Light",
    "Paths",
    "PhotonStream",
    "PulseModel",
    "Responses",
    "Run",
    "Source",
    "Times",
    "Timing",
    "blinking",
    "bunched",
    "cascade",
    "charging",
    "equalized",
    "grid_of",
    "interfering",
    "jit",
    "short_stream",
]
