"""The light that each dot of the sample has absorbed, wherever in the spot it was."""

import numpy as np

from labctl_sim.sample import Sample
from labctl_sim.world._populations import mean_excitations
from labctl_sim.world._types import FloatArray


class Doses:
    """Absorbed excitations of each dot."""

    def __init__(self, sample: Sample) -> None:
        """No light has fallen yet."""
        self._sample = sample
        self._number = {name: n for n, name in enumerate(sample.dots)}
        self._places_um = np.array([dot.position_um[:2] for dot in sample.dots.values()])
        self._absorbed = np.zeros(len(self._number))
        self._absorbing: tuple[float, FloatArray] = (0.0, self._absorbed)

    def of(self, name: str) -> float:
        """What a dot had absorbed when light was added last."""
        return float(self._absorbed[self._number[name]])

    def add(
        self,
        peak_uj_cm2: float,
        wavelength_nm: float,
        axis_um: tuple[float, float],
        diameters_1e2_um: tuple[float, float],
    ) -> None:
        """Let light fall, summed over its pulses.

        Args:
            peak_uj_cm2: sum of the peak fluences of all pulses.
            wavelength_nm: of the laser.
            axis_um: where the optical axis is on the sample, in its own coordinates.
            diameters_1e2_um: of the spot along x and y.
        """
        apart = (self._places_um - axis_um) / diameters_1e2_um
        share = np.exp(-8.0 * np.square(apart).sum(axis=1))
        self._absorbed += self._per_uj_cm2(wavelength_nm) * peak_uj_cm2 * share

    def _per_uj_cm2(self, wavelength_nm: float) -> FloatArray:
        """Excitations of each dot per fluence; they are proportional."""
        if self._absorbing[0] != wavelength_nm:
            law, dots = self._sample.laws.excitation, self._sample.dots.values()
            found = np.array([mean_excitations(law, dot, 1.0, wavelength_nm) for dot in dots])
            self._absorbing = (wavelength_nm, found)
        return self._absorbing[1]
