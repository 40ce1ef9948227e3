"""Simulated PicoQuant PicoHarp330 beneath its vendor library."""

from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.libraries import VendorLibrary
from labctl_sim.picoquant._face import Call, picoquant_library
from labctl_sim.picoquant._functions import PH330_FUNCTIONS
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

    @staticmethod
    def face(call: Call) -> VendorLibrary:
        """Build the library object; ``call`` leads to ``call`` of a module."""
        return picoquant_library("PH330", PH330_FUNCTIONS, call)
