"""What instruments have in common that stand in the light and stop some of it."""

from typing import Protocol, runtime_checkable

__all__ = ["OpticalFilter"]


@runtime_checkable
class OpticalFilter(Protocol):
    """An instrument whose transmission depends on how it stands, e.g. a turned edge filter."""

    def optical_density(self, wavelength_nm: float) -> float:
        """Return -log10 of its transmission at a wavelength in nm, as it stands at present."""
        ...
