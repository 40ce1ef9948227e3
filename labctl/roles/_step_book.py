"""Dead reckoning: where an axis without read-out should be, from steps and believed sizes."""

from dataclasses import dataclass

from labctl.roles._positioner_axis import StepSizes

__all__ = ["StepBook", "steps_for"]


@dataclass(frozen=True)
class _Run:
    steps: int
    began_s: float
    frequency_hz: float
    sizes: StepSizes

    def done(self, now_s: float) -> int:
        made = min(abs(self.steps), int((now_s - self.began_s) * self.frequency_hz))
        return made if self.steps > 0 else -made


@dataclass
class StepBook:
    """Steps of one axis; the estimate is in um from where the axis stood on connecting.

    Attributes:
        sizes: Believed sizes; None: never given, the steps then add up to nothing known.
    """

    sizes: StepSizes | None
    _at_um: float = 0.0
    _run: _Run | None = None

    def begin(self, steps: int, now_s: float, frequency_hz: float, voltage_v: float) -> None:
        """Take note of steps that begin now."""
        if self.sizes is not None:
            self._run = _Run(steps, now_s, frequency_hz, self.sizes.at(voltage_v))

    def end(self) -> None:
        """Take note that all steps have been made."""
        if self._run is not None:
            self._at_um += length_um(self._run.sizes, self._run.steps)
        self._run = None

    def cut(self, now_s: float) -> None:
        """Take note that the steps were stopped now; those that time allowed have been made."""
        self._at_um, self._run = self.um(now_s), None

    def um(self, now_s: float) -> float:
        """Return the estimate, um."""
        run = self._run
        return self._at_um + (0.0 if run is None else length_um(run.sizes, run.done(now_s)))

    def define(self, um: float) -> None:
        """Say where the axis stands."""
        self._at_um, self._run = um, None


def length_um(sizes: StepSizes, steps: int) -> float:
    """Return how far so many steps lead, um; negative: downwards."""
    return steps * (sizes.up_um if steps > 0 else sizes.down_um)


def steps_for(sizes: StepSizes, um: float) -> int:
    """Return the number of steps nearest to a distance, um; negative: downwards."""
    return round(um / (sizes.up_um if um > 0 else sizes.down_um))
