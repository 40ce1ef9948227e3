"""E02, E06, E20 and the decays of E04: lifetimes and their laws."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from benchmarks.coverage import Case, Observation
from benchmarks.rendered_decays import DecayBench, Truth, sample_of
from labctl.results import DecayAnalysis, StoredDecay, analyze_decays, fit_decays

__all__ = ["CASES"]

_IRF_COUNTS, _COUNTS, _RESOLVED_COUNTS = 300_000, 40_000, 25_000
_LOW, _BAND = 0.17, 3.0
_TEMPERATURES_K = (4.0, 20.0, 40.0, 60.0, 75.0, 90.0)
_FLUENCES = tuple(np.geomspace(0.3, 10.3, 4).tolist())
_NAMES = {"lifetime_coldest": "lifetime at 4 K", "lifetime_warmest": "lifetime at 90 K"}


def _bench(seed: int, sample: str, dot: str, fluence_uj_cm2: float) -> DecayBench:
    bench = DecayBench(seed, sample_of(sample), dot)
    bench.set_fluence(fluence_uj_cm2)
    return bench


def _analysis(decays: Sequence[StoredDecay]) -> DecayAnalysis:
    return analyze_decays(fit_decays(decays))


def _against(found: DecayAnalysis, truths: Mapping[str, float]) -> dict[str, Observation]:
    """Compare by the name of the quantity; what was not determined has no error."""
    by_name = {one.quantity: (one.value, one.standard_error) for one in found.results}
    missing = (float("nan"), float("nan"))
    return {
        _NAMES.get(name, name): Observation(*by_name.get(name, missing), truth)
        for name, truth in truths.items()
    }


def _single(seed: int) -> dict[str, Observation]:
    bench = _bench(seed, "cspbbr3_23nm.yaml", "A7", _LOW)
    decay = bench.decay(bench.irf(_IRF_COUNTS), _COUNTS)
    truth = bench.truth()
    truths = {"lifetime": truth.lifetime_ps, "one_over_e": _one_over_e_ps(truth)}
    return _against(_analysis([decay]), truths)


@lru_cache(maxsize=4)
def _one_over_e_ps(truth: Truth) -> float:
    """Return when the exciton's light has fallen to 1/e, from the rate equations.

    With so few excitations its maximum is at the beginning. At most two count in this dot: the
    second one comes with four times the rate.
    """
    step_ps = 0.01
    one = truth.excitations * np.exp(-truth.excitations)
    two = 1.0 - np.exp(-truth.excitations) - one
    times = np.arange(0.0, 4.0 * truth.lifetime_ps, step_ps)
    slow, fast = np.exp(-times / truth.lifetime_ps), np.exp(-4.0 * times / truth.lifetime_ps)
    light = one * slow + two * 4.0 / 3.0 * (slow - fast)
    return float(times[np.argmax(light <= light[0] / np.e)])


def _temperature_series(seed: int) -> dict[str, Observation]:
    bench = _bench(seed, "cspbbr3_23nm.yaml", "A7", _LOW)
    irf = bench.irf(_IRF_COUNTS)
    decays: list[StoredDecay] = []
    taus_ps: list[float] = []
    for kelvin in _TEMPERATURES_K:
        bench.settle(kelvin)
        decays.append(bench.decay(irf, _COUNTS))
        taus_ps.append(bench.truth().lifetime_ps)
    law, dot = bench.world.sample.laws.decay, bench.world.dot
    truths = {
        "lifetime_coldest": taus_ps[0],
        "lifetime_warmest": taus_ps[-1],
        "activation_energy": law.activation_mev,
        "lifetime_0": dot.lifetime_ps,
        "lifetime_g": law.strength,
    }
    return _against(_analysis(decays), truths)


def _fluence_series(seed: int, sample: str, dot: str) -> dict[str, Observation]:
    bench = _bench(seed, sample, dot, _LOW)
    irf, centre_nm = bench.irf(_IRF_COUNTS), bench.line_nm()
    decays: list[StoredDecay] = []
    taus_ps: list[float] = []
    for fluence in _FLUENCES:
        bench.set_fluence(fluence)
        decays.append(bench.decay(irf, _COUNTS, centre_nm))
        taus_ps.append(bench.truth().lifetime_ps)
    slope, at_zero = np.polyfit(_FLUENCES, taus_ps, 1)
    return _against(_analysis(decays), {"lifetime_at_zero": at_zero, "slope": slope})


def _resolved(seed: int) -> dict[str, Observation]:
    bench = _bench(seed, "cspbbr3_superlattice.yaml", "S1", _BAND)
    irf, band_nm = bench.irf(_IRF_COUNTS), bench.superlattice_nm()
    places_nm = {"exciton": bench.exciton_nm(), "coupled band": band_nm}
    places_nm["coupled band, red side"] = band_nm + 1.8
    decays = [bench.decay(irf, _RESOLVED_COUNTS, centre_nm) for centre_nm in places_nm.values()]
    truth, found = bench.truth(), _analysis(decays)
    # Results come in the order of energy, which runs against the wavelength.
    ordered = sorted(places_nm, key=lambda name: -places_nm[name])
    observations: dict[str, Observation] = {}
    for name, one in zip(ordered, found.results, strict=True):
        tau_ps = truth.lifetime_ps if name == "exciton" else truth.superlattice_ps
        observation = Observation(one.value, one.standard_error, tau_ps or float("nan"))
        observations[f"lifetime, {name}"] = observation
    return {name: observations[name] for name in _RESOLVED}


_RESOLVED = tuple(
    f"lifetime, {name}" for name in ("exciton", "coupled band", "coupled band, red side")
)
_GIVEN = """\
For each seed the world's photon streams give a response of scattered laser light at 405 nm behind
the grating of 300 lines/mm (300 000 counts) and decays of 40 000 counts at the line, with jitter,
tail, spread by the grating, darks, dead time, afterpulses and cross-talk. The analysis is that of
stored runs: it gets histograms, settings and readings.
"""
_LIMITS = """
What limits it: the grating spreads the line's light further than the laser's. The response is
broadened by the difference for a round beam that fills the grating, which is how the simulated
world is lit; a quarter of the difference is in the error for real gratings that are not.
"""

CASES = (
    Case(
        name="decay",
        experiment="E02",
        quantities=("lifetime", "one_over_e"),
        observe=_single,
        about=_GIVEN
        + "\nWhat counts as true: the lifetime of the exciton at the dot's temperature; "
        + "`one_over_e` is that of the light's rate equations with the excitations that were.\n"
        + _LIMITS,
    ),
    Case(
        name="decay-temperature-series",
        experiment="E04",
        quantities=(*_NAMES.values(), "activation_energy", "lifetime_0", "lifetime_g"),
        observe=_temperature_series,
        about=_GIVEN
        + "\nDecays at six temperatures. What counts as true: the lifetime at the temperature of "
        + "the dot, and the parameters of the sample's law.\n"
        + _LIMITS,
    ),
    Case(
        name="fluence-series",
        experiment="E06",
        quantities=("lifetime_at_zero", "slope"),
        observe=lambda seed: _fluence_series(seed, "cspbbr3_23nm.yaml", "A7"),
        about=_GIVEN
        + "\nFour fluences from 0.3 to 10.3 uJ/cm^2, up to 5 excitations per pulse, of which this "
        + "dot keeps two (Auger). What counts as true: a line through the true lifetimes.\n"
        + _LIMITS,
    ),
    Case(
        name="fluence-series-weak",
        experiment="E06",
        quantities=("lifetime_at_zero", "slope"),
        observe=lambda seed: _fluence_series(seed, "cspbbr3_23nm.yaml", "B7"),
        about=_GIVEN + "\nAs before, with a dot that keeps all of up to 6 excitations.\n" + _LIMITS,
    ),
    Case(
        name="resolved-decays",
        experiment="E20",
        quantities=_RESOLVED,
        observe=_resolved,
        about=_GIVEN
        + "\nThree detection wavelengths of a superlattice at 3 uJ/cm^2, 25 000 counts each. What "
        + "counts as true: the lifetimes of exciton and coupled band.\n"
        + _LIMITS
        + "Each band holds a little light of the other, 1 % at the exciton, 0.1 % at the coupled "
        + "band, which pulls the lifetimes together by about a third of these errors; the analysis "
        + "takes each decay for that of one emitter, so more counts would not make it better.\n",
    ),
)
