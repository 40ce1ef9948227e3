"""Fits of all decays of a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from labctl.analysis import DecayFit, DecayModel, Measured, fit_decay, pile_up
from labctl.errors import AnalysisError
from labctl.results._result import Cell, ResultTable
from labctl.results._stored_photons import StoredDecay

__all__ = ["DECAY_UNITS", "FittedDecay", "decay_table", "fit_decays"]

MODEL: DecayModel = "cascade"
"""The exciton is the last photon of a cascade: one exponential alone would return too long a time
(physics of the multiexciton, Zhu 2024); without multiexcitons both are the same."""

DECAY_UNITS = {
    "point": "",
    "temperature_set": "K",
    "temperature": "K",
    "temperature_error": "K",
    "fluence": "uJ/cm^2",
    "wavelength": "nm",
    "detector": "",
    "lifetime": "ps",
    "lifetime_error": "ps",
    "one_over_e": "ps",
    "one_over_e_error": "ps",
    "mean_excitations": "",
    "mean_excitations_error": "",
    "counts": "counts",
    "background": "counts",
    "deviance_z": "",
    "model": "",
    "response": "",
    "flags": "",
}
"""Columns of the table of decays and their units."""


@dataclass(frozen=True, eq=False)
class FittedDecay:
    """A decay and its fit.

    Attributes:
        decay: As stored.
        fit: None if the decay allowed none.
        warnings: Of the data and of the fit.
    """

    decay: StoredDecay
    fit: DecayFit | None
    warnings: tuple[str, ...]

    @property
    def lifetime_ps(self) -> Measured | None:
        """Lifetime of the exciton, ps."""
        return None if self.fit is None else self.fit.lifetime_ps


def fit_decays(decays: Sequence[StoredDecay], model: DecayModel = MODEL) -> list[FittedDecay]:
    """Fit each decay on its own."""
    return [_fit(decay, model) for decay in decays]


def _fit(decay: StoredDecay, model: DecayModel) -> FittedDecay:
    source = decay.source
    where = f"point {source.point}"
    if decay.irf is None:
        text = f"{where}: not fitted: no response of {decay.detector} (recipe step irf)"
        return FittedDecay(decay, None, (*source.warnings, text))
    try:
        fit = fit_decay(
            decay.counts,
            source.bin_ps,
            decay.irf,
            model=model,
            period_ps=source.period_ps,
            configuration=decay.configuration,
        )
    except AnalysisError as error:
        return FittedDecay(decay, None, (*source.warnings, f"{where}: not fitted: {error}"))
    texts = [f"{where}: {text}" for text in (*fit.warnings, *fit.flags, *_pile_up(decay))]
    return FittedDecay(decay, fit, (*source.warnings, *texts))


def _pile_up(decay: StoredDecay) -> tuple[str, ...]:
    source = decay.source
    if source.rep_rate_hz is None:
        return ()
    warning = pile_up(source.rate_hz(decay.detector) / source.rep_rate_hz).warning
    return (warning,) if warning else ()


def decay_table(name: str, decays: Sequence[FittedDecay]) -> ResultTable:
    """Return one row per decay; None where there is no value."""
    return ResultTable(name, DECAY_UNITS, tuple(_row(one) for one in decays))


def _row(fitted: FittedDecay) -> tuple[Cell, ...]:
    source, fit = fitted.decay.source, fitted.fit
    read = source.temperature_k
    head: tuple[Cell, ...] = (
        source.point,
        source.temperature_set_k,
        None if read is None else read.value,
        None if read is None else read.error,
        source.fluence_uj_cm2,
        source.wavelength_nm,
        fitted.decay.detector,
    )
    counts = float(fitted.decay.counts.sum())
    if fit is None:
        return (*head, *(None,) * 6, counts, None, None, "not fitted", "", "not fitted")
    cells: list[Cell] = []
    for quantity in (fit.lifetime_ps, fit.one_over_e_ps, fit.mean_excitations):
        cells += [None, None] if quantity is None else [quantity.value, quantity.error]
    background, deviance_z = fit.background_counts.value, fit.goodness.z
    flags = "; ".join((*fit.flags, *fit.warnings))
    response = fit.adapted or "as measured"
    return (*head, *cells, counts, background, deviance_z, fit.model, response, flags)
