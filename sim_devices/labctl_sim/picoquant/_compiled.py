"""All compiled code of a module, called once, so that no acquisition waits for the compiler."""

from functools import cache

import numpy as np

from labctl_sim.picoquant._acquisition import Histograms
from labctl_sim.picoquant._records import HYDRA, T2Encoder, T3Encoder
from labctl_sim.world.photons import short_stream

__all__ = ["compile_all"]


@cache
def compile_all() -> None:
    """Run everything on a few photons; instant when the machine code is on disk."""
    stream = short_stream()
    events = stream.until(0.002, end=True)
    fields = np.zeros(8, dtype=np.int64)
    T2Encoder(HYDRA, 1, fields, 0).photons(events)
    encoder = T3Encoder(HYDRA, stream.grid, 1, 0, fields, 0)
    encoder.photons(events)
    encoder.idle(10**10, last=True)
    Histograms(1, 16).add(events, fields, stream.grid, 1, 0, multistop=True, stop_at=None)
