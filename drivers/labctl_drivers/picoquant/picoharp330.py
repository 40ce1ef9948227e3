"""PicoQuant PicoHarp 330 through the vendor's library.

Source: the vendor's PH330Lib header, version 2.0. Tried against the simulated library only.
"""

from typing import ClassVar

from labctl.roles import Settings
from labctl_drivers.picoquant._models import PICOHARP_330, Module
from labctl_drivers.picoquant._settings import ModuleSettings
from labctl_drivers.picoquant._tagger import PicoquantTagger

__all__ = ["PicoHarp330", "PicoHarp330Settings"]


class PicoHarp330Settings(ModuleSettings):
    """Keys of the driver's block; see ``ModuleSettings``."""

    module: ClassVar[Module] = PICOHARP_330


class PicoHarp330(PicoquantTagger):
    """A PicoHarp 330 with 1 to 4 inputs."""

    settings_type: ClassVar[type[Settings]] = PicoHarp330Settings
    module: ClassVar[Module] = PICOHARP_330
