"""Excelitas SPCM-AQRH: thick-junction silicon avalanche photodiode with high efficiency."""

from labctl_drivers.detectors._detector import (
    DarkRate,
    DeadTime,
    Detector,
    DetectorSettings,
    Jitter,
    Probability,
    Rate,
)

__all__ = ["SpcmAqrh", "SpcmAqrhSettings"]


class SpcmAqrhSettings(DetectorSettings):
    """Keys of an SPCM-AQRH; defaults are typical values of the data sheet for grade 14."""

    dead_time: DeadTime = 24.0
    jitter: Jitter = 350.0
    dark_rate: DarkRate = 100.0
    afterpulsing: Probability = 0.005
    max_rate: Rate = 10e6
    """Linear to about 5 Mcps; more than 37 Mcps can destroy it."""
    warn_rate: Rate = 5e6


class SpcmAqrh(Detector):
    """Driver of the Excelitas SPCM-AQRH series."""

    settings_type = SpcmAqrhSettings
    maker = "Excelitas"
    model = "SPCM-AQRH"
