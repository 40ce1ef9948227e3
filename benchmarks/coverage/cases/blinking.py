"""E14 and E15: how a dot blinks, and how its lifetime follows."""

import math
from functools import lru_cache

import numpy as np

from benchmarks.coverage import Case, Observation, observed
from benchmarks.rendered_streams import BlinkingTruth, blinking_stream, shares_of_an_hour
from labctl.analysis import Measured, fit_fading
from labctl.results import analyze_stream

__all__ = ["CASES"]

_BLINKING = ("on_fraction", "on_rate", "off_rate", "on_exponent", "off_exponent")
_FADING = ("on_fraction_start", "on_fraction_end", "on_fraction_change")
_STRETCHES = 12
_LIFETIMES = ("on_lifetime", "off_lifetime", "lifetime_ratio", "intensity_ratio", "type_slope")
_NOTHING = Measured(math.nan, math.nan)


# The results only: the photons of a seed are some hundred megabytes.
@lru_cache(maxsize=256)
def _analyzed(seed: int) -> tuple[dict[str, Measured], BlinkingTruth]:
    light, truth = blinking_stream(seed)
    return {r.quantity: r.measured for r in analyze_stream(light, lifetimes=True)}, truth


def _truths(truth: BlinkingTruth) -> dict[str, float]:
    (on_hz, off_hz), (on_ns, off_ns) = truth.rates_hz, truth.lifetimes_ns
    ratio = off_ns / on_ns
    return {
        "on_fraction": truth.on_share,
        "on_rate": on_hz,
        "off_rate": off_hz,
        "on_exponent": truth.exponent,
        "off_exponent": truth.exponent,
        "on_lifetime": on_ns,
        "off_lifetime": off_ns,
        "lifetime_ratio": ratio,
        "intensity_ratio": truth.intensity_ratio,
        "type_slope": math.log(ratio) / math.log(truth.intensity_ratio),
    }


def _observe(seed: int, names: tuple[str, ...]) -> dict[str, Observation]:
    found, truth = _analyzed(seed)
    truths = _truths(truth)
    return {name: observed(found.get(name, _NOTHING), truths[name]) for name in names}


def _observe_fading(seed: int) -> dict[str, Observation]:
    length_s, shares, law = shares_of_an_hour(seed, _STRETCHES)
    found = fit_fading(np.cumsum(length_s) - length_s, length_s, shares)
    start, end = law.on_share, law.on_share_after_one_hour
    return {
        "on_fraction_start": observed(found.start, start),
        "on_fraction_end": observed(found.end, end),
        "on_fraction_change": observed(found.change_per_hour, end - start),
    }


_GIVEN = """\
For each seed the room-temperature world gives the photons of a FAPbBr3 dot on two detectors, about
650 counts per 10 ms, from its first light on until it has switched 60 times (50 to 1000 s, in
pieces of 50 s), and scattered laser light for the responses. The analysis gets the photons and the
responses, nothing else.
"""

_TRUE_BLINKING = """
What counts as true: `on_fraction` is the share of this very stretch in which the dot was ON, from
the world's own list of dwells; it differs between stretches by much more than its error. The rates
are those of the world's pulses, darks, afterpulses and cross-talk in the two states, the exponents
that of the law from which dwells are drawn (1.6, from 1 ms to 10 s for OFF).

What limits it: every dwell is at least 1 ms, in which 55 photons are missing, so that none is
overlooked. With shorter dwells or less light the ON fraction would be wrong by those that were
missed, which no error covers; `change_points` has an error for them. The law ends at 10 s, which
some 50 dwells seldom show: the power law without an end is chosen then, whose exponent would be
too large by half its error with some hundreds of dwells.
"""

_TRUE_LIFETIMES = """
What counts as true: the exciton's lifetime for ON, 0.4 of it for OFF (type A), the ratio of the
detected photons per pulse in both states, and `type_slope`, the ratio of the logarithms of both
ratios. Detectors give afterpulses, which are in the measured responses; the decays are fitted from
a fifth of the lifetime after the pulse on, so that the biexciton is over.
"""

_ABOUT_FADING = """\
ON fractions of twelve stretches of 5 min, the first hour of light of a FAPbBr3 dot, from the
world's own list of dwells for each seed. Photons are left out: the error with which they tell the
fraction of a stretch is a twentieth of the differences between stretches at most.

What counts as true: the law of the sample, 98 % at first and 94 % after an hour. Dwells follow
power laws, so that an hour of one dot tells its ON fraction to about 1.5 % only.
"""

CASES = (
    Case(
        name="fading",
        experiment="E14",
        quantities=_FADING,
        observe=_observe_fading,
        about=_ABOUT_FADING,
    ),
    Case(
        name="blinking",
        experiment="E14",
        quantities=_BLINKING,
        observe=lambda seed: _observe(seed, _BLINKING),
        about=_GIVEN + _TRUE_BLINKING,
    ),
    Case(
        name="lifetime-intensity",
        experiment="E15",
        quantities=_LIFETIMES,
        observe=lambda seed: _observe(seed, _LIFETIMES),
        about=_GIVEN + _TRUE_LIFETIMES,
    ),
)
