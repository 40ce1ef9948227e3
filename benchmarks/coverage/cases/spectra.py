"""E01 and the spectral half of E04: one spectrum, and a temperature series of ten."""

import math
from functools import lru_cache

from benchmarks.coverage import Case, Observation, observed
from benchmarks.rendered import TEMPERATURES_K, LawTruth, RenderedSeries, render_series
from labctl.analysis import Measured
from labctl.results import RunAnalysis, analyze_spectra

__all__ = ["CASES"]

_WIDTHS = ("energy", "fwhm_observed", "fwhm_intrinsic")
_SPECTRUM = ("peak_energy", "fwhm_observed", "fwhm_intrinsic", "area")
_LAWS = (
    "gamma_0", "sigma", "gamma_lo", "e_lo",
    "energy_4k", "shift_a", "shift_b", "shift_e_ph", "blue_shift",
)  # fmt: skip
_NOTHING = Measured(math.nan, math.nan)


# More than one, so that cases that are run one after the other share what was rendered.
@lru_cache(maxsize=16)
def _series(seed: int) -> RenderedSeries:
    return render_series(seed)


def _observe_spectrum(seed: int) -> dict[str, Observation]:
    series = _series(seed)
    truth = series.truths[0]
    truths = {
        "peak_energy": truth.energy_ev,
        "fwhm_observed": truth.fwhm_observed_mev,
        "fwhm_intrinsic": truth.fwhm_intrinsic_mev,
        "area": truth.area_electrons,
    }
    return _results(analyze_spectra(series.spectra[:1], "one spectrum"), truths)


def _observe_series(seed: int) -> dict[str, Observation]:
    series = _series(seed)
    analysis = analyze_spectra(series.spectra, "temperature series")
    return _of_points(analysis, series) | _of_laws(analysis, series.laws)


def _results(analysis: RunAnalysis, truths: dict[str, float]) -> dict[str, Observation]:
    found = {result.quantity: result.measured for result in analysis.results}
    return {name: observed(found.get(name, _NOTHING), truth) for name, truth in truths.items()}


def _of_points(analysis: RunAnalysis, series: RenderedSeries) -> dict[str, Observation]:
    found: dict[str, Observation] = {}
    for point, truth in zip(analysis.points, series.truths, strict=True):
        fit = point.fit
        measured = (
            (point.energy_ev or _NOTHING, truth.energy_ev),
            (fit.fwhm_observed_mev if fit else _NOTHING, truth.fwhm_observed_mev),
            (fit.lorentz_fwhm_mev if fit else _NOTHING, truth.fwhm_intrinsic_mev),
        )
        for name, one in zip(_WIDTHS, measured, strict=True):
            found[_at(name, point.spectrum.temperature_set_k or math.nan)] = observed(*one)
    return found


def _at(name: str, temperature_k: float) -> str:
    return f"{name} at {temperature_k:g} K"


def _of_laws(analysis: RunAnalysis, laws: LawTruth) -> dict[str, Observation]:
    reads = [point.spectrum.temperature_k or _NOTHING for point in analysis.points]
    cold, warm = (laws.shift_mev(read.value) for read in (reads[0], reads[-1]))
    truths = {
        "gamma_0": laws.gamma_0_mev,
        "sigma": laws.sigma_mev_per_k,
        "gamma_lo": laws.gamma_lo_mev,
        "e_lo": laws.e_lo_mev,
        "energy_4k": laws.energy_4k_ev,
        "shift_a": laws.a_mev_per_k,
        "shift_b": laws.b_mev,
        "shift_e_ph": laws.e_ph_mev,
        "blue_shift": warm - cold,
    }
    return _results(analysis, truths)


_GIVEN = """\
For each seed the world's renderer makes lamp frames, from which the calibrations are made, and
spectra of one dot{at}; the analysis gets what a set-up would know and nothing else.
"""

_TRUE_SPECTRUM = """
What counts as true: of the strongest line on the sensor, averaged over the exposure; the line
wanders (spectral diffusion). `fwhm_intrinsic` is the homogeneous width at the temperature of the
dot, which the light warms a little above the thermometer.
"""

_TRUE_LAWS = """
Of the laws, the parameters of the sample count as true. `energy_4k` is the law at 4 K without
wandering; `blue_shift` is the law between the coldest and the warmest reading.

Errors of the laws: coupling and energy of a phonon go together along a bent valley; the standard
error is the root mean square of the distances to both ends (chi-square + 1). How far the line
wanders is estimated from the six degrees of freedom of the series itself; the errors are widened
so that 1.96 of them are the 95 % interval of Student's t.

What limits it:

- The tails of the pulls of `shift_a`, `shift_b`, `shift_e_ph` are those of Student's t or longer:
  a series whose points happen to lie close to a wrong curve looks as if its line did not wander.
  Of 3000 synthetic series with the wandering of this world (0.05 meV) the pulls of these three
  scatter by 1.01 to 1.11, 71 to 80 % of the truths lie within one standard error and 93 to 95 %
  within 1.96; 1.1 to 2.2 % lie beyond three (Student's t: 1.0 %). One row of 100 such series in
  about 13 has a standard deviation above 1.3. Each series far out (17 of 400 were looked at one by
  one) seemed to wander by 0.01 to 0.04 meV only. Errors taken from where chi-square has grown by
  3.84, or from a posterior with flat priors, were tried and are less honest (86 % instead of 68 %,
  and biased). Ten spectra do not tell more of the wandering; spectra repeated at one temperature
  would, if they are further apart than the line remembers (300 s here): closer ones move together,
  which the fit does not know (of two spectra 180 s apart the pulls scatter by 1.4).
- `energy at 30 K` scattered by 1.12 standard errors for seeds 0 to 99 and 1.20 for 1000 to 1099,
  where it was outside. That is chance: for seeds 2000 to 2128 it scatters by 0.89 (71 % and 97 %),
  and by 1.06 for all 329 together.
- The analysis is given the fluence and adds half of an assumed warming by the light (0 to 0.4 K
  per uJ/cm^2 at 4 K). The upper end is an assumption that the simulated world shares, not a
  measurement.
"""

CASES = (
    Case(
        name="spectrum",
        experiment="E01",
        quantities=_SPECTRUM,
        observe=_observe_spectrum,
        about=_GIVEN.format(at=" at 4 K") + _TRUE_SPECTRUM,
    ),
    Case(
        name="temperature-series",
        experiment="E04",
        quantities=(*(_at(name, t) for t in TEMPERATURES_K for name in _WIDTHS), *_LAWS),
        observe=_observe_series,
        about=_GIVEN.format(at=" at ten temperatures") + _TRUE_SPECTRUM + _TRUE_LAWS,
    ),
)
