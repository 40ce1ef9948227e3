"""A recorded spectrum in the place of the sample's light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from labctl_sim.world._types import FloatArray

_KEYS = ("wavelength_nm", "electrons_per_s")


@dataclass(frozen=True, eq=False)
class Recorded:
    """Light as some spectrograph has recorded it.

    It already carries that instrument's line spread and efficiency, so it is shown in electrons,
    without a second blur. Within a recorded pixel it counts as even.
    """

    wavelength_nm: FloatArray
    """Centres of the recorded pixels as the grating sees them, strictly rising; shape (n,)."""
    electrons_per_s: FloatArray
    """Photo-electrons per second in each of these pixels, all rows; shape (n,)."""

    @classmethod
    def read(cls, block: Mapping[str, Any]) -> "Recorded":
        """Read ``wavelength_nm`` and ``electrons_per_s``.

        Raises:
            ValueError: Something is wrong with them; the message says what.
        """
        problems = recorded_problems(block)
        if problems:
            raise ValueError("; ".join(text for _, text in problems))
        wavelength_nm, electrons = (np.asarray(block[key], dtype=np.float64) for key in _KEYS)
        return cls(wavelength_nm, electrons)

    def between(self, edges_nm: FloatArray) -> FloatArray:
        """Electrons per second between neighbouring wavelengths, shape (edges - 1,).

        The sum over edges that enclose the recording is the sum of what was recorded.
        """
        below = np.concatenate(([0.0], np.cumsum(self.electrons_per_s)))
        return np.diff(np.interp(edges_nm, self._edges_nm(), below))

    def _edges_nm(self) -> FloatArray:
        middle = 0.5 * (self.wavelength_nm[1:] + self.wavelength_nm[:-1])
        first = 2.0 * self.wavelength_nm[0] - middle[0]
        last = 2.0 * self.wavelength_nm[-1] - middle[-1]
        return np.concatenate(([first], middle, [last]))


def recorded_problems(block: Mapping[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    """All problems of a recorded spectrum given as plain lists: key and message."""
    problems = [
        ((key,), f"unknown key {key!r}; there are {', '.join(_KEYS)}")
        for key in block
        if key not in _KEYS
    ]
    problems += [((), f"the key {key!r} is missing") for key in _KEYS if key not in block]
    if problems:
        return problems
    columns = {key: _numbers(block[key]) for key in _KEYS}
    wavelength_nm, electrons = columns["wavelength_nm"], columns["electrons_per_s"]
    if wavelength_nm is None or electrons is None:
        wrong = [key for key, values in columns.items() if values is None]
        return [((key,), "must be a list of finite numbers") for key in wrong]
    if len(wavelength_nm) != len(electrons) or len(wavelength_nm) < 2:
        what = f"{len(wavelength_nm)} wavelengths and {len(electrons)} values"
        return [((), f"{what} make no spectrum; at least two of each are needed")]
    if wavelength_nm[0] <= 0.0 or np.any(np.diff(wavelength_nm) <= 0.0):
        problems.append((("wavelength_nm",), "must be positive and rise from pixel to pixel"))
    if np.any(electrons < 0.0):
        problems.append((("electrons_per_s",), "must not be negative"))
    return problems


def _numbers(values: Any) -> FloatArray | None:
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        return None
    try:
        found = np.asarray(cast("Sequence[float]", values), dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return found if found.ndim == 1 and bool(np.all(np.isfinite(found))) else None
