"""What the fit of a decay returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured

__all__ = ["DecayCandidate", "DecayComponent", "DecayFit", "Goodness"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class DecayComponent:
    """One exponential of a decay.

    Attributes:
        tau_ps: Its time.
        counts: Its area; negative for one that rises.
    """

    tau_ps: Measured
    counts: Measured


@dataclass(frozen=True)
class DecayCandidate:
    """A model that was tried.

    Attributes:
        model: Its name.
        parameters: Number of free ones of which nothing was known beforehand.
        log_likelihood: At its maximum, relative to a model that gives every count exactly.
        bic: ``parameters ln(counts) - 2 log_likelihood``; the smallest is chosen.
    """

    model: str
    parameters: int
    log_likelihood: float
    bic: float


@dataclass(frozen=True)
class Goodness:
    """Poisson deviance against what is expected from so many counts per bin.

    Attributes:
        deviance: ``2 sum w [c ln(c / m) - c + m]`` with the weights of the fit.
        expected: Its mean if the model is right; the noise of the response is in it.
        z: Difference over its standard deviation.
        probability: Of a larger one.
    """

    deviance: float
    expected: float
    z: float
    probability: float


@dataclass(frozen=True, eq=False)
class DecayFit:
    """Result of `fit_decay`; errors are standard errors with the response's noise in them.

    Attributes:
        model: The model that was used.
        lifetime_ps: Mono, fed, cascade: time of the exciton. Biexponential: mean by light,
            ``sum A_i tau_i / sum A_i`` with the counts A_i. Stretched:
            ``int exp(-(t / tau)^beta) dt``.
        one_over_e_ps: From the maximum of the deconvolved decay to 1/e of it.
        components: Exponentials, slowest first; none for stretched; for a cascade the first three.
        stretching: beta, for stretched.
        mean_excitations: Per pulse, for a cascade; may be slightly negative where not resolved.
        leak: Share of multiexciton photons, for a cascade.
        auger: Share of pulses with more than two excitations that kept only two, for a cascade.
        fed_share: Share of the light that was fed, for fed.
        light_counts: Counts in the whole decay.
        background_counts: Per bin.
        shift_ps: By which the decay comes later than the response.
        least_weight: Smallest weight of a bin; 1 unless the response is noisier than the decay.
        response_error_ps: Part of the lifetime's error that comes from the response's noise.
        error_method: ``"fisher"`` or ``"profile"``, of lifetime and excitations.
        goodness: Whether the model fits.
        candidates: Models that were tried, best first.
        choice: In words, why this model.
        window_ps: Begin and end of the fit, from the beginning of the histogram.
        flags: Words on what was unusual.
        warnings: What makes the result doubtful, as a response from another configuration.
        model_counts: Expected counts in the window, shape (bin,).
        adapted: In words, how the response was brought to the decay's wavelength; empty: as it
            was measured.
    """

    model: str
    lifetime_ps: Measured
    one_over_e_ps: Measured
    components: tuple[DecayComponent, ...]
    stretching: Measured | None
    mean_excitations: Measured | None
    leak: Measured | None
    auger: Measured | None
    fed_share: Measured | None
    light_counts: Measured
    background_counts: Measured
    shift_ps: Measured
    least_weight: float
    response_error_ps: float
    error_method: str
    goodness: Goodness
    candidates: tuple[DecayCandidate, ...]
    choice: str
    window_ps: tuple[float, float]
    flags: tuple[str, ...]
    warnings: tuple[str, ...]
    model_counts: Vector
    adapted: str = ""
