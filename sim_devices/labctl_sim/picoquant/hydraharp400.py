"""Simulated PicoQuant HydraHarp400 beneath its vendor library."""

from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.picoquant._faces import hhlib
from labctl_sim.picoquant._models import HYDRAHARP_400, Model
from labctl_sim.picoquant._simulator import PicoquantSimulator

__all__ = ["HydraHarp400"]


class HydraHarp400(PicoquantSimulator):
    """One module; see `PicoquantSimulator`."""

    model: ClassVar[Model] = HYDRAHARP_400
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **PicoquantSimulator.truth_defaults,
        "timing_rms_ps": HYDRAHARP_400.rms_ps,
    }

    face = staticmethod(hhlib)
