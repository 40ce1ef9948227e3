"""Simulated PicoQuant PicoHarp300 beneath its vendor library."""

from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.picoquant._faces import phlib
from labctl_sim.picoquant._models import PICOHARP_300, Model
from labctl_sim.picoquant._simulator import PicoquantSimulator

__all__ = ["PicoHarp300"]


class PicoHarp300(PicoquantSimulator):
    """One module; see `PicoquantSimulator`."""

    model: ClassVar[Model] = PICOHARP_300
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **PicoquantSimulator.truth_defaults,
        "timing_rms_ps": PICOHARP_300.rms_ps,
    }

    face = staticmethod(phlib)
