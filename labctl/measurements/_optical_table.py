"""What the set-up file says of the laser and of the ways that the light can take."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from labctl.errors import ConfigError, Problem
from labctl.optics import Blocking

__all__ = ["LaserFacts", "OpticalTable"]


@dataclass(frozen=True)
class LaserFacts:
    """What the laser is believed to do; None: not stated.

    Attributes:
        wavelength_nm: Wavelength, nm.
        rep_rate_hz: Pulses per second; None for continuous light.
        spot_1e2_diameter_um: Diameter of the spot where the intensity is 1/e², um.
        peak_fluence_uj_cm2: Fluence in the centre of the spot, uJ/cm².
        spot_uncertainty_um: Standard uncertainty of the diameter, um.
        wide_field_1e2_diameter_um: The diameter with the lens for wide fields in, um.
        polarization_deg: Direction of polarization of its light as the sample sends it back, deg.
        polarization_uncertainty_deg: Standard uncertainty of this direction, deg.
        intensity_percent: Intensity as the laser's own driver counts it, percent of full scale.
    """

    wavelength_nm: float
    spot_1e2_diameter_um: float
    rep_rate_hz: float | None = None
    peak_fluence_uj_cm2: float | None = None
    spot_uncertainty_um: float | None = None
    wide_field_1e2_diameter_um: float | None = None
    polarization_deg: float | None = None
    polarization_uncertainty_deg: float = 0.5
    intensity_percent: float | None = None


@dataclass(frozen=True)
class OpticalTable:
    """Laser and light paths.

    Attributes:
        laser: The excitation.
        paths: Light paths; each maps ``instrument`` or ``instrument.part`` to a position.
        blocking: What keeps laser light from the detectors; None: the set-up says nothing.
    """

    laser: LaserFacts | None = None
    paths: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    blocking: Blocking | None = None

    def path(self, name: str) -> Mapping[str, str]:
        """Return the positions of a light path.

        Raises:
            ConfigError: The set-up has no such path.
        """
        if name not in self.paths:
            known = ", ".join(self.paths) or "none"
            what = f"the set-up has no light path {name!r}"
            raise ConfigError([Problem(what, hint=f"paths: {known}")])
        return self.paths[name]
