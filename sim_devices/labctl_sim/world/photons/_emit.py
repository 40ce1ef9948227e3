"""Detected photons of pulsed and of steady light, drawn in compiled code."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl_sim.world._types import FloatArray
from labctl_sim.world.photons._interfering import Traveller, meeting, single
from labctl_sim.world.photons._jit import inlined, jit
from labctl_sim.world.photons._models import LEAST, ModelTable
from labctl_sim.world.photons._random import (
    State,
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


@inlined
def late_ps(
    state: State, sd_ps: float, tail_ps: float, tail_share: float, spread_ps: float
) -> tuple[float, State]:
    """Delay of one photon by grating and detector, of a `Timing`.

    It takes numbers, since counting who uses an array costs as much as the rest.
    """
    delay = 0.0
    if sd_ps > 0.0:
        z, state = draw_normal(state)
        delay += sd_ps * min(max(z, -_FAR), _FAR)
    if tail_share > 0.0:
        share, state = draw_unit(state)
        if share <= tail_share:
            late, state = draw_exponential(state)
            delay += tail_ps * late
    if spread_ps > 0.0:
        x, state = draw_disc(state)
        delay += 0.5 * spread_ps * (1.0 + x)
    return delay, state


@inlined
def pick(state: State, cumulated: FloatArray) -> tuple[int, State]:
    """How many entries a uniform number exceeds; they rise up to 1, and are at least four."""
    share, state = draw_unit(state)
    # Without branches, which nobody could foretell.
    index = int(share > cumulated[0]) + int(share > cumulated[1])
    index += int(share > cumulated[2]) + int(share > cumulated[3])
    if index == LEAST:
        while share > cumulated[index]:
            index += 1
    return index, state


@inlined
def independent_pulses(
    state: State,
    table: ModelTable,
    model: int,
    delays: FloatArray,
    begin: int,
    end: int,
    cell_ps: int,
    period_fs: int,
    keys: Times,
    n: int,
) -> tuple[int, State]:
    """Append the photons of pulses ``begin`` to ``end`` of the cell; returns the new end."""
    room = len(keys) - table.cdf.shape[1]
    sd_ps, tail_ps, tail_share, spread_ps = delays[0], delays[1], delays[2], delays[3]
    cdf, picks = table.cdf[model], table.picks[model]
    chance, tau_ps = table.p_any[model], table.tau_ps[model, 0]
    scale = -1.0 / math.log1p(-chance) if chance < 1.0 else 0.0
    pulse = begin
    while True:
        gap, state = draw_exponential(state)
        gap *= scale
        if gap >= end - pulse:
            return n, state
        if n >= room:
            return FULL, state
        pulse += int(gap)
        pulse_ps = cell_ps + (pulse * period_fs) // 1000
        photons, state = pick(state, cdf)
        for _ in range(photons + 1):
            detector, state = pick(state, picks)
            emitted, state = draw_exponential(state)
            late, state = late_ps(
                state, sd_ps[detector], tail_ps[detector], tail_share[detector], spread_ps[detector]
            )
            delay = tau_ps * emitted + late
            keys[n] = ((pulse_ps + math.floor(delay)) << 3) | detector
            n += 1
        pulse += 1


@inlined
def cascade_pulses(
    state: State,
    table: ModelTable,
    model: int,
    delays: FloatArray,
    begin: int,
    end: int,
    cell_ps: int,
    period_fs: int,
    keys: Times,
    n: int,
) -> tuple[int, State]:
    """Append the photons of pulses ``begin`` to ``end`` of the cell; returns the new end.

    Whether a photon is detected is drawn on the condition that at least one of the pulse is.
    """
    room = len(keys) - table.cdf.shape[1]
    sd_ps, tail_ps, tail_share, spread_ps = delays[0], delays[1], delays[2], delays[3]
    models = len(table.p_any)
    cdf, tau_ps, seen = table.cdf[model], table.tau_ps[model], table.seen[model]
    chance = table.p_any[model]
    scale = -1.0 / math.log1p(-chance) if chance < 1.0 else 0.0
    pulse = begin
    while True:
        gap, state = draw_exponential(state)
        gap *= scale
        if gap >= end - pulse:
            return n, state
        if n >= room:
            return FULL, state
        pulse += int(gap)
        pulse_ps = cell_ps + (pulse * period_fs) // 1000
        emitted_ps, found = 0.0, 0
        left, state = pick(state, cdf)
        while left >= 0:
            emitted, state = draw_exponential(state)
            emitted_ps += tau_ps[left] * emitted
            chance = seen[found, left]
            left -= 1
            if chance < 1.0:
                share, state = draw_unit(state)
                if share > chance:
                    continue
            found = 1
            # Exciton and multiexciton differ in band, hence in their shares of the detectors.
            band = model if left < 0 else model + models
            detector, state = pick(state, table.picks[band])
            late, state = late_ps(
                state, sd_ps[detector], tail_ps[detector], tail_share[detector], spread_ps[detector]
            )
            keys[n] = ((pulse_ps + math.floor(emitted_ps + late)) << 3) | detector
            n += 1
        pulse += 1


@jit
def deliver(
    state: State,
    keep: float,
    timing: FloatArray,
    at_ps: float,
    slot_ps: int,
    port: int,
    keys: Times,
    n: int,
) -> tuple[int, State]:
    """Append a photon that leaves by a port, if it is detected there; returns the new end."""
    share, state = draw_unit(state)
    if share <= keep:
        late, state = late_ps(
            state, timing[0, port], timing[1, port], timing[2, port], timing[3, port]
        )
        keys[n] = ((slot_ps + math.floor(at_ps + late)) << 3) | port
        n += 1
    return n, state


@jit
def alone(
    state: State,
    table: ModelTable,
    row: int,
    delays: FloatArray,
    photon: Traveller,
    long_arm: int,
    keys: Times,
    n: int,
) -> tuple[int, State]:
    """Deliver a photon that meets no other one; ``row`` of ``keep`` is that of its band."""
    transmitted = table.paths[row % len(table.p_any), 2]
    port, state = single(state, transmitted, long_arm)
    keep = table.keep[row, port]
    return deliver(state, keep, delays, photon.at_ps, photon.slot_ps, port, keys, n)


@jit
def together(
    state: State,
    table: ModelTable,
    model: int,
    delays: FloatArray,
    short: Traveller,
    long: Traveller,
    keys: Times,
    n: int,
) -> tuple[int, State]:
    """Deliver two exciton photons that come by different arms in one slot."""
    port, other, state = meeting(
        state, table.paths[model, 2], table.paths[model, 4],
        short.from_ps, short.at_ps, long.from_ps, long.at_ps,
    )  # fmt: skip
    keep = table.keep[model]
    n, state = deliver(state, keep[port], delays, short.at_ps, short.slot_ps, port, keys, n)
    return deliver(state, keep[other], delays, long.at_ps, long.slot_ps, other, keys, n)


@jit
def one_pulse(
    state: State,
    table: ModelTable,
    model: int,
    delays: FloatArray,
    slots_ps: tuple[int, int],
    waiting: Traveller,
    keys: Times,
    n: int,
) -> tuple[int, State, Traveller]:
    """Append the photons of one pulse of which something is seen, and the one that waited.

    Args:
        state: Of the random numbers.
        table: All models.
        model: Row of it.
        delays: Of the detectors.
        slots_ps: Times of this pulse and of the next one.
        waiting: Exciton photon of the pulse before in the long arm; ``slot_ps`` -1: none.
        keys: Where the photons go.
        n: So many are there.

    Returns:
        The new end, the random state, and the exciton photon that is now in the long arm.
    """
    models = len(table.p_any)
    short, opened, delay_ps = table.paths[model, 0], table.paths[model, 1], table.paths[model, 3]
    emitted_ps, found = 0.0, 0
    leaving = Traveller(-1, 0.0, 0.0)
    left, state = pick(state, table.cdf[model])
    while left >= 0:
        excited_ps = emitted_ps
        emitted, state = draw_exponential(state)
        emitted_ps += table.tau_ps[model, left] * emitted
        chance = table.seen[model, found, left]
        left -= 1
        share, state = draw_unit(state)
        if share > chance:
            continue
        found = 1
        arm, state = draw_unit(state)
        if arm > opened:
            continue
        long_arm = int(arm > short)
        late_by_ps = delay_ps if long_arm == 1 else 0.0
        photon = Traveller(slots_ps[long_arm], excited_ps + late_by_ps, emitted_ps + late_by_ps)
        if left >= 0:
            # Of another band than the exciton: it meets nobody of its kind.
            n, state = alone(state, table, model + models, delays, photon, long_arm, keys, n)
        elif long_arm == 1:
            leaving = photon
        elif waiting.slot_ps == photon.slot_ps:
            n, state = together(state, table, model, delays, photon, waiting, keys, n)
            waiting = Traveller(-1, 0.0, 0.0)
        else:
            n, state = alone(state, table, model, delays, photon, 0, keys, n)
    if waiting.slot_ps >= 0:
        n, state = alone(state, table, model, delays, waiting, 1, keys, n)
    return n, state, leaving


@jit
def interfering_pulses(
    state: State,
    table: ModelTable,
    model: int,
    delays: FloatArray,
    begin: int,
    end: int,
    cell_ps: int,
    period_fs: int,
    keys: Times,
    n: int,
) -> tuple[int, State]:
    """As `cascade_pulses`, with an interferometer before the detectors.

    An exciton photon in the long arm waits for the next pulse's, which may come by the short arm;
    the last pulse of a cell and the first of the next one do not meet (one in thousands).
    """
    room = len(keys) - table.cdf.shape[1] - 2
    chance = table.p_any[model]
    scale = -1.0 / math.log1p(-chance) if chance < 1.0 else 0.0
    pulse = begin
    waiting = Traveller(-1, 0.0, 0.0)
    while True:
        gap, state = draw_exponential(state)
        gap *= scale
        over = gap >= end - pulse
        if waiting.slot_ps >= 0 and (over or gap >= 1.0):
            n, state = alone(state, table, model, delays, waiting, 1, keys, n)
            waiting = Traveller(-1, 0.0, 0.0)
        if over:
            return n, state
        if n >= room:
            return FULL, state
        pulse += int(gap)
        slots_ps = (
            cell_ps + (pulse * period_fs) // 1000,
            cell_ps + ((pulse + 1) * period_fs) // 1000,
        )
        n, state, waiting = one_pulse(state, table, model, delays, slots_ps, waiting, keys, n)
        pulse += 1


@inlined
def pulsed_light(
    state: State,
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
    n: int,
) -> int:
    """Append one source's photons of one cell of time to the ``n`` that are in ``keys``.

    Segment i of the source uses ``models[i]`` (-1: dark) from pulse ``starts[i]`` on; ``segment``
    is the one in which the cell begins. Gaps between pulses of which something is detected are
    geometric.

    Returns:
        Number of photons in ``keys``, or FULL.
    """
    begin = 0
    while begin < pulses and n != FULL:
        end = pulses
        if segment + 1 < segments:
            end = min(starts[segment + 1] - first_pulse, end)
        model = models[segment]
        segment += 1
        if end > begin and model >= 0 and table.p_any[model] > 0.0:
            if table.independent[model] > 0.0:
                n, state = independent_pulses(
                    state, table, model, delays, begin, end, cell_ps, period_fs, keys, n
                )
            elif table.paths[model, 1] >= 0.0:
                n, state = interfering_pulses(
                    state, table, model, delays, begin, end, cell_ps, period_fs, keys, n
                )
            else:
                n, state = cascade_pulses(
                    state, table, model, delays, begin, end, cell_ps, period_fs, keys, n
                )
        begin = max(end, begin)
    return n


@inlined
def steady_light(
    state: State,
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
            gap, state = draw_exponential(state)
            at_ps += gap / rate_per_ps
            if at_ps >= end_ps:
                break
            if n >= len(keys):
                return FULL
            keys[n] = ((cell_ps + int(at_ps)) << 3) | detector
            n += 1
        begin_ps = max(end_ps, begin_ps)
    return n
