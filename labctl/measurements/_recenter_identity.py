"""Whether a dot is the one that it was the last time: its brightness and its line."""

from dataclasses import asdict, dataclass

from labctl.errors import RefusedError
from labctl.measurements._context import Context
from labctl.measurements._dispersion import dispersion, tune
from labctl.measurements._exposure import Exposure, expose
from labctl.measurements._paths import take_path
from labctl.measurements._spectrum import PEAK_NM, Spectrum, peak_nm
from labctl.optics import air_nm_to_ev, ev_to_air_nm
from labctl.roles import Camera, Spectrograph

__all__ = ["RECENTER", "Seen", "Tolerances", "check_identity", "line_energy_ev"]

RECENTER = "recenter"
_KEY = RECENTER + "_{}"
_SAME_FLUENCE = 0.05


@dataclass(frozen=True)
class Seen:
    """What tells a dot from others.

    Attributes:
        temperature_k: Of the sample, K.
        rate_hz: Counts per second above the dark ones, at the maximum.
        fluence_uj_cm2: Peak fluence meanwhile, uJ/cm²; None: not known.
        energy_ev: Of its line, eV; None: not known.
    """

    temperature_k: float
    rate_hz: float
    fluence_uj_cm2: float | None
    energy_ev: float | None

    def remember(self, context: Context) -> None:
        """Keep it for the next time in this run."""
        for name, value in asdict(self).items():
            if value is not None:
                context.remember(_KEY.format(name), value)
        if self.energy_ev is not None:
            context.remember(PEAK_NM, float(ev_to_air_nm(self.energy_ev)))

    @staticmethod
    def recall(context: Context) -> "Seen | None":
        """Return what was seen the last time in this run.

        The first time tells no energy; a spectrum that was taken after it stands in.
        """
        kept = {name: context.remembered(_KEY.format(name)) for name in Seen.__annotations__}
        temperature_k, rate_hz = kept["temperature_k"], kept["rate_hz"]
        if temperature_k is None or rate_hz is None:
            return None
        last_nm = context.remembered(PEAK_NM)
        energy_ev = kept["energy_ev"]
        if energy_ev is None and last_nm is not None:
            energy_ev = float(air_nm_to_ev(last_nm))
        return Seen(temperature_k, rate_hz, kept["fluence_uj_cm2"], energy_ev)


@dataclass(frozen=True)
class Tolerances:
    """What a dot may have changed since the last time; see ``Recenter``."""

    dimmest: float
    brightest: float
    energy_ev: float
    shift_mev_per_k: float


def check_identity(now: Seen, last: Seen | None, allowed: Tolerances) -> list[str]:
    """Compare with the last time; returns in words what could not be compared.

    Raises:
        RefusedError: It is another dot; says by what.
    """
    if last is None:
        return []
    return [*_check_brightness(now, last, allowed), *_check_energy(now, last, allowed)]


def _check_brightness(now: Seen, last: Seen, allowed: Tolerances) -> list[str]:
    fluences = now.fluence_uj_cm2, last.fluence_uj_cm2
    if None not in fluences and fluences[0] != fluences[1]:
        first, second = now.fluence_uj_cm2 or 0.0, last.fluence_uj_cm2 or 0.0
        if abs(first - second) > _SAME_FLUENCE * second:
            return [f"brightness not compared: {first:g} uJ/cm^2, the last time {second:g}"]
    share = now.rate_hz / last.rate_hz
    if not allowed.dimmest <= share <= allowed.brightest:
        what = f"the dot gives {now.rate_hz:.4g} Hz, the last time it gave {last.rate_hz:.4g} Hz"
        hint = f"allowed: {allowed.dimmest:g} to {allowed.brightest:g} times as much"
        raise RefusedError(RECENTER, what, hint)
    return []


def _check_energy(now: Seen, last: Seen, allowed: Tolerances) -> list[str]:
    if now.energy_ev is None or last.energy_ev is None:
        return ["the line's energy is not compared: it takes two spectra of the dot"]
    shift_ev = 1e-3 * allowed.shift_mev_per_k * (now.temperature_k - last.temperature_k)
    off_mev = 1e3 * (now.energy_ev - last.energy_ev - shift_ev)
    if abs(off_mev) > 1e3 * allowed.energy_ev:
        what = (
            f"the line is at {now.energy_ev:.4f} eV, {off_mev:+.1f} meV from where it should be at "
            f"{now.temperature_k:.1f} K (it was at {last.energy_ev:.4f} eV at "
            f"{last.temperature_k:.1f} K)"
        )
        hint = f"allowed: {1e3 * allowed.energy_ev:g} meV; is it another dot?"
        raise RefusedError(RECENTER, what, hint)
    return []


def line_energy_ev(context: Context, exposure_s: float) -> float | None:
    """Take a short spectrum where the last one was; returns the energy of its maximum, eV.

    None: no spectrograph with camera, or no spectrum in this run that tells where to look.
    """
    station, last_nm = context.station, context.remembered(PEAK_NM)
    roles = (Spectrograph, Camera)
    there = all(any(isinstance(station[name], role) for name in station) for role in roles)
    if last_nm is None or not there:
        return None
    spectrograph = station.only(Spectrograph, prefer="spectrograph")
    camera = station.only(Camera, prefer="camera")
    take_path(context, None, "camera", [camera.name])
    lines = min(g.lines_per_mm for g in spectrograph.gratings().values() if g.lines_per_mm > 0)
    centre_nm = tune(context, spectrograph, lines, last_nm)
    settings = Spectrum(exposure=f"{exposure_s} s").camera_settings(camera)
    calibration = dispersion(context, spectrograph, camera)
    frames = expose(context, camera, Exposure(settings, 1)).counts
    roi = settings.roi
    wavelength_nm = calibration.region_nm(roi.x0, roi.width, centre_nm, roi.x_binning)
    return float(air_nm_to_ev(peak_nm(frames, wavelength_nm)))
