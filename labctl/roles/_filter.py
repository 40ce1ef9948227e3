"""What instruments have in common that stand in the light and stop some of it."""

from typing import Protocol, runtime_checkable

__all__ = ["OpticalFilter", "PolarizationAnalyser"]


@runtime_checkable
class OpticalFilter(Protocol):
    """An instrument whose transmission depends on how it stands, e.g. a turned edge filter."""

    def optical_density(self, wavelength_nm: float) -> float:
        """Return -log10 of its transmission at a wavelength in nm, as it stands at present."""
        ...


@runtime_checkable
class PolarizationAnalyser(Protocol):
    """An instrument that lets one direction of polarization pass.

    Attributes:
        remedy: What keeps the gratings behind it from seeing the direction turn, e.g.
            ``fixed output``; ``none``: nothing, so that mostly the grating would be measured.
        name: Its name in the set-up.
        optical_per_mechanical: How far the direction turns with the mount.
    """

    remedy: str
    name: str
    optical_per_mechanical: float

    def in_path(self) -> bool:
        """Ask whether it stands in the light."""
        ...

    def read_angle(self) -> float:
        """Return the direction of polarization that passes, deg."""
        ...

    def mount_zero_deg(self) -> float:
        """Return the believed angle of the mount at which light of 0 deg passes, deg."""
        ...

    def angle_error_deg(self) -> float | None:
        """Return the standard uncertainty of its directions; None: they are only believed."""
        ...

    def extinction(self) -> float | None:
        """Return the transmission across over that along its direction; None: not measured."""
        ...
