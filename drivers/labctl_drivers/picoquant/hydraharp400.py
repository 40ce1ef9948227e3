"""PicoQuant HydraHarp 400 through the vendor's library.

Source: the vendor's HHLib header and demos, version 3.0. Tried against the simulated library only.
"""

from typing import ClassVar

from labctl.roles import Settings
from labctl_drivers.picoquant._models import HYDRAHARP_400, Module
from labctl_drivers.picoquant._settings import ModuleSettings
from labctl_drivers.picoquant._tagger import PicoquantTagger

__all__ = ["HydraHarp400", "HydraHarp400Settings"]


class HydraHarp400Settings(ModuleSettings):
    """Keys of the driver's block; see ``ModuleSettings``. Levels are without sign."""

    module: ClassVar[Module] = HYDRAHARP_400


class HydraHarp400(PicoquantTagger):
    """A HydraHarp 400 with 2 to 8 inputs."""

    settings_type: ClassVar[type[Settings]] = HydraHarp400Settings
    module: ClassVar[Module] = HYDRAHARP_400
