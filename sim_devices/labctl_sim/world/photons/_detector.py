"""An avalanche photodiode and the light path that ends on it."""

from dataclasses import dataclass

import numpy as np

from labctl_sim.world._types import FloatArray

_PDM_NM = (400.0, 450.0, 500.0, 530.0, 550.0, 600.0, 650.0, 700.0, 800.0, 900.0, 1000.0)
_PDM_REL = (0.43, 0.71, 0.94, 1.0, 1.0, 0.88, 0.76, 0.6, 0.31, 0.12, 0.02)
_SPCM_NM = (400.0, 450.0, 500.0, 530.0, 550.0, 600.0, 650.0, 700.0, 800.0, 900.0, 1000.0)
_SPCM_REL = (0.2, 0.45, 0.82, 1.0, 1.1, 1.24, 1.31, 1.38, 1.18, 0.75, 0.25)


@dataclass(frozen=True)
class ApdTruth:
    """What a detector really is; the defaults are an MPD PDM behind the spectrograph's side exit.

    Timing 50 ps (FWHM), tail, efficiency, darks, dead time, afterpulsing and cross-talk are the
    assumptions of the project's physics notes; the curve of efficiency is that of the data sheet.
    """

    efficiency: float = 0.45
    """At 530 nm."""
    curve: str = "pdm"
    """"pdm" (thin junction) or "spcm" (thick junction): efficiency against wavelength."""
    dark_rate_hz: float = 50.0
    dead_time_ns: float = 77.0
    jitter_fwhm_ps: float = 50.0
    tail_ps: float = 60.0
    tail_fraction: float = 0.10
    afterpulse_probability: float = 0.01
    afterpulse_delay_ns: float = 30.0
    crosstalk_probability: float = 1e-4
    crosstalk_delay_ns: float = 20.0
    cable_ns: float = 3.0
    """Delay of the signal against the laser's sync (assumed)."""
    limit_mhz: float = 12.0
    """More events than this blind it until the light is gone."""
    throughput_rel: float = 0.010
    """Photons at the detector of one arm without splitter, per photon emitted."""
    light_path: str = "side"
    """"side": behind the grating, at the side exit; "direct": before the spectrograph."""
    exit_slit_um: float = 500.0
    arm_fraction: float = 0.5
    """Of the splitter for unpolarized light; not used when the detector stands alone."""
    polarization_ratio: float = 1.0
    """s over p of splitter and dichroic together; s lies across x."""
    band_centre_nm: float = 0.0
    """Centre of a band-pass in front of this detector alone; 0: there is none."""
    band_width_nm: float = 10.0
    laser_pulse_fwhm_ps: float = 10.0
    room_light_mhz: float = 2.0
    """Events per second that the ceiling lights cause."""


def efficiency_rel(curve: str, wavelength_nm: FloatArray) -> FloatArray:
    """Efficiency against that at 530 nm."""
    table = (_SPCM_NM, _SPCM_REL) if curve == "spcm" else (_PDM_NM, _PDM_REL)
    return np.interp(wavelength_nm, *table, left=0.0, right=0.0)


class Apd:
    """One detector as it stands in the set-up."""

    def __init__(
        self,
        truth: ApdTruth,
        *,
        name: str = "",
        tagger: str = "",
        channel: int = 1,
        counter: str = "",
        counter_channel: int = 0,
    ) -> None:
        """Switched on, gate open.

        Args:
            truth: What it is.
            name: Its name in the set-up.
            tagger: Instrument whose input it is plugged into; "": any.
            channel: Input there, from 1; 0 is the sync input.
            counter: Counter card whose input it is plugged into, too; "": none.
            counter_channel: Input there, from 0.
        """
        self.truth, self.name = truth, name
        self.tagger, self.channel = tagger, channel
        self.counter, self.counter_channel = counter, counter_channel
        self.powered, self.gate_open = True, True
        self.shutter_open = True
        """Of a shutter in front of this detector alone."""
        self.blind = False
        """By more light than it bears; gives no pulses until the light is gone."""
        self.overloads = 0
        """So often it was blinded."""

    @property
    def alive(self) -> bool:
        """Whether it can give pulses."""
        return self.powered and self.gate_open
