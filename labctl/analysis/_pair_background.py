"""Clicks that belong to no pair: darks, stray light, late afterpulses, cross-talk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["PairBackground", "background_from_bins", "background_from_rates"]

Vector = NDArray[np.float64]
_NONE = Measured(0.0, 0.0)


@dataclass(frozen=True)
class PairBackground:
    """Uncorrelated clicks on both sides of a correlation.

    Dead time keeps clicks of one detector apart and does not reach pairs on two of them. Nor do
    afterpulses make pairs of their own; but one that comes in a later period than its cause is
    an uncorrelated click there and belongs in here.

    Attributes:
        photons_a: Number of such clicks on side a during the measurement, in the gate.
        photons_b: On side b.
        crosstalk: Probability that a click causes one on the other side in the same period.
    """

    photons_a: Measured = _NONE
    photons_b: Measured = _NONE
    crosstalk: Measured = _NONE


def background_from_rates(
    rates_hz: tuple[Measured, Measured],
    live_s: float,
    *,
    gate_share: float = 1.0,
    late_afterpulses: tuple[Measured, Measured] = (_NONE, _NONE),
    crosstalk: Measured = _NONE,
) -> PairBackground:
    """Return the background from rates that were measured or stated.

    Args:
        rates_hz: Clicks per second of sides a and b without the emitter.
        live_s: Length of the measurement in s.
        gate_share: Share of the period within the gate.
        late_afterpulses: Clicks of each side that are afterpulses in a later period.
        crosstalk: As in `PairBackground`.
    """
    sides = [
        Measured(one.value * live_s * gate_share + more.value, 0.0)
        .plus_systematic(one.error * live_s * gate_share)
        .plus_systematic(more.error)
        for one, more in zip(rates_hz, late_afterpulses, strict=True)
    ]
    return PairBackground(sides[0], sides[1], crosstalk)


def background_from_bins(
    counts_a: Vector,
    counts_b: Vector,
    quiet_bins: tuple[int, int],
    gate_bins: tuple[int, int],
    *,
    crosstalk: Measured = _NONE,
) -> PairBackground:
    """Return the background from the delays before the pulse, where no light of it is left.

    What is there must be as frequent at all delays: darks and stray light are; the tail of a
    decay that is long against the period is not, nor are afterpulses within one period.

    Args:
        counts_a: Decay of side a over the whole period, counts, shape (delay bin,).
        counts_b: Of side b.
        quiet_bins: First bin of the quiet stretch, and the bin after it.
        gate_bins: The same for the delays that were used for pairs.
        crosstalk: As in `PairBackground`.

    Raises:
        AnalysisError: A stretch that is empty or not within the decay.
    """
    for first, end in (quiet_bins, gate_bins):
        if not 0 <= first < end <= min(counts_a.size, counts_b.size):
            raise AnalysisError(f"bins {first} to {end} are no stretch of the decay")
    factor = (gate_bins[1] - gate_bins[0]) / (quiet_bins[1] - quiet_bins[0])
    sums = [float(counts[quiet_bins[0] : quiet_bins[1]].sum()) for counts in (counts_a, counts_b)]
    found = [Measured(count, max(count, 1.0) ** 0.5).scaled(factor) for count in sums]
    return PairBackground(found[0], found[1], crosstalk)
