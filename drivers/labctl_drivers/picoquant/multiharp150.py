"""PicoQuant MultiHarp 150 and 160 through the vendor's library.

Source: the vendor's MHLib header and demos, version 3.1. Tried against the simulated library only.
"""

from typing import ClassVar

from labctl.roles import Settings
from labctl_drivers.picoquant._models import MULTIHARP_150, Module
from labctl_drivers.picoquant._settings import ModuleSettings
from labctl_drivers.picoquant._tagger import PicoquantTagger

__all__ = ["MultiHarp150", "MultiHarp150Settings"]


class MultiHarp150Settings(ModuleSettings):
    """Keys of the driver's block; see ``ModuleSettings``."""

    module: ClassVar[Module] = MULTIHARP_150


class MultiHarp150(PicoquantTagger):
    """A MultiHarp 150 with 4 or 8 inputs, or a MultiHarp 160 with 16 to 64."""

    settings_type: ClassVar[type[Settings]] = MultiHarp150Settings
    module: ClassVar[Module] = MULTIHARP_150
