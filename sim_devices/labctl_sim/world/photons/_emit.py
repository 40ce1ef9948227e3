"""Detected photons of pulsed and of steady light, drawn in compiled code."""

import math
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
    """What happens to a photon's time on its way; one number per detector each."""

    shift_ps: Numbers
    sd_ps: FloatArray
    """Of the Gaussian part: laser pulse, detector and electronics."""
    tail_ps: FloatArray
    """Exponential tail of the detector."""
    tail_share: FloatArray
    spread_ps: FloatArray
    """Base width of the path differences on a grating."""


@jit
def late_ps(words: Words, timing: Timing, detector: int) -> float:
    """Delay of one photon by grating and detector, without the fixed shift."""
    delay = 0.0
    if timing.sd_ps[detector] > 0.0:
        z = draw_normal(words)
        delay += timing.sd_ps[detector] * min(max(z, -_FAR), _FAR)
    if timing.tail_share[detector] > 0.0 and draw_unit(words) <= timing.tail_share[detector]:
        delay += timing.tail_ps[detector] * draw_exponential(words)
    if timing.spread_ps[detector] > 0.0:
        delay += 0.5 * timing.spread_ps[detector] * (1.0 + draw_disc(words))
    return delay


@jit
def pick(words: Words, cumulated: FloatArray) -> int:
    """Index of the first entry that a uniform number does not exceed."""
    share = draw_unit(words)
    index = 0
    while index < len(cumulated) - 1 and share > cumulated[index]:
        index += 1
    return index


@jit
def pulse_photons(
    words: Words, table: ModelTable, model: int, timing: Timing, pulse_ps: int, keys: Times, n: int
) -> int:
    """Append the photons of one pulse of which at least one is detected; returns the new end."""
    total = pick(words, table.cdf[model]) + 1
    if table.independent[model] > 0.0:
        for _ in range(total):
            detector = pick(words, table.pick_last[model])
            delay = table.tau_ps[model, 0] * draw_exponential(words)
            delay += late_ps(words, timing, detector)
            at_ps = pulse_ps + timing.shift_ps[detector] + math.floor(delay)
            keys[n] = (at_ps << 3) | detector
            n += 1
        return n
    emitted_ps = 0.0
    found = False
    for left in range(total, 0, -1):
        emitted_ps += table.tau_ps[model, left - 1] * draw_exponential(words)
        chance = table.p_last[model] if left == 1 else table.p_other[model]
        if not found:
            missed = table.missed[model, left - 1] * (1.0 - table.p_last[model])
            chance = min(chance / (1.0 - missed), 1.0) if missed < 1.0 else 1.0
            if left == 1:
                chance = 1.0
        if chance < 1.0 and draw_unit(words) > chance:
            continue
        found = True
        if left == 1:
            detector = pick(words, table.pick_last[model])
        else:
            detector = pick(words, table.pick_other[model])
        delay = emitted_ps + late_ps(words, timing, detector)
        keys[n] = ((pulse_ps + timing.shift_ps[detector] + math.floor(delay)) << 3) | detector
        n += 1
    return n


@jit
def pulsed_light(
    words: Words,
    table: ModelTable,
    timing: Timing,
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
    last_pulse = first_pulse + pulses
    pulse = first_pulse
    room = len(keys) - table.cdf.shape[1]
    while pulse < last_pulse:
        end = last_pulse
        if segment + 1 < segments and starts[segment + 1] < end:
            end = starts[segment + 1]
        model = models[segment]
        segment += 1
        if model < 0 or table.p_any[model] <= 0.0:
            pulse = end
            continue
        chance = table.p_any[model]
        scale = 1.0 / math.log1p(-chance) if chance < 1.0 else 0.0
        while pulse < end:
            gap = math.log(draw_unit(words)) * scale
            if gap >= end - pulse:
                break
            pulse += int(gap)
            if n >= room:
                return FULL
            at_ps = cell_ps + ((pulse - first_pulse) * period_fs) // 1000
            n = pulse_photons(words, table, model, timing, at_ps, keys, n)
            pulse += 1
        pulse = end
    return n


@jit
def steady_light(
    words: Words,
    rates_hz: FloatArray,
    starts: Numbers,
    segment: int,
    segments: int,
    detector: int,
    shift_ps: int,
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
            keys[n] = ((cell_ps + shift_ps + int(at_ps)) << 3) | detector
            n += 1
        begin_ps = max(end_ps, begin_ps)
    return n
