"""Analyser: a linear polarizer on a rotation mount in the collection path."""

from collections.abc import Mapping
from typing import Literal

from labctl.roles import Limits
from labctl.transport import LibraryLink
from labctl_drivers.optics._axis import Axis, AxisSettings

__all__ = ["Analyser", "AnalyserSettings"]


class AnalyserSettings(AxisSettings):
    """Keys of a rotating analyser in the set-up file.

    Attributes:
        rotator: The mount that turns it.
        slide: Selector that moves it in and out of the light; empty: it always stands in it.
        slide_position: Position of the selector in which it stands in the light.
        zero: Angle of the mount at which light of 0 deg passes, deg.
        remedy: What keeps the grating from seeing the polarization turn: a depolariser behind
            the analyser, a reference sweep on unpolarized light (with each sweep, or once for all
            by the calibration ``polarization_response``), or nothing.
    """

    remedy: Literal["none", "depolariser", "reference_sweep"] = "none"


class Analyser(Axis):
    """Driver of a rotating analyser.

    The light behind it turns with it, and gratings pass one polarization better than the other:
    without a remedy a sweep measures mostly the grating.
    """

    what = "polarizer"
    settings_type = AnalyserSettings

    def __init__(
        self, name: str, link: LibraryLink, settings: AnalyserSettings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is believed; ``link`` has nothing to say."""
        super().__init__(name, link, settings, limits)
        self.remedy = settings.remedy
