"""E24: spectra of one dot through a structural transition."""

import math

from benchmarks.coverage import Case, Observation, observed
from benchmarks.rendered import SAMPLES, Mounted, render_series
from labctl.analysis import Measured
from labctl.results import analyze_spectra
from labctl.setup import load_yaml
from labctl_sim.sample import load_sample

__all__ = ["CASES"]

_TEMPERATURES_K = (
    5.5, 20.0, 40.0, 60.0, 80.0, 100.0, 115.0, 125.0, 132.0, 138.0,
    144.0, 150.0, 156.0, 162.0, 168.0, 175.0, 185.0, 200.0,
)  # fmt: skip
_MOUNTED = Mounted(SAMPLES / "fapbbr3.yaml", "B4")
_LASER = {"peak_fluence_uj_cm2": 0.7}
_QUANTITIES = (
    "gamma_0", "sigma", "gamma_lo", "e_lo", "transition_onset", "transition_midpoint",
    "transition_width", "transition_end", "red_shift",
)  # fmt: skip
_NOTHING = Measured(math.nan, math.nan)


def _truths() -> dict[str, float]:
    """Return the parameters of the sample; onset and end are those of a logistic at 5 and 95 %."""
    sample = load_sample(load_yaml(_MOUNTED.sample).data)
    law, width = sample.laws.phase_transition, sample.laws.broadening
    if law is None:
        raise ValueError(f"{_MOUNTED.sample} has no transition")
    midpoint_k = law.midpoint_k - law.size_slope_k * 7.0 / sample.dots["B4"].edge_length_nm
    reach_k = law.width_k * math.log(19.0)
    return {
        "gamma_0": width.zero_temperature_mev,
        "sigma": width.acoustic_mev_per_k,
        "gamma_lo": width.optical_mev,
        "e_lo": width.phonon_energy_mev,
        "transition_onset": midpoint_k - reach_k,
        "transition_midpoint": midpoint_k,
        "transition_width": law.width_k,
        "transition_end": midpoint_k + reach_k,
        "red_shift": law.red_shift_mev,
    }


def _observe(seed: int) -> dict[str, Observation]:
    series = render_series(
        seed, _TEMPERATURES_K, changes={"laser": _LASER}, mounted=_MOUNTED, centre_nm=535.0
    )
    analysis = analyze_spectra(series.spectra, "through a transition", experiment="E24")
    found = {result.quantity: result.measured for result in analysis.results}
    return {name: observed(found.get(name, _NOTHING), true) for name, true in _truths().items()}


_ABOUT = """\
For each seed the world's renderer makes lamp frames, from which the calibrations are made, and
spectra of one FAPbBr3 dot at 18 temperatures from 5.5 to 200 K.

What counts as true: the parameters of the sample. The transition is a logistic; its onset is where
a twentieth of the red shift is there, its end where a twentieth is missing.

The efficiency of grating and camera changes by some percent over the broad line of a warm dot; the
analysis does not correct it. The line moves by about 0.1 meV at 200 K for it.
"""

CASES = (
    Case(
        name="phase-transition",
        experiment="E24",
        quantities=_QUANTITIES,
        observe=_observe,
        about=_ABOUT,
    ),
)
