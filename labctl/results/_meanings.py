"""What the names of quantities mean, for whoever reads the JSON of an analysis."""

import re
from collections.abc import Mapping

__all__ = ["MEANINGS", "meaning"]

_NO_INSTRUMENT = "after the instrument response was taken out"
MEANINGS: Mapping[str, str] = {
    "peak_energy": "Photon energy of the line; the error of the wavelength axis is in its error.",
    "fwhm_observed": "Full width at half maximum as recorded, instrument response included.",
    "fwhm_intrinsic": f"Lorentzian (homogeneous) full width at half maximum, {_NO_INSTRUMENT}.",
    "fwhm_deconvolved": f"Full width at half maximum {_NO_INSTRUMENT}, Gaussian part included.",
    "area": "Photo-electrons in the line, background subtracted.",
    "background": "Counts per pixel beneath the line, bias of the camera included.",
    "gamma_0": "Homogeneous line width at zero temperature, constant of the linewidth law.",
    "sigma": "Coupling to acoustic phonons, linear term of the linewidth law.",
    "gamma_lo": "Coupling to the optical phonon, factor of its occupation in the linewidth law.",
    "e_lo": "Energy of the optical phonon in the linewidth law.",
    "energy_4k": "Peak energy at 4 K by the energy law; the error of the axis is in its error.",
    "shift_a": "Linear term (expansion of the lattice) of the energy law.",
    "shift_b": "Coupling to the effective phonon in the energy law.",
    "shift_e_ph": "Energy of the effective phonon in the energy law.",
    "blue_shift": "Peak energy at the warmest point less that at the coldest.",
    "transition_onset": "Where a twentieth of the red shift of the transition is there (5 % of the "
    "logistic: midpoint less 2.94 widths).",
    "transition_midpoint": "Where half of the red shift of the transition is there.",
    "transition_width": "Width w of the transition, 1 / (1 + exp(-(T - midpoint) / w)).",
    "transition_end": "Where a twentieth of the red shift of the transition is missing.",
    "red_shift": "By how much the transition shifts the line to the red.",
    "fine_structure_splitting": "Mean distance of neighbouring lines of the triplet.",
    "biexciton_binding": "Centre of the exciton's lines less that of the biexciton's.",
    "exciton_passed": "Share of the exciton's light that the edge filter lets pass.",
    "biexciton_passed": "Share of the biexciton's light that the edge filter lets pass.",
    "trion_binding": "Energy of the trion below the mean of the exciton's lines.",
    "trion_detection_limit": "Light of the weakest trion that would have been found, against the "
    "exciton.",
    "biexciton_detection_limit": "Light of the weakest single line that would have been found, "
    "against the exciton.",
    "fwhm": "Full width at half maximum of the Gaussian that the top of the band is.",
    "urbach_energy": "Slope energy E_U of the red tail, I ~ exp(E / E_U).",
    "light_time": "Time from the middle of the first spectrum to that of the last.",
    "peak_drift": "Shift of the band in that time, by a straight line.",
    "peak_drift_rate": "Shift of the band per hour.",
    "intensity_change": "Change of the light in that time, by a straight line, against its mean.",
    "g2_zero_before": "g2(0) before the spectra.",
    "g2_zero_after": "g2(0) after the spectra.",
    "relative_yield": "Light against that at 77 K.",
    "plqy": "Quantum yield: the light against that at 77 K times the yield given for 77 K.",
    "dots": "Number of dots.",
    "energy_mean": "Mean peak energy of the dots.",
    "energy_sd": "Scatter of the peak energies of the dots, errors of measurement taken out.",
    "lifetime_mean": "Mean lifetime of the dots.",
    "lifetime_sd": "Scatter of the lifetimes of the dots, errors of measurement taken out.",
    "lifetime_fastest": "Shortest lifetime.",
    "size_mean": "Mean edge length of the dots, from their energies by the given sizing law.",
    "size_sd": "Scatter of the edge lengths.",
    "fast_share": "Share of the dots with a lifetime below 100 ps.",
    "lifetime": "Mean lifetime of the decay, instrument response taken out.",
    "one_over_e": "Time in which the decay falls to 1/e, instrument response taken out.",
    "activation_energy": "Activation energy of the Arrhenius law of the lifetimes.",
    "lifetime_0": "Lifetime at zero temperature in the Arrhenius law.",
    "lifetime_g": "Strength of the thermally activated rate in the Arrhenius law.",
    "lifetime_at_zero": "Lifetime extrapolated to zero fluence.",
    "g2_zero": "Pairs of one pulse over those of uncorrelated light, background taken off.",
    "bunching_time": "Time by which pairs of one pulse beyond uncorrelated ones fall to 1/e.",
    "pair_decay": "Decay time of the light, from pairs of different pulses, as one exponential.",
    "antibunching_time": "Time constant of the dip of g2(tau) of steady light, response taken out.",
    "purity": "Single-photon purity, 1 - g2(0).",
    "p_sat": "Peak fluence times repetition rate at which a pulse makes one excitation on average.",
    "rate_max": "Exciton photons of both detectors per second at full saturation.",
    "yield_ratio": "Photons of the biexciton over those of the exciton, per excitation.",
    "biexciton_lifetime": "Lifetime of the biexciton, from the first photon of pairs of one pulse.",
    "exciton_lifetime": "Lifetime of the exciton, from the time between the photons of such pairs.",
    "x_to_xx": "Photons of the exciton over those of all multiexcitons.",
    "slope": "Change of the lifetime with fluence.",
    "on_fraction": "Share of the measured stretch that the dot was ON; another stretch may differ.",
    "on_fraction_start": "ON fraction at the first light, by a line through all stretches.",
    "on_fraction_end": "ON fraction at the end of all light, by a line through all stretches.",
    "on_fraction_change": "Change of the ON fraction per hour of light.",
    "change_points": "Switches between ON and OFF that were found in the stream of photons.",
    "on_rate": "Counts per second of all detectors while the dot is ON, background included.",
    "off_rate": "Counts per second of all detectors while the dot is OFF, background included.",
    "on_exponent": "Exponent of the power law of the ON times.",
    "off_exponent": "Exponent of the power law of the OFF times.",
    "on_dwell": "Mean ON time of the exponential law.",
    "off_dwell": "Mean OFF time of the exponential law.",
    "on_lifetime": "Lifetime of the light while the dot is ON, instrument response taken out.",
    "off_lifetime": "Lifetime of the light while the dot is OFF, instrument response taken out.",
    "lifetime_ratio": "Lifetime while OFF over that while ON.",
    "intensity_ratio": "Light while OFF over that while ON, background taken off.",
    "internal_field": "Field in the dot without applied one; minus this is the vertex of E(F).",
    "half_polarizability": "Curvature c of E(F) = E_v - c (F + F_int)^2.",
    "polarizability": "Polarizability of the exciton, twice the curvature of E(F).",
    "dipole": "Dipole of the exciton without applied field, -dE/dF there.",
    "zero_field_energy": "Peak energy without applied field; the error of the axis is in it.",
    "vertex_energy": "Highest peak energy, where the applied field cancels the internal one.",
    "visibility_raw": "Depth of the dip of coincidences, 1 - parallel over crossed at its bottom.",
    "visibility_corrected": "Indistinguishability: the visibility with g2(0) and splitters undone.",
    "decay_time": "Time in which the dip of coincidences falls to 1/e of its depth.",
    "delay_zero": "Delay at which photons of successive pulses meet, as the stage counts it.",
    "crossed_coincidences": "Pairs of one slot over those of far ones with crossed polarizations.",
    "splitter_transmission": "Transmission of the interferometer's second splitter.",
    "arms_ratio": "Light through the short arm of the interferometer over that of the long one.",
    "type_slope": "Logarithm of the ratio of lifetimes over that of intensities: type B has 0.",
}
"""Quantity or column of a table → what it is."""

_OF_MODES = {
    "lo": "Energy of the optical phonon of replica",
    "huang_rhys": "Huang-Rhys factor (light of one phonon over that of none) of replica",
}
_ENDS = {"_coldest": "at the coldest point", "_warmest": "at the warmest point"}


def meaning(quantity: str) -> str:
    """Return in words what a quantity is; empty for one that is not known here."""
    if quantity in MEANINGS:
        return MEANINGS[quantity]
    for end, place in _ENDS.items():
        if quantity.endswith(end):
            return _placed(quantity.removesuffix(end), place)
    found = re.fullmatch(r"(\w+)_at_([\d.]+)_p_sat", quantity)
    if found:
        return _placed(found[1], f"at {found[2]} of the saturation power")
    name, _, sample = quantity.partition(" of ")
    if sample and name in MEANINGS:
        return f"{MEANINGS[name].removesuffix('.')}, of {sample}."
    found = re.fullmatch(r"(lo|huang_rhys)_(\d+)", quantity)
    if found:
        return f"{_OF_MODES[found[1]]} {found[2]}, counted from the lowest energy."
    found = re.fullmatch(r"(\w+)_at_([\d.]+)_ev", quantity)
    return _placed(found[1], f"detected at {found[2]} eV") if found else ""


def _placed(quantity: str, place: str) -> str:
    text = MEANINGS.get(quantity, "")
    return f"{text.removesuffix('.')}, {place}." if text else ""
