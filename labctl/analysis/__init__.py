"""Analysis: arrays in, frozen results with uncertainties out; nothing here knows of a run."""

from labctl.analysis._frames import CombinedFrames, combine_frames
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
from labctl.analysis._peak_result import Line, PeakFit, SatellitePrior
from labctl.analysis._peakfit import Background, Shape, fit_peak
from labctl.analysis._response import InstrumentResponse
from labctl.analysis._voigt import gauss, lorentz, voigt, voigt_fwhm

__all__ = [
    "BOLTZMANN_MEV_PER_K",
    "Background",
    "CombinedFrames",
    "EnergyLaw",
    "InstrumentResponse",
    "LampLineSample",
    "Line",
    "LineSpread",
    "LinewidthLaw",
    "Measured",
    "NoiseModel",
    "PeakFit",
    "PhononLaw",
    "PhotonTransfer",
    "SatellitePrior",
    "Shape",
    "bose_einstein",
    "combine_frames",
    "excess_noise_factor",
    "fit_energy_law",
    "fit_linewidth_law",
    "fit_peak",
    "gauss",
    "line_spread_response",
    "lorentz",
    "measure_line_spread",
    "measure_response",
    "photon_transfer",
    "voigt",
    "voigt_fwhm",
]
