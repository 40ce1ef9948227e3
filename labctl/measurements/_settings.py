"""What is stored beside the arrays of a point: how the instruments really stood."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from labctl.errors import ConfigError, Problem
from labctl.measurements._context import Context
from labctl.optics import GratingCalibration
from labctl.roles import (
    Attenuator,
    Camera,
    EdgeFilter,
    PolarizationAnalyser,
    Spectrograph,
)

__all__ = [
    "detector_key",
    "dose_rate_uj_cm2_s",
    "filter_settings",
    "fluence_error_rel",
    "laser_settings",
    "point_settings",
    "present_fluence_uj_cm2",
    "present_spot_um",
    "spectrograph_settings",
    "warn_of_missing",
]


def spectrograph_settings(spectrograph: Spectrograph) -> dict[str, Any]:
    """Return how the spectrograph stands.

    Asked before the exposure: what has been measured must not be lost by a question afterwards.
    """
    number, slit_um = spectrograph.read_grating(), spectrograph.slit_or_none()
    return {
        "lines_per_mm": spectrograph.gratings()[number].lines_per_mm,
        "grating": number,
        "wavelength_nm": spectrograph.read_wavelength(),
        "exit": spectrograph.read_exit(),
        **({} if slit_um is None else {"slit_um": slit_um}),
    }


def point_settings(
    context: Context,
    spectrograph: Mapping[str, Any],
    camera: Camera,
    calibration: GratingCalibration,
    frames: int,
) -> dict[str, Any]:
    """Return camera and spectrograph settings as read back, and the calibrations in force.

    Args:
        context: The context of the measurement.
        spectrograph: From ``spectrograph_settings``.
        camera: The camera, after the exposure.
        calibration: The dispersion in force.
        frames: Number of frames.
    """
    held = camera.settings
    return {
        "camera": {
            **({} if held is None else asdict(held)),
            "frames": frames,
            "full_scale_counts": camera.full_scale_counts(),
            "sensor_temperature_c": camera.read_sensor_temperature(),
            "sensor_locked": camera.sensor_locked(),
            "frame_time_s": camera.frame_time_s(),
        },
        "spectrograph": dict(spectrograph),
        "laser": laser_settings(context),
        "calibration": {
            "wavelength": calibration.to_dict(),
            "detector": context.calibrations.get("detector", {}).get(detector_key(camera), None),
            "em_gain": context.calibrations.get("em_gain", {}).get(detector_key(camera), None),
            "response": context.calibrations.get("response", {}).get(
                f"{calibration.lines_per_mm:g}/mm {spectrograph['exit']}", None
            ),
            "polarization_response": context.calibrations.get("polarization_response", {}).get(
                f"{calibration.lines_per_mm:g}/mm {spectrograph['exit']}", None
            ),
            "spectral_response": context.calibrations.get("spectral_response", {}).get(
                f"{calibration.lines_per_mm:g}/mm {spectrograph['exit']}", None
            ),
        },
    }


def filter_settings(context: Context) -> dict[str, Any]:
    """Return how the tunable filters in the collection path stand; nothing of those outside."""
    station, found = context.station, dict[str, Any]()
    for name in station:
        device = station[name]
        if isinstance(device, PolarizationAnalyser) and device.in_path():
            found["analyser"] = {
                "name": name,
                "angle_deg": device.read_angle(),
                "angle_error_deg": device.angle_error_deg(),
                "extinction": device.extinction(),
                "remedy": device.remedy,
            }
        if isinstance(device, EdgeFilter) and device.in_path():
            found["edge_filter"] = {"name": name, "edge_nm": device.read_edge()}
    return found


def laser_settings(context: Context) -> dict[str, Any]:
    """Return what is known of the excitation; the fluence as the attenuator stands, if any."""
    laser = context.table.laser
    attenuator = _attenuator(context)
    known = {} if laser is None else {**asdict(laser), **_spot(attenuator)}
    fluence = present_fluence_uj_cm2(context)
    if fluence is None:
        return known
    error = None if attenuator is None else attenuator.fluence_error_uj_cm2()
    stated = {} if error is None else {"peak_fluence_error_uj_cm2": error}
    return {**known, "peak_fluence_uj_cm2": fluence, **stated}


def _spot(attenuator: Attenuator | None) -> dict[str, float]:
    """Return the size of the spot that the fluence rests on, where it is known how well."""
    found = None if attenuator is None else attenuator.excitation
    if found is None or found.spot_error_rel is None:
        return {}
    diameter_um = found.spot_1e2_diameter_um
    return {
        "spot_1e2_diameter_um": diameter_um,
        "spot_uncertainty_um": found.spot_error_rel * diameter_um,
    }


def present_fluence_uj_cm2(context: Context) -> float | None:
    """Return the peak fluence on the sample: as the attenuator stands, or as the set-up says."""
    attenuator = _attenuator(context)
    if attenuator is not None:
        return attenuator.read_fluence()
    return context.table.laser.peak_fluence_uj_cm2 if context.table.laser is not None else None


def fluence_error_rel(context: Context) -> float | None:
    """Return the relative standard error of that; None: it is only believed."""
    attenuator = _attenuator(context)
    error = None if attenuator is None else attenuator.fluence_error_uj_cm2()
    return None if attenuator is None or error is None else error / attenuator.read_fluence()


def present_spot_um(context: Context) -> tuple[float, float | None]:
    """Return the 1/e² diameter of the spot, um, as it is known best, and its standard error.

    Raises:
        ConfigError: The set-up says nothing of its laser.
    """
    laser = context.table.laser
    if laser is None:
        raise ConfigError([Problem("the set-up has no 'laser', so its spot is not known")])
    known = _spot(_attenuator(context))
    return (
        known.get("spot_1e2_diameter_um", laser.spot_1e2_diameter_um),
        known.get("spot_uncertainty_um", laser.spot_uncertainty_um),
    )


def dose_rate_uj_cm2_s(context: Context) -> float | None:
    """Return the light that falls on the centre of the spot in 1 s, uJ/cm²; None: not known."""
    laser, fluence = context.table.laser, present_fluence_uj_cm2(context)
    if laser is None or fluence is None or not laser.rep_rate_hz:
        return None
    return fluence * laser.rep_rate_hz


def _attenuator(context: Context) -> Attenuator | None:
    devices = (context.station[name] for name in context.station)
    return next((device for device in devices if isinstance(device, Attenuator)), None)


def warn_of_missing(
    context: Context, camera: Camera, calibration: GratingCalibration, exit_name: str
) -> None:
    """Say, once in a run, which calibrations the numbers of a spectrum would need."""
    key = f"{calibration.lines_per_mm:g}/mm {exit_name}"
    wanted = {"wavelength": key, "response": key, "detector": detector_key(camera)}
    made_by = {"response": "wavelength"}
    if camera.settings is not None and camera.settings.em_gain > 1:
        wanted["em_gain"] = wanted["detector"]
    for name, entry in wanted.items():
        if entry not in context.calibrations.get(name, {}):
            kind = made_by.get(name, name)
            context.warn_once(
                "calibration",
                f"no {name} calibration of {entry}; make it with 'calibrate: {{kind: {kind}, …}}'",
            )


def detector_key(camera: Camera) -> str:
    """Return the name under which the conversion of a port, speed and analog gain is kept."""
    held = camera.settings
    if held is None:
        return ""
    return f"{held.quality} {held.adc_mhz:g} MHz analog gain {held.analog_gain}"
