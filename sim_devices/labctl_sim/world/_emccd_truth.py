"""An EMCCD camera as it really is."""

import math
from dataclasses import dataclass

import numpy as np

from labctl_sim.world._types import FloatArray


@dataclass(frozen=True)
class EmccdTruth:
    """ProEM 1600x200 with the numbers of `protocols/princeton-camera.md` section 4 (assumed)."""

    columns: int = 1600
    rows: int = 200
    pixel_um: float = 16.0
    exit: str = "front"
    """Exit of the spectrograph at which the camera sits."""
    quantum_efficiency: float = 0.9
    """At 530 nm."""
    efficiency_top_nm: float = 580.0
    """Wavelength of the highest efficiency."""
    efficiency_width_nm: float = 350.0
    """It falls to 1/e at this distance from its top, as exp(-(x / width)^4)."""
    dark_e_s: float = 0.004
    """Per pixel at -70 C; doubles every `dark_doubling_k`."""
    dark_doubling_k: float = 6.5
    induced_charge_e: float = 0.004
    """Clock-induced charge per pixel and frame."""
    em_gain_rel: float = 0.94
    """True gain over the set one (of what exceeds 1): registers age."""
    electrons_per_adu_low_noise: float = 0.98
    """At high analog gain; twice that at medium, four times at low."""
    electrons_per_adu_high_capacity: float = 3.90
    electrons_per_adu_em: float = 3.07
    adc_gain_exponent: float = 0.01
    """Electrons per count grow with speed: (MHz / 1 MHz)^exponent."""
    read_noise_low_noise_e: float = 3.1
    """At 0.1 MHz; grows as (MHz / 0.1)^exponent."""
    read_noise_exponent: float = 0.3
    read_noise_em_e: float = 25.6
    """At 5 MHz; grows in proportion to speed."""
    bias_adu: float = 612.4
    register_full_well_e: float = 800e3
    cosmic_rays_per_cm2_min: float = 1.0
    """Per cm^2 of sensor and minute."""
    cosmic_ray_e: float = 1500.0
    """Mean charge of an event, exponentially distributed."""
    band_row: float = 98.6
    """Row on which a point source falls, at the middle column."""
    band_sd_rows: float = 2.4
    band_tilt_rows: float = 0.7
    """How much the row changes over the whole width."""
    first_lit_row: float = 14.0
    last_lit_row: float = 186.0
    """Rows that the entrance slit lights when an extended source fills it."""
    sensor_start_c: float = -70.0
    sensor_target_c: float = -70.0
    coldest_c: float = -80.0
    cooling_time_s: float = 150.0
    lock_band_k: float = 0.2
    """Locked once the sensor has been so near its set point for `lock_hold_s`."""
    lock_hold_s: float = 30.0

    def gain(self, em_gain: int, quality: str) -> float:
        """True multiplication; 1 unless the port is the multiplying one."""
        if not is_multiplying(quality):
            return 1.0
        return 1.0 + (em_gain - 1) * self.em_gain_rel

    def electrons_per_adu(self, quality: str, adc_mhz: float, analog_gain: int) -> float:
        """Conversion factor; ``analog_gain`` 1 low, 2 medium, 3 high.

        Raises:
            ValueError: no such analog gain.
        """
        if analog_gain not in (1, 2, 3):
            raise ValueError(f"analog gain {analog_gain} is none of 1, 2, 3")
        port = self.electrons_per_adu_low_noise
        if is_multiplying(quality):
            port = self.electrons_per_adu_em
        elif _word(quality) == "highcapacity":
            port = self.electrons_per_adu_high_capacity
        return port * 2.0 ** (3 - analog_gain) * adc_mhz**self.adc_gain_exponent

    def read_noise_e(self, quality: str, adc_mhz: float) -> float:
        """Standard deviation before conversion, electrons at the amplifier."""
        if is_multiplying(quality):
            return self.read_noise_em_e * adc_mhz / 5.0
        return self.read_noise_low_noise_e * (adc_mhz / 0.1) ** self.read_noise_exponent

    def dark_at(self, celsius: float) -> float:
        """Dark current, electrons per pixel and second."""
        return self.dark_e_s * 2.0 ** ((celsius + 70.0) / self.dark_doubling_k)

    def efficiency(self, wavelength_nm: FloatArray) -> FloatArray:
        """Quantum efficiency at a wavelength: a flat top that falls to both sides."""
        centre_nm, width_nm = self.efficiency_top_nm, self.efficiency_width_nm
        reference = math.exp(-(((530.0 - centre_nm) / width_nm) ** 4))
        top = self.quantum_efficiency / reference
        return top * np.exp(-(((wavelength_nm - centre_nm) / width_nm) ** 4))


def is_multiplying(quality: str) -> bool:
    """Whether the vendor's word means the electron-multiplying port."""
    return _word(quality) in ("electronmultiplied", "em")


def _word(quality: str) -> str:
    return quality.replace("_", "").replace(" ", "").lower()
