"""Detected photons of pulsed and of steady light, drawn in compiled code."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl_sim.world._types import FloatArray
from labctl_sim.world.photons._jit import jit
from labctl_sim.world.photons._models import ModelTable
from labctl_sim.world.photons._random import (
    Words,
    draw_disc,
    draw_exponential,
    draw_normal,
    draw_unit,
)
from labctl_sim.world.photons._sorting import Times

Numbers = NDArray[np.int64]

FULL = -1
"""Instead of a number of photons: the scratch space is too small."""
_FAR = 8.0
"""Jitter beyond so many standard deviations does not occur."""


class Timing(NamedTuple):
    """What happens to a photon's time up to one detector."""

    sd_ps: float
    """Of the Gaussian part: laser pulse, detector and electronics."""
    tail_ps: float
    """Exponential tail of the detector."""
    tail_share: float
    spread_ps: float
    """Base width of the path differences on a grating."""


def timing_table(timings: Sequence[Timing]) -> FloatArray:
    """Rows as the fields of `Timing`, one column per detector."""
    return np.array(timings, dtype=np.float64).T.copy()


@jit
def late_ps(words: Words, delays: FloatArray, detector: int) -> float:
    """Delay of one photon by grating and detector; rows of ``delays`` as in `Timing`."""
    delay = 0.0
    if delays[0, detector] > 0.0:
        z = draw_normal(words)
        delay += delays[0, detector] * min(max(z, -_FAR), _FAR)
    if delays[2, detector] > 0.0 and draw_unit(words) <= delays[2, detector]:
        delay += delays[1, detector] * draw_exponential(words)
    if delays[3, detector] > 0.0:
        delay += 0.5 * delays[3, detector] * (1.0 + draw_disc(words))
    return delay


@jit
def pick(words: Words, cumulated: FloatArray, last: int) -> int:
    """Index, up to ``last``, of the first entry that a uniform number does not exceed."""
    share = draw_unit(words)
    index = 0
    while index < last and share > cumulated[index]:
        index += 1
    return index


@jit
def independent_pulses(
    words: Words,
    table: ModelTable,
    model: int,
    delays: FloatArray,
    begin: int,
    end: int,
    cell_ps: int,
    period_fs: int,
    keys: Times,
    n: int,
) -> int:
    """Append the photons of pulses ``begin`` to ``end`` of the cell; returns the new end."""
    room = len(keys) - table.cdf.shape[1]
    most, last = table.cdf.shape[1] - 1, table.picks.shape[1] - 1
    cdf, picks = table.cdf[model], table.picks[model]
    chance, tau_ps = table.p_any[model], table.tau_ps[model, 0]
    scale = -1.0 / math.log1p(-chance) if chance < 1.0 else 0.0
    pulse = begin
    while True:
        gap = draw_exponential(words) * scale
        if gap >= end - pulse:
            return n
        if n >= room:
            return FULL
        pulse += int(gap)
        pulse_ps = cell_ps + (pulse * period_fs) // 1000
        for _ in range(pick(words, cdf, most) + 1):
            detector = pick(words, picks, last)
            delay = tau_ps * draw_exponential(words) + late_ps(words, delays, detector)
            keys[n] = ((pulse_ps + math.floor(delay)) << 3) | detector
            n += 1
        pulse += 1


@jit
def cascade_pulses(
    words: Words,
    table: ModelTable,
    model: int,
    delays: FloatArray,
    begin: int,
    end: int,
    cell_ps: int,
    period_fs: int,
    keys: Times,
    n: int,
) -> int:
    """Append the photons of pulses ``begin`` to ``end`` of the cell; returns the new end.

    Whether a photon is detected is drawn on the condition that at least one of the pulse is.
    """
    room = len(keys) - table.cdf.shape[1]
    most, last = table.cdf.shape[1] - 1, table.picks.shape[1] - 1
    models = len(table.p_any)
    cdf, tau_ps, missed = table.cdf[model], table.tau_ps[model], table.missed[model]
    # Exciton and multiexciton differ in band, hence in their shares of the detectors.
    pick_last, pick_other = table.picks[model], table.picks[model + models]
    chance = table.p_any[model]
    p_last, p_other = table.p_last[model], table.p_other[model]
    scale = -1.0 / math.log1p(-chance) if chance < 1.0 else 0.0
    pulse = begin
    while True:
        gap = draw_exponential(words) * scale
        if gap >= end - pulse:
            return n
        if n >= room:
            return FULL
        pulse += int(gap)
        pulse_ps = cell_ps + (pulse * period_fs) // 1000
        emitted_ps, found = 0.0, False
        for left in range(pick(words, cdf, most) + 1, 0, -1):
            emitted_ps += tau_ps[left - 1] * draw_exponential(words)
            seen = p_last if left == 1 else p_other
            if not found:
                none = missed[left - 1] * (1.0 - p_last)
                seen = 1.0 if left == 1 or none >= 1.0 else seen / (1.0 - none)
            if seen < 1.0 and draw_unit(words) > seen:
                continue
            found = True
            if left == 1:
                detector = pick(words, pick_last, last)
            else:
                detector = pick(words, pick_other, last)
            delay = emitted_ps + late_ps(words, delays, detector)
            keys[n] = ((pulse_ps + math.floor(delay)) << 3) | detector
            n += 1
        pulse += 1


@jit
def pulsed_light(
    words: Words,
    table: ModelTable,
    delays: FloatArray,
    starts: Numbers,
    models: Numbers,
    segment: int,
    segments: int,
    first_pulse: int,
    pulses: int,
    cell_ps: int,
    period_fs: int,
    keys: Times,
) -> int:
    """Draw one source over one cell of time.

    Segment i of the source uses ``models[i]`` (-1: dark) from pulse ``starts[i]`` on; ``segment``
    is the one in which the cell begins. Gaps between pulses of which something is detected are
    geometric.

    Returns:
        Number of photons in ``keys``, or FULL.
    """
    n = 0
    begin = 0
    while begin < pulses and n != FULL:
        end = pulses
        if segment + 1 < segments:
            end = min(starts[segment + 1] - first_pulse, end)
        model = models[segment]
        segment += 1
        if end > begin and model >= 0 and table.p_any[model] > 0.0:
            if table.independent[model] > 0.0:
                n = independent_pulses(
                    words, table, model, delays, begin, end, cell_ps, period_fs, keys, n
                )
            else:
                n = cascade_pulses(
                    words, table, model, delays, begin, end, cell_ps, period_fs, keys, n
                )
        begin = max(end, begin)
    return n


@jit
def steady_light(
    words: Words,
    rates_hz: FloatArray,
    starts: Numbers,
    segment: int,
    segments: int,
    detector: int,
    cell_ps: int,
    length_ps: int,
    first_pulse: int,
    pulses: int,
    keys: Times,
) -> int:
    """Draw events of one detector that know nothing of the pulses: darks, room light, lamps.

    Segment i has ``rates_hz[i]`` from pulse ``starts[i]`` on.

    Returns:
        Number of events in ``keys``, or FULL.
    """
    n = 0
    begin_ps = 0.0
    ps_per_pulse = length_ps / pulses
    while begin_ps < length_ps:
        end_ps = float(length_ps)
        if segment + 1 < segments:
            end_ps = min((starts[segment + 1] - first_pulse) * ps_per_pulse, end_ps)
        rate_per_ps = rates_hz[segment] * 1e-12
        segment += 1
        at_ps = begin_ps
        while rate_per_ps > 0.0:
            at_ps += draw_exponential(words) / rate_per_ps
            if at_ps >= end_ps:
                break
            if n >= len(keys):
                return FULL
            keys[n] = ((cell_ps + int(at_ps)) << 3) | detector
            n += 1
        begin_ps = max(end_ps, begin_ps)
    return n
