"""Analyser that stands still, behind a half-wave plate on a rotation mount."""

from labctl.roles import Limits, SettableSpec
from labctl_drivers.optics._axis import Axis, AxisSettings

__all__ = ["HalfWaveAnalyser", "HalfWaveAnalyserSettings"]


class HalfWaveAnalyserSettings(AxisSettings):
    """Keys of a half-wave analyser in the set-up file.

    Attributes:
        rotator: The mount that turns the half-wave plate.
        slide: Selector that moves both in and out of the light; empty: they always stand in it.
        slide_position: Position of the selector in which they stand in the light.
        zero: Angle of the mount at which light of 0 deg passes, deg.
    """


class HalfWaveAnalyser(Axis):
    """Driver of a half-wave analyser; the direction turns twice as fast as the plate.

    Whatever direction is chosen, the light behind has the direction of the fixed polarizer, so
    that the gratings have no part in a sweep.
    """

    what = "half-wave plate before a fixed polarizer"
    optical_per_mechanical = 2.0
    remedy = "fixed_analyser"
    settings_type = HalfWaveAnalyserSettings
    settables = {"angle": SettableSpec("deg", Limits(0.0, 360.0), 120.0, 0.2)}
