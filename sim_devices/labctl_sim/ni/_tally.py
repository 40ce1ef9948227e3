"""Pulses that one counter has seen."""

import math

import numpy as np

from labctl_sim.world import World
from labctl_sim.world.photons import Bench

__all__ = ["Tally"]

_GATE_S = 0.1
_MOST_GATES = 10


class Tally:
    """The count of one counter while its task runs.

    Pulses come in gates of 0.1 s of the world's clock, each with random numbers of its own, so
    that a further reading changes none. Gates that nobody has looked at for a second are drawn
    together, with the light as it is when somebody does.
    """

    def __init__(self, world: World, card: str, channel: int) -> None:
        """Begin now."""
        self._world, self._card, self._channel = world, card, channel
        self._gate, self._full = self._now()[0], 0
        self._highest = 0
        self._base = self._in_gate(*self._now())

    def counts(self) -> int:
        """Pulses since the beginning."""
        gate, share = self._now()
        if gate - self._gate > _MOST_GATES:
            self._full += self._drawn(self._gate, gate - self._gate)[0]
            self._gate = gate
        while self._gate < gate:
            self._full += self._drawn(self._gate, 1)[0]
            self._gate += 1
        # The light may change within a gate; a counter never counts backwards.
        self._highest = max(self._highest, self._full + self._in_gate(gate, share) - self._base)
        return self._highest

    def _now(self) -> tuple[int, float]:
        gates = self._world.now() / _GATE_S
        # A time at the end of a gate is a sum of floats and may lie just before it.
        gate = math.floor(gates + 1e-9)
        return gate, max(gates - gate, 0.0)

    def _in_gate(self, gate: int, share: float) -> int:
        counts, generator = self._drawn(gate, 1)
        return int(np.count_nonzero(generator.random(counts) < share))

    def _drawn(self, gate: int, gates: int) -> tuple[int, np.random.Generator]:
        generator = self._world.lasting_generator(self._card, "counter", self._channel, gate, gates)
        expected = self._rate_hz(gate, gates) * gates * _GATE_S
        return int(generator.poisson(expected)), generator

    def _rate_hz(self, gate: int, gates: int) -> float:
        bench = Bench.of(self._world)
        apd = bench.counted_by(self._card, self._channel)
        if apd is None:
            return 0.0
        # Detectors that share the light are looked at together.
        group = bench.apds(apd.tagger)
        rates = bench.rates_hz(group, gate * _GATE_S, gates * _GATE_S)
        return rates[group.index(apd)]
