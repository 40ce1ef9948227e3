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
    """

    remedy: str

    def in_path(self) -> bool:
        """Ask whether it stands in the light."""
        ...

    def read_angle(self) -> float:
        """Return the direction of polarization that passes, deg."""
        ...
