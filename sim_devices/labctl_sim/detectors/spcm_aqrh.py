"""Simulated Excelitas SPCM-AQRH: thick-junction silicon avalanche photodiode."""

from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.detectors._apd import ApdSimulator

__all__ = ["SpcmAqrh"]


class SpcmAqrh(ApdSimulator):
    """An Excelitas SPCM-AQRH-14, from data sheets; see `ApdSimulator`."""

    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **ApdSimulator.truth_defaults,
        "curve": "spcm",
        "efficiency": 0.55,
        "dark_rate_hz": 100.0,
        "dead_time_ns": 24.0,
        "jitter_fwhm_ps": 350.0,
        "afterpulse_probability": 0.005,
        "limit_mhz": 37.0,
    }
