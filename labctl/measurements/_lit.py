"""Onto what excitation falls, and how much of it the dots there get: an estimate of their dose."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ASSUMED", "Fallen", "Lit", "Onto"]

ASSUMED = (
    "round Gaussian spot of the calibrated size; dots in focus and where they were found; of the"
    " time that light was let in, each pixel of a line had the same share"
)
"""What the dose of a dot rests on besides fluence, repetition rate and size of the spot."""

_PLACE_UM = 0.1
"""Pixels and dots lie about so far from where they are believed to (tolerance of open loops)."""


@dataclass(frozen=True, eq=False)
class Lit:
    """Places that were lit, each for the same share of the time.

    Attributes:
        places_um: Where the stage was, um, shape (place, 2).
        wide: Whether a lens had spread the light over a wide field.
    """

    places_um: NDArray[np.float64]
    wide: bool = False


Onto = Callable[[], Lit]


@dataclass(frozen=True, eq=False)
class Fallen:
    """Light that has fallen.

    Attributes:
        rows: For each place x and y of the stage, um, the peak fluence summed over all pulses,
            uJ/cm², and the 1/e² diameter of the spot, um; shape (place, 4), float64.
        fluence_error_rel: Relative standard error of the fluence; None: not known.
        spot_error_rel: The same of the diameter.
    """

    rows: NDArray[np.float64]
    fluence_error_rel: float | None = None
    spot_error_rel: float | None = None

    def on_uj_cm2(self, place_um: tuple[float, float], *, scale: float = 1.0) -> float:
        """Return the fluence, summed over all pulses, on a dot in the spot at a place, uJ/cm².

        That of a Gaussian spot, J0 exp(-8 r² / d²), d the 1/e² diameter times ``scale``.
        """
        x_um, y_um, peak_uj_cm2, diameter_um = self.rows.T
        square = (x_um - place_um[0]) ** 2 + (y_um - place_um[1]) ** 2
        share = np.exp(-8.0 * square / (scale * diameter_um) ** 2)
        return float(np.sum(peak_uj_cm2 * share))

    def error_uj_cm2(self, place_um: tuple[float, float]) -> float | None:
        """Return the standard error of that, uJ/cm²; None: that of fluence or spot is not known."""
        if self.fluence_error_rel is None or self.spot_error_rel is None:
            return None
        x_um, y_um = place_um
        found = self.on_uj_cm2(place_um)
        beside = (
            self.on_uj_cm2(place_um, scale=1.0 + self.spot_error_rel),
            self.on_uj_cm2((x_um + _PLACE_UM, y_um)),
            self.on_uj_cm2((x_um, y_um + _PLACE_UM)),
        )
        parts = [self.fluence_error_rel * found, *(value - found for value in beside)]
        return float(np.linalg.norm(parts))
