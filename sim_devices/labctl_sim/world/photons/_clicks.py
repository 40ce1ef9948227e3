"""Detectors and the module's inputs: dead times, afterpulses, cross-talk, delays of cables."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl_sim.world._types import FloatArray
from labctl_sim.world.photons._emit import Numbers
from labctl_sim.world.photons._jit import inlined
from labctl_sim.world.photons._random import State, draw_exponential, draw_unit
from labctl_sim.world.photons._sorting import Times

ECHOES = 4096
"""Most afterpulses and cross-talk events that wait at a time."""


class Responses(NamedTuple):
    """What detectors and inputs do to events; one number per detector each."""

    dead_ps: Numbers
    """Not extended by what arrives meanwhile."""
    afterpulse_probability: FloatArray
    afterpulse_ps: FloatArray
    """Mean delay after the dead time."""
    crosstalk_probability: FloatArray
    crosstalk_ps: Numbers
    """Delay at the other detector."""
    shift_ps: Numbers
    """Cable and offset between the detector and the module's clock."""
    module_dead_ps: Numbers
    alive: NDArray[np.bool_]
    """Whether pulses of this detector reach the module."""


class Waiting(NamedTuple):
    """What goes from one cell to the next."""

    busy_ps: Numbers
    """When each detector is ready again."""
    module_busy_ps: Numbers
    """The same for the module's inputs; from 0 on."""
    echoes: Times
    """Sorted afterpulses and cross-talk still to come, shape (ECHOES,)."""
    sizes: Numbers
    """Number of echoes; then number of clicks since the beginning, by detector."""


@inlined
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


@inlined
def next_echo(waiting: Waiting) -> int:
    """Take the first echo out."""
    key = int(waiting.echoes[0])
    waiting.sizes[0] -= 1
    for index in range(waiting.sizes[0]):
        waiting.echoes[index] = waiting.echoes[index + 1]
    return key


@inlined
def avalanches(
    state: State,
    responses: Responses,
    waiting: Waiting,
    arrivals: Times,
    n_arrivals: int,
    until_ps: int,
    out: Times,
    n_out: int,
) -> tuple[int, int]:
    """Turn arrivals before ``until_ps`` into avalanches, appended to ``out`` in the module's time.

    Each avalanche makes its detector dead for a while and may cause one later event: in the same
    detector an afterpulse, or in another one cross-talk. The cables leave ``out`` out of order.

    Returns:
        Number of arrivals used, and the new end of ``out``.
    """
    busy_ps, dead_ps = waiting.busy_ps, responses.dead_ps
    after, cross = responses.afterpulse_probability, responses.crosstalk_probability
    counts = waiting.sizes
    until = until_ps << 3
    echo = waiting.echoes[0] if counts[0] > 0 else until
    used = 0
    while True:
        key = min(arrivals[used], until) if used < n_arrivals else until
        if echo < key:
            key = next_echo(waiting)
            echo = waiting.echoes[0] if counts[0] > 0 else until
        elif key >= until:
            return used, n_out
        else:
            used += 1
        detector, at_ps = key & 7, key >> 3
        if at_ps < busy_ps[detector] or n_out >= len(out):
            continue
        busy_ps[detector] = at_ps + dead_ps[detector]
        counts[1 + detector] += 1
        out[n_out] = key + (responses.shift_ps[detector] << 3)
        n_out += 1
        chance, state = draw_unit(state)
        if chance <= after[detector] + cross[detector]:
            if chance <= after[detector]:
                late, state = draw_exponential(state)
                delay = responses.afterpulse_ps[detector] * late
                add_echo(waiting, ((busy_ps[detector] + int(delay)) << 3) | detector)
            elif len(dead_ps) > 1:
                share, state = draw_unit(state)
                other = min(int(share * (len(dead_ps) - 1)), len(dead_ps) - 2)
                other += other >= detector
                add_echo(waiting, ((at_ps + responses.crosstalk_ps[detector]) << 3) | other)
            echo = waiting.echoes[0]


@inlined
def register(
    responses: Responses,
    busy_ps: Numbers,
    keys: Times,
    n_keys: int,
    until_ps: int,
    out: Times,
    n_out: int,
) -> tuple[int, int]:
    """Let the module see the pulses before ``until_ps`` that it is ready for.

    Returns:
        Number of pulses used, and the new end of ``out``.
    """
    alive, dead_ps = responses.alive, responses.module_dead_ps
    used = 0
    while used < n_keys and keys[used] < until_ps << 3:
        key = keys[used]
        used += 1
        detector, at_ps = key & 7, key >> 3
        if alive[detector] and at_ps >= busy_ps[detector]:
            busy_ps[detector] = at_ps + dead_ps[detector]
            out[n_out] = key
            n_out += 1
    return used, n_out
