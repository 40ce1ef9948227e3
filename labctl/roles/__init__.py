"""Roles: what a kind of instrument can do, whoever made it.

A driver derives from one of these classes and writes its few abstract methods. Limits, unit
checks, read-back, settle rules and safe states are here, once.
"""

from labctl.roles._base import (
    Identity,
    Instrument,
    Limits,
    SafeAction,
    Settable,
    SettableSpec,
    Settings,
)
from labctl.roles._camera import Camera, CameraSettings, Frame, Roi
from labctl.roles._cryostat import Cryostat
from labctl.roles._lamp import Lamp
from labctl.roles._settle import SettleRule, SettleWatch
from labctl.roles._shutter import Shutter
from labctl.roles._spectrograph import Grating, Spectrograph

__all__ = [
    "Camera",
    "CameraSettings",
    "Cryostat",
    "Frame",
    "Grating",
    "Identity",
    "Instrument",
    "Lamp",
    "Limits",
    "Roi",
    "SafeAction",
    "Settable",
    "SettableSpec",
    "Settings",
    "SettleRule",
    "SettleWatch",
    "Shutter",
    "Spectrograph",
]
