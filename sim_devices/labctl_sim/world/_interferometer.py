"""Two splitters with a short and a long way between them, in front of two detectors."""

from dataclasses import dataclass

ARMS = ("both", "short", "long")


@dataclass(frozen=True)
class Interferometer:
    """An unbalanced Mach-Zehnder: the long arm takes one laser period more, and ``delay_ps``."""

    short_rel: float = 0.5
    """Share of the light that takes the short arm and comes through it."""
    long_rel: float = 0.5
    """The same of the long arm."""
    transmitted_rel: float = 0.5
    """Of the second splitter: from the short arm to the first detector, from the long arm to the
    second one."""
    delay_ps: float = 0.0
    """Of the long arm beyond one period; the true zero is where photons of successive pulses
    meet."""
    arms: str = "both"
    """Which are open: "both", "short" or "long"."""
    crossed: bool = False
    """Polarizations of the arms are orthogonal, so that nothing interferes."""

    @property
    def open_rel(self) -> tuple[float, float]:
        """Share of the light through the short and the long arm as they stand."""
        return (
            0.0 if self.arms == "long" else self.short_rel,
            0.0 if self.arms == "short" else self.long_rel,
        )

    @property
    def ports_rel(self) -> tuple[float, float]:
        """Share of the light that comes to each detector."""
        short, long = self.open_rel
        passed, turned = self.transmitted_rel, 1.0 - self.transmitted_rel
        return short * passed + long * turned, short * turned + long * passed
