"""Peak energy against the electric field, with its parabola and residuals."""

from matplotlib.figure import SubFigure

from labctl.analysis import Measured, StarkLaw
from labctl.results._export import format_measured
from labctl.results._law_figure import DATA, draw_law, draw_points, draw_residuals, pair
from labctl.results._stark_results import StarkAnalysis

__all__ = ["draw_stark"]


def draw_stark(figure: SubFigure, stark: StarkAnalysis) -> None:
    """Draw the points of a sweep; those in compliance, which the law leaves out, are crosses."""
    axes, below = pair(figure, "peak energy / eV", against="field / kV/cm")
    law = stark.law
    for limited, marker, label in ((False, "o", "peak"), (True, "x", "in compliance")):
        chosen = [one for one in stark.points if one.limited is limited]
        if not chosen:
            continue
        fields = [Measured(one.field_kv_cm, 0.0) for one in chosen]
        energies = [one.energy_ev for one in chosen]
        draw_points(axes, fields, energies, marker, DATA, label)
        if law is not None and not limited:
            spread = [one.plus_systematic(1e-3 * law.wander_mev) for one in energies]
            draw_law(axes, fields, law)
            draw_residuals(below, fields, spread, law, DATA)
    axes.set_title("no law was fitted" if law is None else _words(law), fontsize=8)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.legend(frameon=False, fontsize=8)


def _words(law: StarkLaw) -> str:
    half = law.half_polarizability_mev_cm2_kv2.scaled(1e5)
    return "\n".join(
        (
            r"$E_v-\frac{1}{2}\alpha\,(F+F_{int})^2$",
            rf"$F_{{int}}$ = {format_measured(law.internal_field_kv_cm)} kV/cm, "
            rf"$\frac{{1}}{{2}}\alpha$ = ({format_measured(half)})"
            r"$\cdot10^{-5}$ meV/(kV/cm)$^2$",
            rf"dipole {format_measured(law.dipole_e_nm)} e nm",
        )
    )
