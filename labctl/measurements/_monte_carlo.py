"""The measurement ``monte_carlo``: photon statistics that are drawn instead of measured."""

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from labctl.analysis import CascadeDraw, draw_cascades, drawn_statistics
from labctl.errors import AnalysisError
from labctl.measurements._context import Array, Context
from labctl.measurements._measurement import Measurement

__all__ = ["MonteCarlo"]


class MonteCarlo(Measurement):
    """Pulses of a weakly confined dot behind a beam splitter, with no instrument at all.

    Excitations are Poissonian, up to four of them emit one after the other, and no photon is lost
    (Zhu 2024, Extended Data Fig. 8).

    Attributes:
        mean: Mean number of excitations per pulse.
        biexciton_yield: Yield of every excitation before the last; that of the last is 1.
        pulses: Number of pulses.
        seed: Of the random numbers; the same seed gives the same pulses.
    """

    kind: ClassVar[str] = "monte_carlo"

    mean: float = Field(gt=0, le=20)
    biexciton_yield: float = Field(1.0, ge=0, le=1)
    pulses: int = Field(1_000_000, ge=100, le=100_000_000)
    seed: int = Field(0, ge=0)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            mean: float,
            biexciton_yield: float = 1.0,
            pulses: int = 1_000_000,
            seed: int = 0,
        ) -> None:
            """As in a recipe: ``mean=0.1, biexciton_yield=1``."""

    def estimate_s(self) -> float:
        """Return 0: no time passes in the lab."""
        return 0.0

    def run(self, context: Context) -> None:
        """Draw the pulses and store how many there were of each kind."""
        draw = draw_cascades(self.mean, self.biexciton_yield, self.pulses, self.seed)
        context.store(
            [
                Array("pulses", draw.pulses, "counts", ("exciton", "multiexciton", "detected_a")),
                Array("pairs", draw.pairs, "counts", ("peak",)),
                Array("lag", draw.lag_pulses, "", ("peak",)),
            ],
            settings={"statistics": self._settings()},
            live_time_s=0.0,
            brief=_brief(draw),
        )

    def _settings(self) -> dict[str, Any]:
        return {
            "mean_excitations": self.mean,
            "biexciton_yield": self.biexciton_yield,
            "seed": self.seed,
        }


def _brief(draw: CascadeDraw) -> str:
    pulses = int(draw.pulses.sum())
    try:
        found = drawn_statistics(draw).g2_zero
    except AnalysisError as error:
        return str(error)
    return f"g2(0) = {found.value:.4f} ± {found.error:.4f} from {pulses} pulses"
