"""Simulated Lake Shore Model 335."""

from typing import ClassVar

from labctl_sim.lakeshore._controller import LakeShore

__all__ = ["Model335"]


class Model335(LakeShore):
    """A Model 335; see `LakeShore`."""

    model: ClassVar[str] = "MODEL335"
    inputs: ClassVar[str] = "AB"
