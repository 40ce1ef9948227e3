"""The lifetime while photons still come in: one exponential behind the measured response."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Irf, TimingConfiguration, fit_decay, irf_from_record
from labctl.errors import AnalysisError
from labctl.measurements._context import Context

__all__ = ["LiveFit", "irf_in_force", "irf_key", "live_fit"]

_FEWEST = 200
"""Counts below which a live fit says nothing."""


@dataclass(frozen=True, eq=False)
class LiveFit:
    """A lifetime with its standard error, ps, and what the fit expects.

    Attributes:
        lifetime_ps: Of one exponential.
        error_ps: Its standard error.
        expected: Counts per bin, shape (bin,) as the histogram; NaN where nothing was fitted.
    """

    lifetime_ps: float
    error_ps: float
    expected: NDArray[np.float64]

    def facts(self) -> dict[str, float]:
        """Return value and error as they are told to displays."""
        return {"lifetime_ps": self.lifetime_ps, "lifetime_error_ps": self.error_ps}


def irf_key(detector: str, spectrograph: Mapping[str, Any]) -> str:
    """Return the name under which the IRF of a detector is kept, e.g. ``apd_1 300/mm side``."""
    if not spectrograph:
        return detector
    return f"{detector} {spectrograph['lines_per_mm']:g}/mm {spectrograph['exit']}"


def irf_in_force(
    context: Context, detector: str, spectrograph: Mapping[str, Any], bin_ps: float
) -> Irf | None:
    """Return the response of a detector as the spectrograph stands; None: none of such bins."""
    found = context.calibrations.get("irf", {}).get(irf_key(detector, spectrograph))
    if found is None or found["bin_ps"] != bin_ps:
        return None
    return irf_from_record(found)


def live_fit(
    context: Context,
    counts: NDArray[np.int64],
    irf: Irf | None,
    detector: str,
    spectrograph: Mapping[str, Any],
) -> LiveFit | None:
    """Fit the counts of one detector; None: there is no response, or too little light.

    Args:
        context: Knows the laser.
        counts: Of one period, shape (bin,).
        irf: Its response in the same bins.
        detector: Name of the detector.
        spectrograph: How the spectrograph stands; empty without one.
    """
    if irf is None or counts.sum() < _FEWEST:
        return None
    laser = context.table.laser
    try:
        fit = fit_decay(
            counts.astype(np.float64),
            irf.bin_ps,
            irf,
            model="mono",
            period_ps=1e12 / laser.rep_rate_hz if laser and laser.rep_rate_hz else None,
            configuration=TimingConfiguration(
                bin_ps=irf.bin_ps,
                grating_per_mm=spectrograph.get("lines_per_mm"),
                detector=detector,
                wavelength_nm=spectrograph.get("wavelength_nm"),
            ),
        )
    except AnalysisError:
        return None
    expected = np.full(len(counts), np.nan)
    first = round(fit.window_ps[0] / irf.bin_ps)
    model = fit.model_counts[: max(len(counts) - first, 0)]
    expected[first : first + len(model)] = model
    return LiveFit(fit.lifetime_ps.value, fit.lifetime_ps.error, expected)
