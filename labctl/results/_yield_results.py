"""E07: the light of a sample against temperature, as quantum yield."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labctl.analysis import Measured
from labctl.errors import AnalysisError
from labctl.results._given import Given
from labctl.results._points import FittedPoint, combined_frames
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._warnings import summarized

__all__ = ["ANCHOR", "yield_results"]

ANCHOR = "plqy_77k"
"""Name of the absolute yield at 77 K that the analysis is given (dimensionless)."""
_ANCHOR_K = 77.0
_NEAR_K = 2.0
_UNITS = {
    "point": "",
    "temperature": "K",
    "light": "counts",
    "light_error": "counts",
    "relative_yield": "",
    "relative_yield_error": "",
    "plqy": "",
    "plqy_error": "",
}


@dataclass(frozen=True)
class _Light:
    point: FittedPoint
    temperature_k: float
    counts: Measured


def yield_results(points: Sequence[FittedPoint], given: Given) -> list[ExperimentResult]:
    """Return the yield against that at 77 K, and the quantum yield if that is given.

    The light is the sum of all counts of the camera less that of the frames without excitation;
    what the wings of the line send beyond the camera is added by its width. Excitation and
    collection must be the same at all temperatures, and the absorption too.

    Args:
        points: Fitted spectra, each with frames without excitation.
        given: ``plqy_77k`` is the absolute quantum yield at 77 K.

    Raises:
        AnalysisError: No spectrum within 2 K of 77 K, or one without dark frames.
    """
    lights = sorted(map(_light, points), key=lambda one: one.temperature_k)
    anchor = min(lights, key=lambda one: abs(one.temperature_k - _ANCHOR_K))
    if abs(anchor.temperature_k - _ANCHOR_K) > _NEAR_K:
        msg = f"the nearest spectrum to 77 K is at {anchor.temperature_k:.1f} K"
        raise AnalysisError(msg)
    absolute = given.get(ANCHOR)
    ratios = [_ratio(one.counts, anchor.counts, same=one is anchor) for one in lights]
    yields = [None if absolute is None else _product(ratio, absolute) for ratio in ratios]
    tables = (_table(lights, ratios, yields),)
    warnings = list(summarized(text for one in lights for text in one.point.spectrum.warnings))
    if absolute is None:
        warnings.append(f"no quantum yield without that at 77 K: --given '{ANCHOR}=0.74 +- 0.02'")

    def tell(quantity: str, measured: Measured, point: int | None) -> ExperimentResult:
        value, error = measured.value, measured.error
        return ExperimentResult("E07", quantity, value, error, "", point, tables, tuple(warnings))

    found: list[ExperimentResult] = []
    for light, ratio, absolute_yield in zip(lights, ratios, yields, strict=True):
        place = light.point.spectrum.point
        found.append(tell("relative_yield", ratio, place))
        if absolute_yield is not None:
            found.append(tell("plqy", absolute_yield, place))
    found.append(tell("relative_yield_coldest", ratios[0], None))
    if yields[0] is not None:
        found.append(tell("plqy_coldest", yields[0], None))
    return found


def _light(point: FittedPoint) -> _Light:
    spectrum, fit = point.spectrum, point.fit
    if spectrum.dark is None:
        msg = f"point {spectrum.point}: a yield needs frames without excitation ('background: 10')"
        raise AnalysisError(msg)
    if spectrum.temperature_k is None:
        raise AnalysisError(f"point {spectrum.point}: the temperature is not known")
    combined, frames = combined_frames(spectrum), spectrum.noise.frames
    dark = frames * spectrum.dark
    good = combined.usable
    light = np.where(good, combined.counts - dark, 0.0)
    # Neighbouring dark pixels differ by noise alone.
    dark_error = frames * float(np.std(np.diff(spectrum.dark))) / math.sqrt(2)
    variance = spectrum.noise.variance(combined.counts) * combined.variance_scale + dark_error**2
    total = float(light.sum()) * good.size / max(int(good.sum()), 1)
    measured = Measured(total, float(np.sqrt(variance.sum())))
    if fit is not None:
        wing = _outside(point)
        measured = measured.scaled(1 + wing).plus_systematic(total * wing / 3)
    return _Light(point, spectrum.temperature_k.value, measured)


def _outside(point: FittedPoint) -> float:
    """Return the share of a Lorentzian that lies beyond the ends of the camera."""
    fit, axis_nm = point.fit, point.spectrum.wavelength_nm
    if fit is None:
        return 0.0
    energy_ev = 1239.8419843320026 / axis_nm
    ends = (
        float(energy_ev.max()) - fit.energy_ev.value,
        fit.energy_ev.value - float(energy_ev.min()),
    )
    half_ev = max(fit.lorentz_fwhm_mev.value, 0.0) / 2e3
    return math.fsum(half_ev / end for end in ends if end > 0) / math.pi


def _ratio(one: Measured, other: Measured, *, same: bool) -> Measured:
    value = one.value / other.value
    if same:
        return Measured(1.0, 0.0)
    return Measured(
        value, abs(value) * math.hypot(one.error / one.value, other.error / other.value)
    )


def _product(one: Measured, other: Measured) -> Measured:
    value = one.value * other.value
    return Measured(value, math.hypot(one.error * other.value, other.error * one.value))


def _table(
    lights: Sequence[_Light], ratios: Sequence[Measured], yields: Sequence[Measured | None]
) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    for light, ratio, absolute in zip(lights, ratios, yields, strict=True):
        head = (light.point.spectrum.point, light.temperature_k)
        tail = (None, None) if absolute is None else (absolute.value, absolute.error)
        counts = light.counts
        rows.append((*head, counts.value, counts.error, ratio.value, ratio.error, *tail))
    return ResultTable("yields", _UNITS, tuple(rows))
