"""Pulse counter: a counter card that counts the pulses of detectors."""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from labctl.errors import RefusedError
from labctl.roles._base import Identity, Instrument

__all__ = ["PulseCounter"]

_SHORTEST_S = 0.01


class PulseCounter(Instrument):
    """Base of counter-card drivers.

    The card counts without end; a rate is the difference of two readings over the clock time
    between them. A burst of light is diluted by a long time between readings, so whoever guards a
    detector reads every 100 to 200 ms.
    """

    role: ClassVar[str] = "pulse_counter"
    counts_modulus: ClassVar[int] = 2**32
    """The count returns to 0 when it would reach this."""

    def __init__(self, name: str) -> None:
        """Name it; ``attach`` comes before the first rate."""
        super().__init__(name)
        self._now: Callable[[], float] | None = None
        self._before: dict[tuple[int, str], tuple[float, int]] = {}
        self._rates_hz: dict[tuple[int, str], float] = {}

    @abstractmethod
    def inputs(self) -> tuple[int, ...]:
        """Return the numbers of the counters in use, from 0."""

    @abstractmethod
    def read_counts(self, channel: int) -> int:
        """Return the counts of one counter since ``connect``, modulo ``counts_modulus``."""

    def connect(self) -> Identity:
        """Open the connection; the first rate is the mean since now."""
        identity = super().connect()
        self._before.clear()
        if self._now is not None:
            for channel in self.inputs():
                self.start_rate(channel)
        return identity

    def attach(self, now: Callable[[], float]) -> None:
        """Take the clock, s, that rates are measured with."""
        self._now = now

    def start_rate(self, channel: int, reader: str = "") -> None:
        """Begin to measure the rate of a counter now."""
        self._before[channel, reader] = self._reading(channel)
        self._rates_hz.pop((channel, reader), None)

    def count_rate_hz(self, channel: int, reader: str = "") -> float:
        """Return the mean rate since this reader's reading before, Hz.

        Within 10 ms of the reading before, the rate of then is returned again.

        Args:
            channel: Number of the counter, from 0.
            reader: Who asks: readings of one change no rate of another.

        Raises:
            RefusedError: There is no such counter, or no two readings to compare yet.
        """
        mine = channel, reader
        if mine not in self._before:
            self.start_rate(*mine)
        before_s, before = self._before[mine]
        now_s, counts = self._reading(channel)
        if now_s - before_s >= _SHORTEST_S:
            rate_hz = (counts - before) % self.counts_modulus / (now_s - before_s)
            self._before[mine], self._rates_hz[mine] = (now_s, counts), rate_hz
        if mine not in self._rates_hz:
            raise RefusedError(
                self.name, f"counter {channel} has no rate yet", "ask again in 100 ms"
            )
        return self._rates_hz[mine]

    def _reading(self, channel: int) -> tuple[float, int]:
        if channel not in self.inputs():
            known = ", ".join(str(number) for number in self.inputs())
            raise RefusedError(self.name, f"has no counter {channel}", f"counters: {known}")
        if self._now is None:
            raise RefusedError(self.name, "has no clock to measure rates with", "attach one")
        return self._now(), self.read_counts(channel)
