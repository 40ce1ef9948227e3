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
    that a further reading changes none. What has been told stays told, whatever the light does
    afterwards. Gates that nobody has looked at for a second are drawn together, with the light as
    it is when somebody does.
    """

    def __init__(self, world: World, card: str, channel: int) -> None:
        """Begin now."""
        self._world, self._card, self._channel = world, card, channel
        self._gate, self._share = self._now()
        self._counts = 0

    def counts(self) -> int:
        """Pulses since the beginning."""
        gate, share = self._now()
        if gate > self._gate:
            self._finish_gate()
        if gate - self._gate > _MOST_GATES:
            self._counts += self._drawn(self._gate, gate - self._gate)[0]
            self._gate = gate
        while self._gate < gate:
            self._finish_gate()
        self._count_on(share)
        return self._counts

    def _finish_gate(self) -> None:
        self._count_on(1.0)
        self._gate, self._share = self._gate + 1, 0.0

    def _count_on(self, share: float) -> None:
        """Count in the present gate from where it was left to a share of its time."""
        counts, generator = self._drawn(self._gate, 1)
        if (self._share, share) != (0.0, 1.0):
            places = generator.random(counts)
            counts = int(np.count_nonzero((places >= self._share) & (places < share)))
        self._counts, self._share = self._counts + counts, share

    def _now(self) -> tuple[int, float]:
        gates = self._world.now() / _GATE_S
        # A time at the end of a gate is a sum of floats and may lie just before it.
        gate = math.floor(gates + 1e-9)
        return gate, max(gates - gate, 0.0)

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
