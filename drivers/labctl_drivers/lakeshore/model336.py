"""Lake Shore Model 336 temperature controller (TCP 7777, USB, GPIB).

Facts: manual of the Model 336 (rev. 2.3), chapter 6.
"""

from typing import ClassVar

from labctl_drivers.lakeshore._controller import LakeShore, LakeShoreSettings

__all__ = ["Model336", "Model336Settings"]


class Model336Settings(LakeShoreSettings):
    """Keys of a Model 336 in the set-up file."""


class Model336(LakeShore):
    """Driver of the Model 336."""

    settings_type = Model336Settings
    model: ClassVar[str] = "MODEL336"
    inputs: ClassVar[str] = "ABCD"
