"""PicoQuant PicoHarp 300 through the vendor's library.

Source: the vendor's PHLib header and demos, version 3.0. Tried against the simulated library only.
"""

from typing import ClassVar

from labctl.roles import Settings
from labctl_drivers.picoquant._models import PICOHARP_300, Module
from labctl_drivers.picoquant._settings import ModuleSettings
from labctl_drivers.picoquant._tagger import PicoquantTagger

__all__ = ["PicoHarp300", "PicoHarp300Settings"]


class PicoHarp300Settings(ModuleSettings):
    """Keys of the driver's block; see ``ModuleSettings``. Levels are without sign."""

    module: ClassVar[Module] = PICOHARP_300


class PicoHarp300(PicoquantTagger):
    """A PicoHarp 300 without router: one input, and in T2 the sync input as the second one."""

    settings_type: ClassVar[type[Settings]] = PicoHarp300Settings
    module: ClassVar[Module] = PICOHARP_300
