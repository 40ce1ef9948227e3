"""MPD PDM: thin-junction silicon avalanche photodiode with fast timing."""

from labctl_drivers.detectors._detector import (
    DarkRate,
    DeadTime,
    Detector,
    DetectorSettings,
    Jitter,
    Probability,
    Rate,
)

__all__ = ["Pdm", "PdmSettings"]


class PdmSettings(DetectorSettings):
    """Keys of a PDM; defaults are typical values of the data sheet, timing at the NIM output."""

    dead_time: DeadTime = 77.0
    jitter: Jitter = 50.0
    dark_rate: DarkRate = 50.0
    afterpulsing: Probability = 0.01
    max_rate: Rate = 5e6
    """Linear to about 1 Mcps, saturated at about 12 Mcps."""
    warn_rate: Rate = 1e6


class Pdm(Detector):
    """Driver of the MPD PDM series."""

    settings_type = PdmSettings
    maker = "Micro Photon Devices"
    model = "PDM"
