"""Simulated Lake Shore Model 336."""

from typing import ClassVar

from labctl_sim.lakeshore._controller import LakeShore

__all__ = ["Model336"]


class Model336(LakeShore):
    """A Model 336; see `LakeShore`."""

    model: ClassVar[str] = "MODEL336"
    inputs: ClassVar[str] = "ABCD"
