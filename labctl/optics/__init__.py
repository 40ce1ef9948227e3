"""Optics: photon energy, grating dispersion, calibration, filters, fluence, SPE files."""

from labctl.optics._blocking import DEFAULT_DENSITY, Blocking, LightFilter
from labctl.optics._dispersion import DispersionFit, fit_dispersion
from labctl.optics._energy import (
    HC_EV_NM,
    air_nm_to_ev,
    air_refractive_index,
    density_per_ev,
    density_per_nm,
    ev_to_air_nm,
    ev_to_nm,
    nm_to_ev,
    pixel_edges,
    vacuum_nm,
    width_nm_to_mev,
)
from labctl.optics._filters import (
    EdgeFacts,
    edge_angle_deg,
    edge_wavelength_nm,
    long_pass_density,
    short_pass_density,
)
from labctl.optics._fluence import (
    mean_excitations,
    mean_power_w,
    peak_fluence_uj_cm2,
    pulse_energy_j,
    saturation_rate_hz,
)
from labctl.optics._grating import PARAMETERS, CalibrationEvidence, GratingCalibration
from labctl.optics._lamp_fit import LampSettings, calibrate_from_lamp
from labctl.optics._lamps import LampLine, lamp_lines
from labctl.optics._lines import FoundLine, find_lines
from labctl.optics._power import Excitation, PowerCurve
from labctl.optics._spe import SpeFile, SpeRegion, read_spe

__all__ = [
    "DEFAULT_DENSITY",
    "HC_EV_NM",
    "PARAMETERS",
    "Blocking",
    "CalibrationEvidence",
    "DispersionFit",
    "EdgeFacts",
    "Excitation",
    "FoundLine",
    "GratingCalibration",
    "LampLine",
    "LampSettings",
    "LightFilter",
    "PowerCurve",
    "SpeFile",
    "SpeRegion",
    "air_nm_to_ev",
    "air_refractive_index",
    "calibrate_from_lamp",
    "density_per_ev",
    "density_per_nm",
    "edge_angle_deg",
    "edge_wavelength_nm",
    "ev_to_air_nm",
    "ev_to_nm",
    "find_lines",
    "fit_dispersion",
    "lamp_lines",
    "long_pass_density",
    "mean_excitations",
    "mean_power_w",
    "nm_to_ev",
    "peak_fluence_uj_cm2",
    "pixel_edges",
    "pulse_energy_j",
    "read_spe",
    "saturation_rate_hz",
    "short_pass_density",
    "vacuum_nm",
    "width_nm_to_mev",
]
