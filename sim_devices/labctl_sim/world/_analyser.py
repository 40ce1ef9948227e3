"""The polarization that is let through on the way to the grating."""

from typing import NamedTuple

from labctl_sim.world._collection import malus


class Analyser(NamedTuple):
    """What stands in the collection path; directions count from x, across the grooves."""

    passes_deg: float | None = None
    """Direction of polarization that passes; None: there is no analyser."""
    leaves_deg: float | None = None
    """Direction of the light behind it if that is fixed (a polarizer that stands still behind a
    turning half-wave plate); None: the direction that passes."""
    depolarised: bool = False
    """A depolariser stands behind."""

    def passed_rel(self, dipole_deg: float | None, extinction_rel: float) -> float:
        """Share of a line's light that passes: Malus, one half for unpolarized light."""
        if self.passes_deg is None:
            return 1.0
        return 0.5 if dipole_deg is None else malus(self.passes_deg, dipole_deg, extinction_rel)

    def behind_deg(self, dipole_deg: float | None) -> float | None:
        """Direction of the light behind; None: unpolarized."""
        if self.depolarised:
            return None
        if self.passes_deg is None:
            return dipole_deg
        return self.passes_deg if self.leaves_deg is None else self.leaves_deg
