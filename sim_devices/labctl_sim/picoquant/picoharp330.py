"""Simulated PicoQuant PicoHarp330 beneath its vendor library."""

from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.picoquant._faces import ph330lib
from labctl_sim.picoquant._models import PICOHARP_330, Model
from labctl_sim.picoquant._simulator import PicoquantSimulator

__all__ = ["PicoHarp330"]


class PicoHarp330(PicoquantSimulator):
    """One module; see `PicoquantSimulator`."""

    model: ClassVar[Model] = PICOHARP_330
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **PicoquantSimulator.truth_defaults,
        "timing_rms_ps": PICOHARP_330.rms_ps,
    }

    face = staticmethod(ph330lib)
