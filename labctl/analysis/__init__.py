"""Analysis: arrays in, frozen results with uncertainties out; nothing here knows of a run."""

from labctl.analysis._arrhenius import (
    ArrheniusLaw,
    FluenceLine,
    arrhenius,
    tau_against_fluence,
)
from labctl.analysis._cascade import (
    CascadeStatistics,
    MonteCarloStatistics,
    auger_g2,
    cascade_statistics,
    monte_carlo,
    yield_ratio_from_g2,
)
from labctl.analysis._decay_fit import DecayModel, fit_decay
from labctl.analysis._decay_result import DecayCandidate, DecayComponent, DecayFit, Goodness
from labctl.analysis._frames import CombinedFrames, combine_frames
from labctl.analysis._g2_cw import (
    CwG2,
    fit_cw_g2,
    gaussian_pair_response,
    pair_response,
    two_sided_decay,
)
from labctl.analysis._g2_pulsed import Normalisation, PulsedG2Zero, pulsed_g2
from labctl.analysis._irf import Irf, IrfResponse, TimingConfiguration, grating_spread_ps
from labctl.analysis._lamp_response import measure_response
from labctl.analysis._laws import (
    BOLTZMANN_MEV_PER_K,
    EnergyLaw,
    LinewidthLaw,
    PhononLaw,
    bose_einstein,
    fit_energy_law,
    fit_linewidth_law,
)
from labctl.analysis._line_spread import (
    LampLineSample,
    LineSpread,
    line_spread_response,
    measure_line_spread,
)
from labctl.analysis._measured import Measured
from labctl.analysis._noise import (
    NoiseModel,
    PhotonTransfer,
    excess_noise_factor,
    photon_transfer,
)
from labctl.analysis._pair_background import (
    PairBackground,
    background_from_bins,
    background_from_rates,
)
from labctl.analysis._peak_result import Line, PeakFit, SatellitePrior
from labctl.analysis._peakfit import Background, Shape, fit_peak
from labctl.analysis._pileup import (
    CoatesCorrection,
    PileUp,
    correct_pile_up,
    dead_time_share,
    pile_up,
)
from labctl.analysis._response import InstrumentResponse
from labctl.analysis._voigt import gauss, lorentz, voigt, voigt_fwhm

__all__ = [
    "BOLTZMANN_MEV_PER_K",
    "ArrheniusLaw",
    "Background",
    "CascadeStatistics",
    "CoatesCorrection",
    "CombinedFrames",
    "CwG2",
    "DecayCandidate",
    "DecayComponent",
    "DecayFit",
    "DecayModel",
    "EnergyLaw",
    "FluenceLine",
    "Goodness",
    "InstrumentResponse",
    "Irf",
    "IrfResponse",
    "LampLineSample",
    "Line",
    "LineSpread",
    "LinewidthLaw",
    "Measured",
    "MonteCarloStatistics",
    "NoiseModel",
    "Normalisation",
    "PairBackground",
    "PeakFit",
    "PhononLaw",
    "PhotonTransfer",
    "PileUp",
    "PulsedG2Zero",
    "SatellitePrior",
    "Shape",
    "TimingConfiguration",
    "arrhenius",
    "auger_g2",
    "background_from_bins",
    "background_from_rates",
    "bose_einstein",
    "cascade_statistics",
    "combine_frames",
    "correct_pile_up",
    "dead_time_share",
    "excess_noise_factor",
    "fit_cw_g2",
    "fit_decay",
    "fit_energy_law",
    "fit_linewidth_law",
    "fit_peak",
    "gauss",
    "gaussian_pair_response",
    "grating_spread_ps",
    "line_spread_response",
    "lorentz",
    "measure_line_spread",
    "measure_response",
    "monte_carlo",
    "pair_response",
    "photon_transfer",
    "pile_up",
    "pulsed_g2",
    "tau_against_fluence",
    "two_sided_decay",
    "voigt",
    "voigt_fwhm",
    "yield_ratio_from_g2",
]
