"""Measurements: one kind of acquisition each; parameters, what is stored, how it is done."""

from labctl.measurements._calibrate import CalibrateDetector, CalibrateWavelength, response_of
from labctl.measurements._context import Array, Bank, Context
from labctl.measurements._measurement import Measurement
from labctl.measurements._spectrum import Spectrum

__all__ = [
    "Array",
    "Bank",
    "CalibrateDetector",
    "CalibrateWavelength",
    "Context",
    "Measurement",
    "Spectrum",
    "response_of",
]
