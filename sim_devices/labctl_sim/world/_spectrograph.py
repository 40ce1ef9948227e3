"""The spectrograph as it really is, and where its motors stand."""

from dataclasses import dataclass

from labctl_sim.world._grating import Mount
from labctl_sim.world._linewidth import FWHM_PER_SD

DEFAULT_SLIT_UM = 20.0


@dataclass(frozen=True)
class SpectrographTruth:
    """Optics from the objective to the exit port.

    The geometry differs from the data sheet (500 mm, 17.2 deg, 0 deg, 0 px) as that of real
    instruments does. Everything is an assumption but the resolution (Zhu 2024, Methods: about 1
    and 0.3 meV at 2.33 eV): a sharp line is 0.93 and 0.30 meV wide with a slit of 20 um and 300
    or 1800 lines/mm, so that the narrowest dot shows 1.2 meV.
    """

    focal_length_mm: float = 499.1
    inclusion_deg: float = 17.26
    detector_tilt_deg: float = 0.42
    centre_offset_px: float = 1.3
    """Of the pixel on the axis against N/2 - 1; each grating sits a little differently."""
    centre_offset_300_px: float = 3.4
    centre_offset_1800_px: float = -2.6
    aberration_um: float = 40.0
    """FWHM of the blur on the detector besides slit and pixel."""
    aberration_300_um: float = 27.0
    aberration_1800_um: float = 75.2
    polarization_ratio: float = 1.5
    """Grating efficiency s over p."""
    polarization_300_ratio: float = 1.2
    polarization_1800_ratio: float = 2.5
    dichroic_polarization_ratio: float = 1.0
    """Transmission s over p of what stands before the analyser; 1: it favours nothing."""
    throughput_rel: float = 0.015
    """Photons at the sensor per photon emitted, at the blaze and the default slit."""
    zero_order_rel: float = 0.3
    """Light in the undiffracted order against that at the blaze (assumed)."""
    slit_focus_sd_um: float = 8.0
    """Size of the dot's image on the slit; decides how much a narrow slit cuts off."""
    stray_light_rel: float = 1e-4
    """Share of the light entering that spreads evenly over the sensor."""
    long_pass_nm: float = 450.0
    long_pass_width_nm: float = 4.0
    long_pass_density: float = 6.0
    edge_filter_width_nm: float = 3.5
    edge_filter_density: float = 5.0
    extinction_rel: float = 1e-4
    """Of the analyser."""
    collection_sd_um: float = 0.35
    focus_depth_um: float = 0.8
    lamp_photons_hz: float = 4e5
    """In the strongest line of a calibration lamp, at the default slit, at the sensor."""
    halogen_photons_hz: float = 3e6
    """Per nm, of the halogen lamp at 560 nm, at the default slit, at the sensor without filters."""
    halogen_k: float = 2862.0
    """Its colour temperature, a little off its certificate of 2856 K (assumed)."""
    room_light_photons_hz: float = 4e3
    """Per pixel of the lit rows with the ceiling lights on."""
    in_air: bool = True
    """The grating sees wavelengths in air, 277 ppm shorter than hc/E."""

    def of_grating(self, name: str, lines_per_mm: float) -> float:
        """A property that has its own value for 300 and 1800 lines/mm.

        ``name`` is the general field, its last word the unit; for example "aberration_um".
        """
        stem, unit = name.rsplit("_", 1)
        special = f"{stem}_{round(lines_per_mm)}_{unit}"
        return float(getattr(self, special, getattr(self, name)))


class SpectrographState:
    """Where grating, slit and mirrors stand; set by the simulator of the monochromator."""

    def __init__(self, truth: SpectrographTruth) -> None:
        """300 lines/mm at 531 nm, default slit, front exit."""
        self.truth = truth
        self.lines_per_mm = 300.0
        """0 is a mirror."""
        self.blaze_nm = 500.0
        self.centre_nm = 531.0
        """True position of the drive."""
        self.entrance_slit_um = DEFAULT_SLIT_UM
        self.exit = "front"
        """"front" or "side"."""

    def key(self) -> tuple[float, float, float, float, str]:
        """Everything that decides the picture, to compare two states."""
        return (
            self.lines_per_mm,
            self.blaze_nm,
            self.centre_nm,
            self.entrance_slit_um,
            self.exit,
        )

    def mount(self, pixel_um: float, columns: int) -> Mount | None:
        """Geometry for a sensor, or None when this grating cannot reach the position."""
        if self.lines_per_mm <= 0.0:
            return None
        truth = self.truth
        offset_px = truth.of_grating("centre_offset_px", self.lines_per_mm)
        try:
            return Mount.at(
                lines_per_mm=self.lines_per_mm,
                centre_nm=self.centre_nm,
                focal_length_mm=truth.focal_length_mm,
                inclusion_deg=truth.inclusion_deg,
                tilt_deg=truth.detector_tilt_deg,
                pixel_um=pixel_um,
                centre_px=columns / 2 - 1 + offset_px,
            )
        except ValueError:
            return None

    def aberration_sd_um(self) -> float:
        """Gaussian blur on the detector, standard deviation."""
        return self.truth.of_grating("aberration_um", self.lines_per_mm) / FWHM_PER_SD
