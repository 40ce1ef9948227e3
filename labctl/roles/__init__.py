"""Roles: what a kind of instrument can do, whoever made it.

A driver derives from one of these classes and writes its few abstract methods. Limits, unit
checks, read-back, settle rules and safe states are here, once.
"""

from labctl.roles._attenuator import Attenuator
from labctl.roles._base import (
    Identity,
    Instrument,
    SafeAction,
    Settable,
    SettableSpec,
    Settings,
)
from labctl.roles._camera import Camera, CameraSettings, Frame, Roi
from labctl.roles._composite import Composite
from labctl.roles._cryostat import Cryostat
from labctl.roles._delay_stage import DelaySettings, DelayStage
from labctl.roles._edge_filter import EdgeFacts, EdgeFilter, EdgeShape
from labctl.roles._filter import OpticalFilter, PolarizationAnalyser
from labctl.roles._illuminator import Illuminator
from labctl.roles._imaging_camera import ImagingCamera, ImagingSettings
from labctl.roles._lamp import Lamp
from labctl.roles._laser import INTENSITY, Laser
from labctl.roles._limits import Limits
from labctl.roles._photon_counter import DetectorFacts, DetectorWiring, PhotonCounter
from labctl.roles._positioner import Positioner
from labctl.roles._positioner_axis import AxisFacts, AxisSettings, LineMarker, PositionerSettings
from labctl.roles._power_meter import PowerMeter, PowerTrust
from labctl.roles._pulse_counter import PulseCounter
from labctl.roles._rotator import Rotator
from labctl.roles._rules import LimitRule
from labctl.roles._selector import Selector
from labctl.roles._settle import SettleRule, SettleWatch
from labctl.roles._shutter import Shutter
from labctl.roles._source_meter import BiasSettings, SourceMeter
from labctl.roles._spectrograph import Grating, Spectrograph
from labctl.roles._temperature_controller import TemperatureController
from labctl.roles._thermostat import Thermostat
from labctl.roles._time_tagger import Mode, TaggerFlags, TaggerSettings, TimeTagger

__all__ = [
    "INTENSITY",
    "Attenuator",
    "AxisFacts",
    "AxisSettings",
    "BiasSettings",
    "Camera",
    "CameraSettings",
    "Composite",
    "Cryostat",
    "DelaySettings",
    "DelayStage",
    "DetectorFacts",
    "DetectorWiring",
    "EdgeFacts",
    "EdgeFilter",
    "EdgeShape",
    "Frame",
    "Grating",
    "Identity",
    "Illuminator",
    "ImagingCamera",
    "ImagingSettings",
    "Instrument",
    "Lamp",
    "Laser",
    "LimitRule",
    "Limits",
    "LineMarker",
    "Mode",
    "OpticalFilter",
    "PhotonCounter",
    "PolarizationAnalyser",
    "Positioner",
    "PositionerSettings",
    "PowerMeter",
    "PowerTrust",
    "PulseCounter",
    "Roi",
    "Rotator",
    "SafeAction",
    "Selector",
    "Settable",
    "SettableSpec",
    "Settings",
    "SettleRule",
    "SettleWatch",
    "Shutter",
    "SourceMeter",
    "Spectrograph",
    "TaggerFlags",
    "TaggerSettings",
    "TemperatureController",
    "Thermostat",
    "TimeTagger",
]
