"""E10, E11, E12, E16 and the bunching of E20: what pairs of photons tell."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.coverage import Case, Observation, observed
from benchmarks.rendered_decays import sample_of
from benchmarks.rendered_pairs import CRYOGENIC, FULL_UJ_CM2, ROOM, PairBench, bunching_truth
from labctl.analysis import Measured, auger_g2, cascade_statistics, monte_carlo
from labctl.results import (
    ExperimentResult,
    PairRecords,
    StoredPhotons,
    bunched_light,
    bunching_results,
    evaluate_points,
    pair_results,
)

__all__ = ["CASES"]

_NOTHING = Measured(math.nan, math.nan)
_KEPT = 4
_STATISTICS = ((0.1, 0.0), (0.1, 1.0), (1.0, 0.0), (1.0, 1.0))
_POWERS = (0.7, 1.4, 2.8, 4.2, 7.0, 10.5)
_FRACTIONS = (0.1, 1.5)
_DENSITY_SD = 0.01
_LASER_NM, _COUPLED_NM = 405.0, 529.2
Taken = tuple[StoredPhotons, PairRecords]


def _observe_g2(seed: int) -> dict[str, Observation]:
    bench = PairBench(seed, sample_of("cspbbr3_30nm.yaml"), "C5", CRYOGENIC)
    bench.set_fluence(0.85)
    bench.tune_to_line()
    truths = [bench.truth().g2_zero]
    taken = [bench.pairs(40.0)]
    bench.use_mirror()
    truths.append(bench.truth().g2_zero)
    taken.append(bench.pairs(10.0))
    found = [r for r in _results(taken, "E10") if r.quantity == "g2_zero"]
    return {
        name: observed(result.measured, truth)
        for name, result, truth in zip(("exciton", "all light"), found, truths, strict=True)
    }


def _observe_statistics(seed: int) -> dict[str, Observation]:
    found: dict[str, Observation] = {}
    for place, (mean, ratio) in enumerate(_STATISTICS):
        drawn = monte_carlo(mean, ratio, 400_000, 10 * seed + place)
        true = cascade_statistics(mean, multiexciton=ratio, at_most=_KEPT)
        if ratio > 0:
            at = f"at {mean:g}"
            found[f"x_to_xx {at}"] = observed(drawn.x_to_xx or _NOTHING, true.x_to_xx)
            found[f"g2_zero {at}"] = observed(drawn.g2_zero, true.g2_zero)
    return found


def _observe_saturation(seed: int) -> dict[str, Observation]:
    density = float(np.random.default_rng([seed, 12]).normal(1.0, _DENSITY_SD))
    bench = PairBench(seed, sample_of("fapbbr3.yaml"), "B4", ROOM, density_rel=density)
    taken: list[Taken] = []
    for fluence in (*_POWERS, *reversed(_POWERS)):
        bench.set_fluence(fluence)
        taken.append(bench.pairs(0.7))
    true = bench.truth()
    truths = {
        "p_sat": true.p_sat_w_cm2,
        "rate_max": true.rate_max_hz,
        "yield_ratio": true.yield_ratio,
    }
    for fraction in _FRACTIONS:
        zero = float(auger_g2(np.array([fraction]), true.yield_ratio)[0])
        truths[f"purity_at_{fraction:g}_p_sat"] = 1 - zero
    return _observations(_results(taken, "E12"), truths)


def _observe_heralded(seed: int) -> dict[str, Observation]:
    density = float(np.random.default_rng([seed, 12]).normal(1.0, _DENSITY_SD))
    bench = PairBench(seed, sample_of("fapbbr3.yaml"), "B4", ROOM, density_rel=density)
    bench.set_fluence(FULL_UJ_CM2)
    bench.take_irfs(1.0)
    taken: list[Taken] = []
    for fluence in (10.5, 5.6, 2.8, 2.0, 2.8, 5.6, 10.5):
        bench.set_fluence(fluence)
        taken.append(bench.pairs(0.5))
    bench.set_fluence(1.4)
    taken.append(bench.pairs(15.0, "photons"))
    true = bench.truth()
    truths = {
        "biexciton_lifetime": true.taus_ns[1],
        "exciton_lifetime": true.taus_ns[0],
        "yield_ratio": true.yield_ratio,
    }
    return _observations(_results(taken, "E16"), truths)


def _observe_bunching(seed: int) -> dict[str, Observation]:
    bench = PairBench(seed, sample_of("cspbbr3_superlattice.yaml"), "S1", CRYOGENIC)
    bench.tune_to(_LASER_NM)
    bench.take_irfs(3.0)
    bench.set_fluence(FULL_UJ_CM2)
    bench.tune_to(_COUPLED_NM)
    true = bunching_truth(bench.world, "tagger")
    stored, records, near, bin_s = bench.near_pairs(600.0)
    points = evaluate_points([stored], [records])
    light = bunched_light(stored, near, bin_s)
    results = [*pair_results(points, "E20"), *bunching_results(points[0], (), light)]
    truths = {"g2_zero": true.g2_zero, "bunching_time": 1e3 * true.bunching_ns}
    return _observations(results, truths)


def _results(taken: Sequence[Taken], experiment: str) -> list[ExperimentResult]:
    points = evaluate_points([stored for stored, _ in taken], [pairs for _, pairs in taken])
    return pair_results(points, experiment, FULL_UJ_CM2)


def _observations(
    results: Sequence[ExperimentResult], truths: Mapping[str, float]
) -> dict[str, Observation]:
    found = {one.quantity: one.measured for one in results}
    return {name: observed(found.get(name, _NOTHING), truth) for name, truth in truths.items()}


_GIVEN = """\
For each seed the world's photon streams give the clicks of two detectors with darks, dead times,
afterpulses and cross-talk; the analysis gets these, rates without light that were counted for
0.1 s, and what the set-up believes.
"""

CASES = (
    Case(
        name="g2",
        experiment="E10",
        quantities=("exciton", "all light"),
        observe=_observe_g2,
        about=_GIVEN + """
One weakly confined dot at one excitation per pulse, first for 40 s with the exciton line alone in
the exit slit, then for 10 s with a mirror in the place of the grating. True is the closed form of
the cascade with the transmissions that the world has for both bands.
""",
    ),
    Case(
        name="photon-statistics",
        experiment="E11",
        quantities=("x_to_xx at 0.1", "g2_zero at 0.1", "x_to_xx at 1", "g2_zero at 1"),
        observe=_observe_statistics,
        about="""\
Pulses drawn without any instrument, 400 000 each. True are the closed forms of a cascade that
keeps four excitations. Without biexciton light g2(0) is 0 to the last pulse and no ratio exists;
these two cases are no matter of statistics and are tested elsewhere.
""",
    ),
    Case(
        name="saturation",
        experiment="E12",
        quantities=(
            "p_sat", "rate_max", "yield_ratio", "purity_at_0.1_p_sat", "purity_at_1.5_p_sat",
        ),
        observe=_observe_saturation,
        about=_GIVEN + """
One blinking dot at room temperature, 0.7 s at each of six powers, up and down again. The
attenuator's optical densities are wrong by a factor that is drawn for each seed, with the
standard deviation of 1 % that the analysis assumes. Rates are those of the time in which the dot is
on.
""",
    ),
    Case(
        name="heralded-biexciton",
        experiment="E16",
        quantities=("biexciton_lifetime", "exciton_lifetime", "yield_ratio"),
        observe=_observe_heralded,
        about=_GIVEN + """
One blinking dot at room temperature: responses of both detectors, 0.5 s at each of four powers,
down and up again, for the number of excitations per pulse, then 15 s at 0.2 excitations per pulse.
""",
    ),
    Case(
        name="bunching",
        experiment="E20",
        quantities=("g2_zero", "bunching_time"),
        observe=_observe_bunching,
        about=_GIVEN + """
The coupled band of a superlattice at 4 K, 600 s at full fluence behind the grating, and responses
of both detectors. True is what the world sends through the exit slit, the rest of the exciton
included, and the decay time of the band.
""",
    ),
)  # fmt: skip
