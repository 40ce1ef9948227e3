"""The laws of a temperature series, drawn with their formulas and residuals."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from numpy.typing import NDArray

from labctl.analysis import EnergyLaw, LinewidthLaw, Measured, PeakFit, TransitionLaw
from labctl.results._export import format_measured
from labctl.results._points import FittedPoint
from labctl.results._temperature_results import TemperatureLaws

__all__ = [
    "DATA",
    "INTRINSIC",
    "draw_energies",
    "draw_law",
    "draw_points",
    "draw_residuals",
    "draw_widths",
    "pair",
    "zero_line",
]

Vector = NDArray[np.float64]

DATA, INTRINSIC, _LAW = "#1f4e79", "#c55a11", "#444444"
_WIDTH_FORMULA = r"$\Gamma_0+\sigma T+\Gamma_{LO}\,/\,(e^{E_{LO}/k_BT}-1)$"
_ENERGY_FORMULA = r"$E_{4K}+f(T)-f(4\,K),\ f=aT-b\,[\coth(E_{ph}/2k_BT)-1]$"


def draw_widths(
    figure: SubFigure, points: Sequence[FittedPoint], laws: TemperatureLaws
) -> tuple[Axes, Axes]:
    """Draw observed and intrinsic widths with the law of the latter; returns both axes."""
    axes, below = pair(figure, "FWHM / meV")
    temperature = _temperatures(points)
    observed, intrinsic = _of(points, _observed), _of(points, _lorentz)
    draw_points(axes, temperature, observed, "o", DATA, "observed")
    draw_points(axes, temperature, intrinsic, "s", INTRINSIC, "intrinsic")
    if laws.linewidth is None:
        axes.set_title("no law was fitted", fontsize=8)
    else:
        draw_law(axes, temperature, laws.linewidth.fit)
        axes.set_title(_width_words(laws.linewidth), fontsize=8)
        draw_residuals(below, temperature, intrinsic, laws.linewidth.fit, INTRINSIC)
    axes.legend(frameon=False, fontsize=8)
    return axes, below


def draw_energies(
    figure: SubFigure,
    points: Sequence[FittedPoint],
    laws: TemperatureLaws,
    energy_4k_ev: Measured | None,
) -> tuple[Axes, Axes]:
    """Draw the peak energies with their law; returns both axes.

    Args:
        figure: To draw into.
        points: Of the series, all fitted.
        laws: Of the series.
        energy_4k_ev: With the error of the axis, as it is reported; None: that of the law.
    """
    axes, below = pair(figure, "peak energy / eV")
    temperature, energy = _temperatures(points), _of(points, _energy)
    draw_points(axes, temperature, energy, "o", DATA, "peak")
    law = laws.energy
    if laws.transition is not None:
        _draw_transition(axes, below, laws.transition, temperature, energy)
    elif law is None:
        axes.set_title("no law was fitted", fontsize=8)
    else:

        def law_ev(kelvin: Vector) -> Vector:
            return law.offset_ev + 1e-3 * law.fit(kelvin)

        draw_law(axes, temperature, law_ev)
        axes.set_title(_energy_words(law, energy_4k_ev or law.energy_4k_ev), fontsize=8)
        wander = 1e-3 * law.wander_mev
        spread = [Measured(e.value, float(np.hypot(e.error, wander))) for e in energy]
        draw_residuals(below, temperature, spread, law_ev, DATA)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.legend(frameon=False, fontsize=8)
    return axes, below


def _draw_transition(
    axes: Axes,
    below: Axes,
    law: TransitionLaw,
    temperature: Sequence[Measured],
    energy: Sequence[Measured],
) -> None:
    draw_law(axes, temperature, law)
    for edge in (law.onset_k.value, law.end_k.value):
        axes.axvline(edge, lw=0.8, ls=":", color=_LAW)
    axes.set_title(
        f"{_ENERGY_FORMULA}\nred shift {format_measured(law.red_shift_mev)} meV, "
        f"onset (5 %) {format_measured(law.onset_k)} K",
        fontsize=8,
    )
    wander = 1e-3 * law.wander_mev
    spread = [Measured(e.value, float(np.hypot(e.error, wander))) for e in energy]
    draw_residuals(below, temperature, spread, law, DATA)


def zero_line(axes: Axes) -> None:
    """Prepare an axis of residuals in standard errors."""
    axes.axhline(0.0, lw=0.8, color=_LAW)
    axes.set_ylabel("residual / σ", fontsize=8)


def pair(figure: SubFigure, label: str, against: str = "temperature / K") -> tuple[Axes, Axes]:
    """Return axes for a quantity and, below them, for its residuals."""
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.0, 1.0))
    axes.set_ylabel(label)
    zero_line(below)
    below.set_xlabel(against)
    return axes, below


def _width_words(law: LinewidthLaw) -> str:
    return "\n".join(
        (
            _WIDTH_FORMULA,
            rf"$\Gamma_0$ = {format_measured(law.gamma_0_mev)} meV, "
            rf"$\sigma$ = {format_measured(law.sigma_mev_per_k)} meV/K,",
            rf"$\Gamma_{{LO}}$ = {format_measured(law.gamma_lo_mev)} meV, "
            rf"$E_{{LO}}$ = {format_measured(law.e_lo_mev)} meV",
        )
    )


def _energy_words(law: EnergyLaw, energy_4k_ev: Measured) -> str:
    return "\n".join(
        (
            _ENERGY_FORMULA,
            rf"$E_{{4K}}$ = {format_measured(energy_4k_ev)} eV, "
            rf"$a$ = {format_measured(law.a_mev_per_k)} meV/K,",
            rf"$b$ = {format_measured(law.b_mev)} meV, "
            rf"$E_{{ph}}$ = {format_measured(law.e_ph_mev)} meV",
        )
    )


def draw_law(axes: Axes, temperature: Sequence[Measured], law: Callable[[Vector], Vector]) -> None:
    """Draw a law over the range of the points."""
    values = np.array([t.value for t in temperature])
    grid = np.linspace(float(np.nanmin(values)), float(np.nanmax(values)), 200)
    axes.plot(grid, law(grid), "-", lw=1, color=_LAW, label="law")


def draw_residuals(
    axes: Axes,
    temperature: Sequence[Measured],
    values: Sequence[Measured],
    law: Callable[[Vector], Vector],
    colour: str,
) -> None:
    """Draw values less the law, in standard errors."""
    kelvin = np.array([t.value for t in temperature])
    value = np.array([v.value for v in values])
    error = np.array([v.error for v in values])
    axes.plot(kelvin, (value - law(kelvin)) / error, "o", ms=3.5, color=colour)


def _of(points: Sequence[FittedPoint], quantity: Callable[[PeakFit], Measured]) -> list[Measured]:
    return [quantity(point.fit) for point in points if point.fit is not None]


def _observed(fit: PeakFit) -> Measured:
    return fit.fwhm_observed_mev


def _lorentz(fit: PeakFit) -> Measured:
    return fit.lorentz_fwhm_mev


def _energy(fit: PeakFit) -> Measured:
    return fit.energy_ev


def _temperatures(points: Sequence[FittedPoint]) -> list[Measured]:
    reads = [p.spectrum.temperature_k for p in points]
    return [read if read is not None else Measured(np.nan, 0.0) for read in reads]


def draw_points(
    axes: Axes,
    temperature: Sequence[Measured],
    values: Sequence[Measured],
    marker: str,
    colour: str,
    label: str,
) -> None:
    """Draw points with both error bars."""
    axes.errorbar(
        [t.value for t in temperature],
        [v.value for v in values],
        xerr=[t.error for t in temperature],
        yerr=[v.error for v in values],
        fmt=marker, ms=4, lw=0.8, capsize=2, color=colour, label=label,
    )  # fmt: skip
