"""Simulated PicoQuant MultiHarp150 beneath its vendor library."""

from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.picoquant._faces import mhlib
from labctl_sim.picoquant._models import MULTIHARP_150, Model
from labctl_sim.picoquant._simulator import PicoquantSimulator

__all__ = ["MultiHarp150"]


class MultiHarp150(PicoquantSimulator):
    """One module; see `PicoquantSimulator`."""

    model: ClassVar[Model] = MULTIHARP_150
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **PicoquantSimulator.truth_defaults,
        "timing_rms_ps": MULTIHARP_150.rms_ps,
    }

    face = staticmethod(mhlib)
