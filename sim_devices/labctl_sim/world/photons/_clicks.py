"""Detectors: dead time, afterpulses, cross-talk, and the dead time of the module behind them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl_sim.world._types import FloatArray
from labctl_sim.world.photons._emit import Numbers
from labctl_sim.world.photons._jit import jit
from labctl_sim.world.photons._random import Words, draw_exponential, draw_unit
from labctl_sim.world.photons._sorting import Times

ECHOES = 4096
"""Most afterpulses and cross-talk events that wait at a time."""


class Responses(NamedTuple):
    """What detectors do to events; one number per detector each."""

    dead_ps: Numbers
    """Not extended by what arrives meanwhile."""
    afterpulse_probability: FloatArray
    afterpulse_ps: FloatArray
    """Mean delay after the dead time."""
    crosstalk_probability: FloatArray
    crosstalk_ps: Numbers
    """Delay at the other detectors, from shifted time to shifted time."""
    module_dead_ps: Numbers
    alive: NDArray[np.bool_]
    """Whether pulses of this detector reach the module."""


class Waiting(NamedTuple):
    """What goes from one cell to the next."""

    busy_ps: Numbers
    """When each detector is ready again."""
    module_busy_ps: Numbers
    echoes: Times
    """Sorted afterpulses and cross-talk still to come, shape (ECHOES,)."""
    sizes: Numbers
    """Number of echoes; number of clicks since the beginning, by detector."""


@jit
def add_echo(waiting: Waiting, key: int) -> None:
    """Keep an event for later, in order; what does not fit is lost."""
    n = int(waiting.sizes[0])
    if n >= ECHOES:
        return
    while n > 0 and waiting.echoes[n - 1] > key:
        waiting.echoes[n] = waiting.echoes[n - 1]
        n -= 1
    waiting.echoes[n] = key
    waiting.sizes[0] += 1


@jit
def react(words: Words, responses: Responses, waiting: Waiting, at_ps: int, detector: int) -> None:
    """An avalanche: the detector is dead for a while and may cause later events."""
    waiting.busy_ps[detector] = at_ps + responses.dead_ps[detector]
    waiting.sizes[1 + detector] += 1
    chance = draw_unit(words)
    after = responses.afterpulse_probability[detector]
    if chance <= after:
        delay = responses.afterpulse_ps[detector] * draw_exponential(words)
        add_echo(waiting, ((waiting.busy_ps[detector] + int(delay)) << 3) | detector)
    elif chance <= after + responses.crosstalk_probability[detector]:
        other = int(draw_unit(words) * (len(responses.dead_ps) - 1) - 1e-12)
        if other >= detector:
            other += 1
        if other < len(responses.dead_ps):
            at_ps += responses.crosstalk_ps[other] - responses.crosstalk_ps[detector]
            at_ps += responses.crosstalk_ps[len(responses.dead_ps)]
            add_echo(waiting, (at_ps << 3) | other)


@jit
def clicks(
    words: Words,
    responses: Responses,
    waiting: Waiting,
    arrivals: Times,
    n_arrivals: int,
    until_ps: int,
    out: Times,
    n_out: int,
) -> tuple[int, int]:
    """Turn arrivals before ``until_ps`` into what the module registers.

    Returns:
        Number of arrivals used, and the new end of ``out``.
    """
    until = until_ps << 3
    used, first = 0, 0
    while True:
        echo = first < waiting.sizes[0] and waiting.echoes[first] < until
        arrival = used < n_arrivals and arrivals[used] < until
        if not echo and not arrival:
            break
        if echo and (not arrival or waiting.echoes[first] < arrivals[used]):
            key = waiting.echoes[first]
            first += 1
            if first > ECHOES // 2:
                first = drop_echoes(waiting, first)
        else:
            key = arrivals[used]
            used += 1
        detector, at_ps = key & 7, key >> 3
        if at_ps < waiting.busy_ps[detector]:
            continue
        # Echoes are younger than the event that causes them, so that the list stays in order.
        first = drop_echoes(waiting, first) if first > 0 else 0
        react(words, responses, waiting, at_ps, detector)
        if not responses.alive[detector] or at_ps < waiting.module_busy_ps[detector] or at_ps < 0:
            continue
        waiting.module_busy_ps[detector] = at_ps + responses.module_dead_ps[detector]
        out[n_out] = key
        n_out += 1
    drop_echoes(waiting, first)
    return used, n_out


@jit
def drop_echoes(waiting: Waiting, first: int) -> int:
    """Forget the first echoes; the next one stands at 0 again."""
    left = int(waiting.sizes[0]) - first
    for index in range(left):
        waiting.echoes[index] = waiting.echoes[index + first]
    waiting.sizes[0] = left
    return 0
