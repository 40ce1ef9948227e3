"""The one place that knows how a stored run names its columns.

Everything that the analysis uses is what the set-up knew: settings that were read back, and
the calibrations that were in force when the point was taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    InstrumentResponse,
    Measured,
    NoiseModel,
    PathPolarization,
    SpectralEfficiency,
    line_spread_response,
)
from labctl.optics import PARAMETERS, GratingCalibration
from labctl.results._rows import (
    TEMPERATURE,
    StoredRun,
    number,
    optional,
    row_array,
    row_values,
    temperature,
)

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["StoredSpectrum", "stored_spectra"]

Vector = NDArray[np.float64]

_FLUENCE = "laser.peak_fluence_uj_cm2"
_DETECTOR = "calibration.detector"
_ASSUMED_READ_NOISE_COUNTS = 10.0
_SLIT = ("slit_nm", "blur_fwhm_nm")
_PARAMETERS = len(PARAMETERS)
# Seven calibrated SPE files: data-sheet values are wrong by 0.04 to 1 nm.
_NOMINAL_ERROR_NM = 0.5
_NOMINAL_STRETCH = 0.005
"""Error of the nominal dispersion, relative: focal lengths are stated to 0.5 % (assumed)."""


@dataclass(frozen=True, eq=False)
class StoredSpectrum:
    """One spectrum of a run with what belongs to it.

    Attributes:
        point: Index of the point in the run.
        label: Label of the measurement in the recipe.
        counts: Sum of the frames, shape (pixel,), counts.
        frames: All frames, shape (frame, pixel), counts; None if they were not stored.
        wavelength_nm: At the pixel centres, shape (pixel,).
        noise: From the calibration of the camera.
        response: Of the grating; None if it was not calibrated.
        temperature_set_k: As asked for; None if temperature was not set in the run.
        temperature_k: As read during the point, with the scatter of the readings.
        axis_modes_nm: Independent errors of ``wavelength_nm`` of one sigma, common to all spectra
            of the grating, shape (mode, pixel); their sum of squares is the variance of a pixel,
            and that of their differences the variance of a distance.
        grating: Name under which the response is kept.
        warnings: What was missing.
        peak_fluence_uj_cm2: Of the excitation, which warms the dot; None if it was not stored.
        analyser_deg: Direction of polarization that an analyser let pass; None without one.
        analyser_error_deg: Standard error of this direction, common to all spectra; None if the
            analyser was not calibrated.
        extinction: Of the analyser; 0 if it was not measured.
        polarization_remedy: What keeps the grating from seeing this direction turn.
        edge_nm: Edge of a tunable short-pass filter in the light; None without one.
        live_time_s: Exposure of all frames together, s.
        time_s: Middle of the measurement on the clock of the run.
        dark: Mean frame without excitation, shape (pixel,), counts; None if none was taken.
        efficiency: Relative efficiency of grating and camera; None if it was not measured over
            the whole spectrum.
        path_polarization: What the light path does to polarization; None if it was not measured
            at the middle of the spectrum.
        dot: Name of the dot, where the run names it for each point; empty otherwise.
    """

    point: int
    label: str
    counts: Vector
    frames: Vector | None
    wavelength_nm: Vector
    axis_modes_nm: Vector
    noise: NoiseModel
    response: InstrumentResponse | None
    temperature_set_k: float | None
    temperature_k: Measured | None
    grating: str
    warnings: tuple[str, ...]
    peak_fluence_uj_cm2: float | None = None
    analyser_deg: float | None = None
    analyser_error_deg: float | None = None
    extinction: float = 0.0
    polarization_remedy: str = "none"
    edge_nm: float | None = None
    live_time_s: float = 1.0
    time_s: float | None = None
    dark: Vector | None = None
    efficiency: SpectralEfficiency | None = None
    path_polarization: PathPolarization | None = None
    dot: str = ""

    @property
    def axis_error_nm(self) -> Vector:
        """Standard error of ``wavelength_nm``, shape (pixel,)."""
        return np.linalg.norm(self.axis_modes_nm, axis=0)


def stored_spectra(run: StoredRun) -> list[StoredSpectrum]:
    """Return all spectra of a run in the order of the points."""
    found: list[StoredSpectrum] = []
    for key, dataset in run.data.items():
        if dataset.attrs.get("measurement", key) != "spectrum" or "counts" not in dataset:
            continue
        points = dataset.sizes["point"]
        found += [_spectrum(dataset, row) for row in range(points)]
    return sorted(found, key=lambda spectrum: spectrum.point)


def _spectrum(dataset: "xr.Dataset", row: int) -> StoredSpectrum:
    values = row_values(dataset, row)
    counts = row_array(dataset, "counts", row)
    frames = row_array(dataset, "frames", row) if "frames" in dataset else None
    noise, noise_warnings = _noise(values, counts, frames)
    response, response_warnings = _response(values)
    wavelength_nm = row_array(dataset, "wavelength", row)
    axis_modes_nm, axis_warnings = _axis_modes(values, wavelength_nm)
    return StoredSpectrum(
        point=int(number(values.get("point"), row)),
        label=str(values.get("label", "")),
        counts=counts,
        frames=frames,
        wavelength_nm=wavelength_nm,
        axis_modes_nm=axis_modes_nm,
        noise=noise,
        response=response,
        temperature_set_k=optional(values.get(f"{TEMPERATURE}:set")),
        temperature_k=temperature(values),
        grating=f"{number(values.get('spectrograph.lines_per_mm'), 0.0):g}/mm",
        warnings=(*noise_warnings, *response_warnings, *axis_warnings),
        peak_fluence_uj_cm2=optional(values.get(_FLUENCE)),
        analyser_deg=optional(values.get("analyser.angle_deg")),
        analyser_error_deg=optional(values.get("analyser.angle_error_deg")),
        extinction=number(values.get("analyser.extinction"), 0.0),
        polarization_remedy=str(values.get("analyser.remedy", "none")),
        edge_nm=optional(values.get("edge_filter.edge_nm")),
        live_time_s=number(values.get("live_time_s"), 1.0),
        time_s=_middle_s(values),
        dark=row_array(dataset, "background", row) if "background" in dataset else None,
        efficiency=_efficiency(values, wavelength_nm),
        path_polarization=_path_polarization(values, wavelength_nm),
        dot=str(values.get("dot.name") or ""),
    )


def _efficiency(values: Mapping[str, Any], wavelength_nm: Vector) -> SpectralEfficiency | None:
    name = "calibration.spectral_response"
    if optional(values.get(f"{name}.center_nm")) is None:
        return None
    orders = count(0)
    keys = (f"{name}.coefficients.{order}" for order in orders)
    coefficients = [number(values[key], 0.0) for key in takewhile(values.__contains__, keys)]
    scalars = {
        key: number(values.get(f"{name}.{key}"), 0.0)
        for key in ("center_nm", "from_nm", "to_nm", "error_per_nm")
    }
    known = SpectralEfficiency.from_record({**scalars, "coefficients": coefficients})
    whole = known.holds(float(wavelength_nm.min())) and known.holds(float(wavelength_nm.max()))
    return known if whole else None


def _path_polarization(values: Mapping[str, Any], wavelength_nm: Vector) -> PathPolarization | None:
    name = "calibration.polarization_response"
    keys = ("d1", "d1_error", "d2", "d2_error", "from_nm", "to_nm")
    found = {key: optional(values.get(f"{name}.{key}")) for key in keys}
    if None in found.values():
        return None
    known = PathPolarization.from_record(found)
    return known if known.holds(float(np.median(wavelength_nm))) else None


def _middle_s(values: Mapping[str, Any]) -> float | None:
    began_s, ended_s = optional(values.get("began_s")), optional(values.get("ended_s"))
    return None if began_s is None or ended_s is None else (began_s + ended_s) / 2


def _noise(
    values: Mapping[str, Any], counts: Vector, frames: Vector | None
) -> tuple[NoiseModel, tuple[str, ...]]:
    stored = frames.shape[0] if frames is not None else 1
    frame_count = int(number(values.get("camera.frames"), stored))
    detector: dict[str, Any] = {
        name: _calibrated(values, f"{_DETECTOR}.{name}")
        for name in ("electrons_per_count", "read_noise_counts", "bias_counts")
    }
    shared: dict[str, Any] = {
        "em_gain": _em_gain(values),
        "frames": frame_count,
        "full_scale_counts": number(values.get("camera.full_scale_counts"), 65535.0),
    }
    if None not in detector.values():
        gain = f"{_DETECTOR}.electrons_per_count"
        gain_error = number(values.get(f"{gain}.error"), 0.0)
        relative = gain_error / detector["electrons_per_count"]
        return NoiseModel(**detector, **shared, gain_error_rel=relative), ()
    bias = float(np.quantile(counts, 0.02)) / frame_count
    guess = NoiseModel(1.0, _ASSUMED_READ_NOISE_COUNTS, bias, assumed=True, **shared)
    text = "the detector was not calibrated (recipe step calibrate, kind detector)"
    effect = "errors come from the scatter of the residuals, areas assume 1 e-/count"
    return guess, (f"{text}: {effect}",)


def _em_gain(values: Mapping[str, Any]) -> float:
    """Return the gain of the register: what exceeds 1 in proportion to what was set."""
    asked = max(number(values.get("camera.em_gain"), 1.0), 1.0)
    return 1.0 + (asked - 1.0) * number(values.get("calibration.em_gain.ratio"), 1.0)


def _calibrated(values: Mapping[str, Any], name: str) -> float | None:
    """Return a calibrated value, stored plain or as value and error."""
    found = optional(values.get(name))
    return found if found is not None else optional(values.get(f"{name}.value"))


def _response(
    values: Mapping[str, Any],
) -> tuple[InstrumentResponse | None, tuple[str, ...]]:
    name = "calibration.response"
    fwhm_nm = _calibrated(values, f"{name}.fwhm_nm")
    if fwhm_nm is None or not fwhm_nm > 0:
        text = "no instrument response for this grating (recipe step calibrate, kind wavelength)"
        return None, (f"{text}: the intrinsic width is that of the recorded line",)
    error = number(values.get(f"{name}.fwhm_error_nm"), 0.0)
    shape = str(values.get(f"{name}.shape", "gauss"))
    if shape == "slit":
        slit_nm, blur_nm = (number(values.get(f"{name}.{part}"), 0.0) for part in _SLIT)
        return line_spread_response(slit_nm, blur_nm, error), ()
    if shape == "lorentz":
        return InstrumentResponse(0.0, fwhm_nm, error), ()
    return InstrumentResponse(fwhm_nm, 0.0, error), ()


def _axis_modes(values: Mapping[str, Any], wavelength_nm: Vector) -> tuple[Vector, tuple[str, ...]]:
    """Return the errors of the axis from the covariance of the calibration in force."""
    calibration = _calibration(values)
    centre_nm = optional(values.get("spectrograph.wavelength_nm"))
    if calibration is not None and centre_nm is not None:
        index = np.arange(wavelength_nm.size, dtype=np.float64)
        binning = number(values.get("camera.roi.x_binning"), 1.0)
        columns = number(values.get("camera.roi.x0"), 0.0) + binning * (index + 0.5) - 0.5
        modes_nm = calibration.wavelength_modes_nm(columns, centre_nm)
        if modes_nm is not None:
            return modes_nm, ()
    text = "the wavelength axis was not calibrated (recipe step calibrate, kind wavelength)"
    warning = f"{text}: energies are uncertain by {_NOMINAL_ERROR_NM} nm"
    shifted = np.full(wavelength_nm.size, _NOMINAL_ERROR_NM)
    stretched = _NOMINAL_STRETCH * (wavelength_nm - wavelength_nm.mean())
    return np.stack([shifted, stretched]), (warning,)


def _calibration(values: Mapping[str, Any]) -> GratingCalibration | None:
    """Rebuild the dispersion from its scalars, None without a covariance."""
    name = "calibration.wavelength"
    covariance = [
        [optional(values.get(f"{name}.evidence.covariance.{i}.{j}")) for j in range(_PARAMETERS)]
        for i in range(_PARAMETERS)
    ]
    fields = ("lines_per_mm", *PARAMETERS, "pixel_pitch_um")
    found = {field: optional(values.get(f"{name}.{field}")) for field in fields}
    if None in found.values() or any(None in row for row in covariance):
        return None
    order = int(number(values.get(f"{name}.order"), 1.0))
    evidence = {"covariance": covariance}
    return GratingCalibration.from_dict({**found, "order": order, "evidence": evidence})
