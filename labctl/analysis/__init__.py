"""Analysis: arrays in, frozen results with uncertainties out; nothing here knows of a run."""

from labctl.analysis._analyser_axis import AnalyserAxis, fit_analyser_axis
from labctl.analysis._arrhenius import (
    ArrheniusLaw,
    FluenceLine,
    arrhenius,
    tau_against_fluence,
)
from labctl.analysis._blinking import BlinkingTrace, threshold_trace
from labctl.analysis._bunching import Bunching, measure_bunching
from labctl.analysis._cascade import (
    CascadeDraw,
    CascadeStatistics,
    MonteCarloStatistics,
    auger_g2,
    cascade_statistics,
    draw_cascades,
    drawn_statistics,
    monte_carlo,
    yield_ratio_from_g2,
)
from labctl.analysis._centre_fit import CentreFit, fit_centre
from labctl.analysis._change_points import ChangePoints, find_change_points
from labctl.analysis._constellation import ConstellationMatch, match_constellations
from labctl.analysis._crossing import change_false_alarm
from labctl.analysis._dead_time import dead_time_corrected, pulses_blocked
from labctl.analysis._decay_fit import DecayModel, fit_decay, warm_up_decays
from labctl.analysis._decay_result import DecayCandidate, DecayComponent, DecayFit, Goodness
from labctl.analysis._dot_names import NamedDots, name_dots
from labctl.analysis._drift_table import DriftTable
from labctl.analysis._dwell_laws import DwellLaw, LawFit
from labctl.analysis._dwells import DwellFit, DwellSequence, fit_dwells
from labctl.analysis._edge_curve import EdgeCurve, TiltLaw, fit_edge_curve, fit_edge_tilts
from labctl.analysis._efficiency import SpectralEfficiency, measure_efficiency
from labctl.analysis._em_gain import EmGain, em_gain_of
from labctl.analysis._fading import FadingOnFraction, fit_fading
from labctl.analysis._flid import (
    BlinkingKind,
    BlinkingType,
    Flid,
    Intensity,
    blinking_type,
    flid,
    judge_type,
    segment_decays,
)
from labctl.analysis._focus import focus_measure
from labctl.analysis._frames import CombinedFrames, combine_frames
from labctl.analysis._g2_cw import (
    CwG2,
    fit_cw_g2,
    gaussian_pair_response,
    pair_response,
    two_sided_decay,
)
from labctl.analysis._g2_pulsed import Normalisation, PulsedG2Zero, pulsed_g2
from labctl.analysis._heralded import HeraldedBiexciton, fit_heralded
from labctl.analysis._image_noise import ImageNoise, measure_image_noise
from labctl.analysis._image_scale import ImageScale, fit_image_scale, fit_image_turn
from labctl.analysis._interference import (
    ArmRates,
    Dip,
    Splitters,
    fit_dip,
    indistinguishability,
    splitters,
)
from labctl.analysis._irf import Irf, IrfResponse, TimingConfiguration, grating_spread_ps
from labctl.analysis._irf_record import irf_from_record, irf_to_record
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
from labctl.analysis._levels import IntensityLevels, group_levels
from labctl.analysis._lifetimes import DecayColumns, Lifetimes, fit_lifetimes
from labctl.analysis._line_areas import LineAreas, light_of_lines, line_areas
from labctl.analysis._line_spread import (
    LampLineSample,
    LineSpread,
    line_spread_response,
    measure_line_spread,
)
from labctl.analysis._manifold import ManifoldFit, ManifoldLine, fit_manifold
from labctl.analysis._manifold_model import Kind
from labctl.analysis._measured import Measured
from labctl.analysis._multiplet import Multiplet, find_multiplet
from labctl.analysis._noise import (
    NoiseModel,
    PhotonTransfer,
    excess_noise_factor,
    photon_transfer,
)
from labctl.analysis._numba import warm_up
from labctl.analysis._pair_background import (
    PairBackground,
    background_from_bins,
    background_from_rates,
)
from labctl.analysis._pair_shapes import (
    accidental_first,
    accidental_gap,
    cascade_shapes,
    exponential_bins,
)
from labctl.analysis._path_polarization import PathPolarization
from labctl.analysis._peak_result import Line, PeakFit, SatellitePrior
from labctl.analysis._peakfit import Background, Shape, fit_peak
from labctl.analysis._pileup import (
    CoatesCorrection,
    PileUp,
    correct_pile_up,
    dead_time_share,
    pile_up,
)
from labctl.analysis._polarization import Polarization, between_axes_deg, fit_polarization
from labctl.analysis._registration import ImageShift, register_images
from labctl.analysis._response import InstrumentResponse
from labctl.analysis._saturation import PuritySeries, Saturation, fit_purity_series, fit_saturation
from labctl.analysis._spot_place import SpotPlace, locate_spot
from labctl.analysis._spot_shape import SpotShape, SpotSize, above_dark, measure_spot, spot_size
from labctl.analysis._spots import Spot, find_spots, spot_threshold
from labctl.analysis._stark import StarkLaw, fit_stark
from labctl.analysis._state_lifetimes import StateLifetime, state_lifetime
from labctl.analysis._step_sizes import StepSize, measure_step_size
from labctl.analysis._switches import CalmPhotons, Switches, locate_switches
from labctl.analysis._transition import TransitionLaw, fit_transition_law
from labctl.analysis._voigt import gauss, lorentz, voigt, voigt_fwhm
from labctl.analysis._warm_band import WarmBand, fit_warm_band

__all__ = [
    "BOLTZMANN_MEV_PER_K",
    "AnalyserAxis",
    "ArmRates",
    "ArrheniusLaw",
    "Background",
    "BlinkingKind",
    "BlinkingTrace",
    "BlinkingType",
    "Bunching",
    "CalmPhotons",
    "CascadeDraw",
    "CascadeStatistics",
    "CentreFit",
    "ChangePoints",
    "CoatesCorrection",
    "CombinedFrames",
    "ConstellationMatch",
    "CwG2",
    "DecayCandidate",
    "DecayColumns",
    "DecayComponent",
    "DecayFit",
    "DecayModel",
    "Dip",
    "DriftTable",
    "DwellFit",
    "DwellLaw",
    "DwellSequence",
    "EdgeCurve",
    "EmGain",
    "EnergyLaw",
    "FadingOnFraction",
    "Flid",
    "FluenceLine",
    "Goodness",
    "HeraldedBiexciton",
    "ImageNoise",
    "ImageScale",
    "ImageShift",
    "InstrumentResponse",
    "Intensity",
    "IntensityLevels",
    "Irf",
    "IrfResponse",
    "Kind",
    "LampLineSample",
    "LawFit",
    "Lifetimes",
    "Line",
    "LineAreas",
    "LineSpread",
    "LinewidthLaw",
    "ManifoldFit",
    "ManifoldLine",
    "Measured",
    "MonteCarloStatistics",
    "Multiplet",
    "NamedDots",
    "NoiseModel",
    "Normalisation",
    "PairBackground",
    "PathPolarization",
    "PeakFit",
    "PhononLaw",
    "PhotonTransfer",
    "PileUp",
    "Polarization",
    "PulsedG2Zero",
    "PuritySeries",
    "SatellitePrior",
    "Saturation",
    "Shape",
    "SpectralEfficiency",
    "Splitters",
    "Spot",
    "SpotPlace",
    "SpotShape",
    "SpotSize",
    "StarkLaw",
    "StateLifetime",
    "StepSize",
    "Switches",
    "TiltLaw",
    "TimingConfiguration",
    "TransitionLaw",
    "WarmBand",
    "above_dark",
    "accidental_first",
    "accidental_gap",
    "arrhenius",
    "auger_g2",
    "background_from_bins",
    "background_from_rates",
    "between_axes_deg",
    "blinking_type",
    "bose_einstein",
    "cascade_shapes",
    "cascade_statistics",
    "change_false_alarm",
    "combine_frames",
    "correct_pile_up",
    "dead_time_corrected",
    "dead_time_share",
    "draw_cascades",
    "drawn_statistics",
    "em_gain_of",
    "excess_noise_factor",
    "exponential_bins",
    "find_change_points",
    "find_multiplet",
    "find_spots",
    "fit_analyser_axis",
    "fit_centre",
    "fit_cw_g2",
    "fit_decay",
    "fit_dip",
    "fit_dwells",
    "fit_edge_curve",
    "fit_edge_tilts",
    "fit_energy_law",
    "fit_fading",
    "fit_heralded",
    "fit_image_scale",
    "fit_image_turn",
    "fit_lifetimes",
    "fit_linewidth_law",
    "fit_manifold",
    "fit_peak",
    "fit_polarization",
    "fit_purity_series",
    "fit_saturation",
    "fit_stark",
    "fit_transition_law",
    "fit_warm_band",
    "flid",
    "focus_measure",
    "gauss",
    "gaussian_pair_response",
    "grating_spread_ps",
    "group_levels",
    "indistinguishability",
    "irf_from_record",
    "irf_to_record",
    "judge_type",
    "light_of_lines",
    "line_areas",
    "line_spread_response",
    "locate_spot",
    "locate_switches",
    "lorentz",
    "match_constellations",
    "measure_bunching",
    "measure_efficiency",
    "measure_image_noise",
    "measure_line_spread",
    "measure_response",
    "measure_spot",
    "measure_step_size",
    "monte_carlo",
    "name_dots",
    "pair_response",
    "photon_transfer",
    "pile_up",
    "pulsed_g2",
    "pulses_blocked",
    "register_images",
    "segment_decays",
    "splitters",
    "spot_size",
    "spot_threshold",
    "state_lifetime",
    "tau_against_fluence",
    "threshold_trace",
    "two_sided_decay",
    "voigt",
    "voigt_fwhm",
    "warm_up",
    "warm_up_decays",
    "yield_ratio_from_g2",
]
