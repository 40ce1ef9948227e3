"""Measurements: one kind of acquisition each; parameters, what is stored, how it is done."""

from labctl.measurements._autofocus import Autofocus
from labctl.measurements._calibrate import CalibrateDetector, CalibrateWavelength, response_of
from labctl.measurements._calibrate_analyser import CalibrateAnalyser
from labctl.measurements._calibrate_edge_filter import CalibrateEdgeFilter
from labctl.measurements._calibrate_em_gain import CalibrateEmGain
from labctl.measurements._calibrate_imaging import CalibrateImagingScale, CalibrateLaserSpot
from labctl.measurements._calibrate_polarization_response import CalibratePolarizationResponse
from labctl.measurements._calibrate_power import CalibratePower
from labctl.measurements._calibrate_spectral_response import CalibrateSpectralResponse
from labctl.measurements._calibrate_spot_size import CalibrateSpotSize
from labctl.measurements._calibrate_steps import CalibrateStepSizes
from labctl.measurements._catalogue import CATALOGUE, Catalogue
from labctl.measurements._context import Array, Bank, Context, Grown
from labctl.measurements._dose import light_on
from labctl.measurements._dots import DOTS, FoundDot, stored_dots
from labctl.measurements._g2 import G2
from labctl.measurements._image import Image
from labctl.measurements._irf import IrfMeasurement
from labctl.measurements._laser_light import as_the_laser_stands, excitation_laser
from labctl.measurements._lit import ASSUMED, Fallen, Lit
from labctl.measurements._live import Live
from labctl.measurements._live_path import LightPath
from labctl.measurements._live_photons import LivePhotons
from labctl.measurements._live_picture import LivePicture
from labctl.measurements._live_spectrum import LiveImage, LiveSpectrum
from labctl.measurements._map import Map
from labctl.measurements._measurement import Again, Measurement
from labctl.measurements._monte_carlo import MonteCarlo
from labctl.measurements._optical_table import LaserFacts, OpticalTable
from labctl.measurements._photon_measurement import PhotonMeasurement
from labctl.measurements._photon_stream import Photons, TraceMeasurement
from labctl.measurements._pictures import (
    Light,
    PictureLight,
    image_scale,
    laser_spot_px,
    take_pictures,
)
from labctl.measurements._recenter import Recenter
from labctl.measurements._spectrum import Spectrum
from labctl.measurements._stop import Stop
from labctl.measurements._trpl import Trpl
from labctl.measurements._visit import VISIT_S, VISITED, Visit
from labctl.measurements._wide_field import WideField

__all__ = [
    "ASSUMED",
    "CATALOGUE",
    "DOTS",
    "G2",
    "VISITED",
    "VISIT_S",
    "Again",
    "Array",
    "Autofocus",
    "Bank",
    "CalibrateAnalyser",
    "CalibrateDetector",
    "CalibrateEdgeFilter",
    "CalibrateEmGain",
    "CalibrateImagingScale",
    "CalibrateLaserSpot",
    "CalibratePolarizationResponse",
    "CalibratePower",
    "CalibrateSpectralResponse",
    "CalibrateSpotSize",
    "CalibrateStepSizes",
    "CalibrateWavelength",
    "Catalogue",
    "Context",
    "Fallen",
    "FoundDot",
    "Grown",
    "Image",
    "IrfMeasurement",
    "LaserFacts",
    "Light",
    "LightPath",
    "Lit",
    "Live",
    "LiveImage",
    "LivePhotons",
    "LivePicture",
    "LiveSpectrum",
    "Map",
    "Measurement",
    "MonteCarlo",
    "OpticalTable",
    "PhotonMeasurement",
    "Photons",
    "PictureLight",
    "Recenter",
    "Spectrum",
    "Stop",
    "TraceMeasurement",
    "Trpl",
    "Visit",
    "WideField",
    "as_the_laser_stands",
    "excitation_laser",
    "image_scale",
    "laser_spot_px",
    "light_on",
    "response_of",
    "stored_dots",
    "take_pictures",
]
