"""Lake Shore Model 335 temperature controller (GPIB, or USB as a virtual serial port).

Facts: manual of the Model 335 (rev. 1.6), chapter 6.
"""

from typing import ClassVar

from labctl_drivers.lakeshore._controller import LakeShore, LakeShoreSettings

__all__ = ["Model335", "Model335Settings"]


class Model335Settings(LakeShoreSettings):
    """Keys of a Model 335 in the set-up file."""


class Model335(LakeShore):
    """Driver of the Model 335."""

    settings_type = Model335Settings
    model: ClassVar[str] = "MODEL335"
    inputs: ClassVar[str] = "AB"
