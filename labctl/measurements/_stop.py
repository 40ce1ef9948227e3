"""When an acquisition of photons ends."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator

from labctl.units import FluenceUjCm2, Seconds, split_suffix

__all__ = ["Progressed", "Stop"]

_MARGIN_S = 1.0


def _key(name: str) -> str:
    return split_suffix(name)[0]


@dataclass(frozen=True)
class Progressed:
    """How far an acquisition has come.

    Attributes:
        live_s: Time in which photons were taken, s.
        counts: Photons of all its detectors.
        dose_uj_cm2: Light that has fallen on the centre of the spot, uJ/cm²; None: not known.
        relative_error: Of the quantity that is wanted; None: not known yet.
    """

    live_s: float
    counts: int
    dose_uj_cm2: float | None = None
    relative_error: float | None = None


class Stop(BaseModel):
    """Stop rules; the first that is met ends the acquisition.

    Attributes:
        time_s: Live time, s.
        counts: Photons of all detectors together.
        relative_error: Standard error over value of the lifetime (trpl) or of g2(0) (g2).
        dose_uj_cm2: Fluence in the centre of the spot, summed over all pulses.
        at_most_s: Longest live time if another rule is not met before, s.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_key, validate_by_name=False
    )

    time_s: Seconds | None = Field(None, gt=0)
    counts: int | None = Field(None, gt=0)
    relative_error: float | None = Field(None, gt=0, lt=1)
    dose_uj_cm2: FluenceUjCm2 | None = Field(None, gt=0)
    at_most_s: Seconds | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _ends(self) -> "Stop":
        if self.time_s is None and self.at_most_s is None:
            message = "would never end for sure; add 'at_most: 60 s' or 'time: 60 s'"
            raise ValueError(message)
        return self

    @property
    def longest_s(self) -> float:
        """Return the longest live time, s."""
        return min(t for t in (self.time_s, self.at_most_s) if t is not None)

    @property
    def at_the_end(self) -> str:
        """Return the rule that is met when the longest time is up."""
        return "time" if self.time_s == self.longest_s else "at_most"

    def met(self, now: Progressed) -> str:
        """Return the rule that is met, or an empty text."""
        if self.counts is not None and now.counts >= self.counts:
            return "counts"
        dose, error = now.dose_uj_cm2, now.relative_error
        if self.dose_uj_cm2 is not None and dose is not None and dose >= self.dose_uj_cm2:
            return "dose"
        if self.relative_error is not None and error is not None and error <= self.relative_error:
            return "relative_error"
        return self.at_the_end if now.live_s >= self.longest_s else ""

    def fraction(self, now: Progressed) -> float:
        """Return how far the nearest rule is met, 0 to 1."""
        parts = [now.live_s / self.longest_s]
        if self.counts is not None:
            parts.append(now.counts / self.counts)
        if self.dose_uj_cm2 is not None and now.dose_uj_cm2 is not None:
            parts.append(now.dose_uj_cm2 / self.dose_uj_cm2)
        if self.relative_error is not None and now.relative_error:
            parts.append((self.relative_error / now.relative_error) ** 2)
        return min(max(parts), 1.0)

    def estimate_s(self) -> float:
        """Return the expected lab time in s: that of the rule that surely ends it."""
        return self.longest_s + _MARGIN_S
