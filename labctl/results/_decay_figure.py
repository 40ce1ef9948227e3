"""Decays with their fits, and lifetimes against what was scanned."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from numpy.typing import NDArray

from labctl.analysis import ArrheniusLaw, FluenceLine, Measured
from labctl.results._decay_results import DecayAnalysis
from labctl.results._decays import FittedDecay
from labctl.results._export import format_measured
from labctl.results._law_figure import DATA, INTRINSIC, draw_law, draw_points, draw_residuals, pair

__all__ = ["draw_decays", "draw_lifetimes"]

Vector = NDArray[np.float64]

_BEFORE_PS, _LIFETIMES = 300.0, 6.0
_PER_CURVE = 250
_DECADES = 2.5
_FORMULA = r"$\tau_0\,[1+g\,\exp(-E_a/k_BT)]$"


def draw_decays(figure: SubFigure, decays: Sequence[FittedDecay]) -> Axes:
    """Draw decays with their fits on a logarithmic scale, each scaled to its maximum."""
    axes = figure.subplots()
    fitted = [one for one in decays if one.fit is not None]
    for number, one in enumerate(fitted):
        _curve(axes, one, 10.0 ** (-0.6 * number))
    axes.set_yscale("log")
    axes.set(xlabel="delay after the laser's pulse / ns", ylabel="counts, scaled and shifted")
    axes.set_title("decays with their fits", fontsize=8)
    return axes


def draw_lifetimes(figure: SubFigure, analysis: DecayAnalysis) -> tuple[Axes, Axes]:
    """Draw lifetimes against temperature or fluence with the law; returns both axes."""
    fitted = [one for one in analysis.decays if one.fit is not None]
    values = [_lifetime(one) for one in fitted]
    law: Callable[[Vector], Vector] | None
    if analysis.fluence is not None:
        against = [Measured(one.decay.source.fluence_uj_cm2 or np.nan, 0.0) for one in fitted]
        law, words, label = _line(analysis.fluence), _line_words(analysis.fluence), "peak fluence"
        axes, below = pair(figure, "lifetime / ps", f"{label} / (µJ/cm²)")
    else:
        against = [one.decay.source.temperature_k or Measured(np.nan, 0.0) for one in fitted]
        law, words = analysis.arrhenius, _arrhenius_words(analysis.arrhenius)
        axes, below = pair(figure, "lifetime / ps")
    draw_points(axes, against, values, "o", DATA, "exciton")
    if law is not None:
        draw_law(axes, against, law)
        draw_residuals(below, against, values, law, DATA)
    axes.set_title(words, fontsize=8)
    axes.legend(frameon=False, fontsize=8)
    return axes, below


def _lifetime(one: FittedDecay) -> Measured:
    return Measured(np.nan, 0.0) if one.fit is None else one.fit.lifetime_ps


def _curve(axes: Axes, one: FittedDecay, shift: float) -> None:
    fit, bin_ps = one.fit, one.decay.source.bin_ps
    if fit is None:
        return
    first = round(fit.window_ps[0] / bin_ps)
    peak = first + int(np.argmax(fit.model_counts))
    begin = max(peak - round(_BEFORE_PS / bin_ps), first)
    reach_ps = _LIFETIMES * (fit.lifetime_ps.value + _BEFORE_PS / 4)
    end = min(peak + round(reach_ps / bin_ps), first + len(fit.model_counts))
    width = max(1, (end - begin) // _PER_CURVE)
    end = begin + (end - begin) // width * width
    counts = one.decay.counts[begin:end].reshape(-1, width).mean(axis=1)
    model = fit.model_counts[begin - first : end - first].reshape(-1, width).mean(axis=1)
    bins = begin + width * (np.arange(len(counts), dtype=np.float64) + 0.5)
    delay_ns = 1e-3 * bin_ps * bins
    top = float(model.max())
    for values, line, colour in ((counts, ".", DATA), (model, "-", INTRINSIC)):
        # What lies lower is background, and would hide the curves below.
        shown = np.where(values > top * 10.0**-_DECADES, values / top * shift, np.nan)
        axes.plot(delay_ns, shown, line, ms=2.0, lw=0.9, color=colour)


def _line(line: FluenceLine) -> Callable[[Vector], Vector]:
    def law(fluence_uj_cm2: Vector) -> Vector:
        return line.at_zero_ps.value + line.slope_ps_cm2_per_uj.value * fluence_uj_cm2

    return law


def _line_words(line: FluenceLine) -> str:
    return (
        f"{format_measured(line.at_zero_ps)} ps, "
        f"slope {format_measured(line.slope_ps_cm2_per_uj)} ps cm²/µJ"
    )


def _arrhenius_words(law: ArrheniusLaw | None) -> str:
    if law is None:
        return "no law was fitted"
    return "\n".join(
        (
            _FORMULA,
            rf"$\tau_0$ = {format_measured(law.tau_0_ps)} ps, $g$ = "
            f"{format_measured(law.strength)}, "
            rf"$E_a$ = {format_measured(law.activation_mev)} meV",
        )
    )
