"""Counts by the rate meter of a detector, with light for no longer than it takes."""

from collections.abc import Generator
from contextlib import contextmanager

from labctl.measurements._acquire import looking
from labctl.measurements._context import Context
from labctl.measurements._exposure import excitation
from labctl.measurements._settings import dose_rate_uj_cm2_s
from labctl.roles import PhotonCounter, TaggerSettings, TimeTagger

__all__ = ["RateMeter", "rate_meter"]

_GATE_S = 0.1
"""Of the modules' rate meters: a reading is the mean over the last full gate of 0.1 s. Gates run on
by themselves: only so long after a change has one begun that holds nothing of what was before, and
so long again until it is full."""


class RateMeter:
    """Counts photons; the excitation shutter is open only meanwhile.

    Attributes:
        counting_s: Time over which one number of counts is taken, s.
        dark: Counts in that time without light.
        lit_s: How long the light has been on altogether, s.
    """

    def __init__(self, context: Context, detector: PhotonCounter, readings: int) -> None:
        """Count without light first; ``readings`` gates make one number of counts."""
        self._context, self._detector, self._readings = context, detector, readings
        self.counting_s = readings * _GATE_S
        self.lit_s = 0.0
        self.dark = self.read()

    def counts(self) -> float:
        """Return the counts with the light on.

        Raises:
            ProtectionError: Too much light; it has been shut.
        """
        clock = self._context.clock
        began_s = clock.now()
        try:
            with excitation(self._context, wanted=True):
                return self.read()
        finally:
            self.lit_s += clock.now() - began_s

    def dose_uj_cm2(self) -> float | None:
        """Return the light that has fallen on the centre of the spot; None: not known."""
        per_s = dose_rate_uj_cm2_s(self._context)
        return None if per_s is None else per_s * self.lit_s

    def read(self) -> float:
        """Return the counts with light and place as they are now, and nothing of before."""
        what = f"{self._detector.name} to count"
        if self._detector.tagger:
            self._context.wait(_GATE_S, what=what)
        else:
            # A counter card tells the mean since it was last asked: that one is left out.
            self._detector.read_count_rate()
        found = 0.0
        for _ in range(self._readings):
            self._context.wait(_GATE_S, what=what)
            found += self._detector.read_count_rate() * _GATE_S
        return found


@contextmanager
def rate_meter(context: Context, detector: PhotonCounter, readings: int) -> Generator[RateMeter]:
    """Set the module and open the shutter in front of the detector for the block."""
    if detector.tagger:
        tagger = context.station.get(detector.tagger, TimeTagger)
        tagger.configure(TaggerSettings("histogram", 1.0))
        context.wait(tagger.settle_s, what=f"{tagger.name} rate meters")
    with looking([detector]):
        meter = RateMeter(context, detector, readings)
        detector.check_alive(meter.dark / meter.counting_s, meter.counting_s)
        yield meter
