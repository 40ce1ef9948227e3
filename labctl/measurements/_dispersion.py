"""Setting the spectrograph, and what is known of its dispersion."""

from labctl.errors import RefusedError
from labctl.measurements._context import Context
from labctl.optics import CalibrationEvidence, GratingCalibration
from labctl.roles import Camera, Spectrograph

__all__ = ["calibration_key", "dispersion", "nominal_dispersion", "tune"]

_NOMINAL: dict[str, tuple[float, float]] = {
    "150": (150.0, 49.32),
    "300": (300.0, 30.30),
    "500": (500.0, 17.20),
    "750": (750.0, 13.10),
}
"""Digits in the model name → focal length in mm, inclusion angle in deg; data sheets of the SP."""


def tune(
    context: Context,
    spectrograph: Spectrograph,
    lines_per_mm: float | None,
    centre_nm: float | None,
) -> float:
    """Select a grating and a centre wavelength where given; returns the read-back centre, nm.

    Every move is read back: the instrument says ok to requests that it does not fulfil.
    """
    if lines_per_mm is not None:
        _select(context, spectrograph, spectrograph.grating_number(lines_per_mm))
    here_nm = spectrograph.read_wavelength()
    settable = spectrograph.settable("wavelength")
    if centre_nm is None or abs(here_nm - centre_nm) <= settable.spec.tolerance:
        return here_nm
    return context.move(settable, centre_nm)


def calibration_key(lines_per_mm: float, exit_name: str) -> str:
    """Return the name under which the calibration of a grating and exit is kept."""
    return f"{lines_per_mm:g}/mm {exit_name}"


def dispersion(context: Context, spectrograph: Spectrograph, camera: Camera) -> GratingCalibration:
    """Return the calibration of the grating in use, or the data-sheet values if there is none."""
    grating = spectrograph.gratings()[spectrograph.read_grating()]
    key = calibration_key(grating.lines_per_mm, spectrograph.read_exit())
    known = context.calibrations.get("wavelength", {}).get(key)
    if known is not None:
        return GratingCalibration.from_dict(known)
    return nominal_dispersion(spectrograph, camera)


def nominal_dispersion(spectrograph: Spectrograph, camera: Camera) -> GratingCalibration:
    """Return the data-sheet dispersion; wrong by up to 1 nm on a real instrument."""
    model = spectrograph.identity().model
    found = [values for word, values in _NOMINAL.items() if word in model]
    if len(found) != 1:
        known = ", ".join(_NOMINAL)
        raise RefusedError(
            spectrograph.name, f"unknown model {model!r}", f"known focal lengths: {known}"
        )
    focal_length_mm, inclusion_angle_deg = found[0]
    grating = spectrograph.gratings()[spectrograph.read_grating()]
    return GratingCalibration(
        lines_per_mm=grating.lines_per_mm,
        focal_length_mm=focal_length_mm,
        inclusion_angle_deg=inclusion_angle_deg,
        centre_pixel=camera.sensor_size()[0] / 2 - 1,
        pixel_pitch_um=camera.pixel_pitch_um(),
        evidence=CalibrationEvidence(
            grating=f"{grating.lines_per_mm:g}/mm", exit_port=spectrograph.read_exit()
        ),
    )


def _select(context: Context, spectrograph: Spectrograph, number: int) -> None:
    if spectrograph.read_grating() == number:
        return
    spectrograph.start_grating(number)
    context.wait_until(
        lambda: not spectrograph.is_moving(),
        timeout_s=spectrograph.grating_timeout_s,
        what=f"{spectrograph.name} grating {number}",
    )
    spectrograph.confirm_grating(number)
