"""What the arrays of each measurement mean, and where NeXus wants them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.storage._records import ArrayLayout


@dataclass(frozen=True)
class Meaning:
    """How the arrays of a measurement are shown.

    Attributes:
        signal: Array that is plotted; the first array if the measurement has none of this name.
        group: Name of the NXdata group.
        coordinates: Axis name → array that gives its positions.
        detector: Name of the detector if a point does not say it.
        detector_type: Word of NXoptical_spectroscopy, or our own.
        multichannel: Whether one reading of the detector has several channels.
        sub_type: ``experiment_sub_type`` of NXoptical_spectroscopy, or empty.
        preparation: Whether it only prepares what is measured; such data are not plotted first.
        overview: Whether it shows where one is; whatever else was measured is plotted first.
    """

    signal: str
    group: str
    coordinates: Mapping[str, str] = field(default_factory=dict[str, str])
    detector: str = "detector"
    detector_type: str = ""
    multichannel: bool = True
    sub_type: str = ""
    preparation: bool = False
    overview: bool = False

    @property
    def place(self) -> int:
        """How far behind others it stands when one of them is to be shown."""
        return 2 * self.preparation + self.overview


MEANINGS: Mapping[str, Meaning] = {
    "spectrum": Meaning("counts", "spectra", {"x": "wavelength"}, "camera", "CCD"),
    "calibrate_detector": Meaning(
        "counts", "calibrate_detector", {}, "camera", "CCD", preparation=True
    ),
    "calibrate_edge_filter": Meaning(
        "transmission",
        "calibrate_edge_filter",
        {"x": "wavelength"},
        "camera",
        "CCD",
        preparation=True,
    ),
    "calibrate_em_gain": Meaning(
        "counts", "calibrate_em_gain", {}, "camera", "CCD", preparation=True
    ),
    "calibrate_wavelength": Meaning(
        "counts", "calibrate_wavelength", {"x": "wavelength"}, "camera", "CCD", preparation=True
    ),
    "calibrate_analyser": Meaning(
        "light", "calibrate_analyser", {"angle": "angle"}, "camera", "CCD", preparation=True
    ),
    "calibrate_polarization_response": Meaning(
        "light",
        "calibrate_polarization_response",
        {"angle": "angle"},
        "camera",
        "CCD",
        preparation=True,
    ),
    "map": Meaning("rate", "map", {"pixel": "wavelength"}, sub_type="imaging"),
    "polarization": Meaning("counts", "polarization", {"x": "wavelength"}, "camera", "CCD"),
    "image": Meaning(
        "counts", "image", {}, "imaging_camera", "CMOS", sub_type="imaging", overview=True
    ),
    "wide_field": Meaning(
        "counts", "wide_field", {}, "imaging_camera", "CMOS", sub_type="imaging", overview=True
    ),
    "calibrate_imaging_scale": Meaning(
        "counts", "calibrate_imaging_scale", {}, "imaging_camera", "CMOS", preparation=True
    ),
    "calibrate_laser_spot": Meaning(
        "counts", "calibrate_laser_spot", {}, "imaging_camera", "CMOS", preparation=True
    ),
    "calibrate_spot_size": Meaning(
        "counts", "calibrate_spot_size", {}, "imaging_camera", "CMOS", preparation=True
    ),
    "calibrate_step_sizes": Meaning(
        "counts", "calibrate_step_sizes", {}, "imaging_camera", "CMOS", preparation=True
    ),
    "trpl": Meaning(
        "counts", "decay", {"bin": "delay"}, "tagger", "TCSPC module", sub_type="time resolved"
    ),
    "recenter": Meaning("counts", "recenter", {}, "apd", "avalanche-photodiode", preparation=True),
    "autofocus": Meaning("sharpness", "autofocus", {}, "camera", "CCD", preparation=True),
    "irf": Meaning("counts", "irf", {"bin": "delay"}, "tagger", "TCSPC module", preparation=True),
    "photons": Meaning("counts", "photons", {"bin": "time"}, "tagger", "TCSPC module"),
    "g2": Meaning("coincidences", "g2", {"bin": "tau"}, "tagger", "TCSPC module"),
    "trace": Meaning("counts", "trace", {"bin": "time"}, "tagger", "TCSPC module"),
}
"""Measurements with a place of their own; others are stored under their own name."""

OPEN_ENUMERATION_WORDS = frozenset(
    {
        "CCD",
        "photomultiplier",
        "photodiode",
        "avalanche-photodiode",
        "streak camera",
        "bolometer",
    }
)
"""Words for ``detector_type`` that NXoptical_spectroscopy lists; others are marked as our own."""


def meaning_of(measurement: str) -> Meaning:
    """Return what is known about a measurement."""
    return MEANINGS.get(measurement, Meaning("", measurement or "points"))


def signal_of(measurement: str, layout: Sequence[ArrayLayout]) -> str:
    """Return the name of the array that is plotted, or an empty text without arrays."""
    names = [item.name for item in layout]
    wanted = meaning_of(measurement).signal
    if wanted in names:
        return wanted
    positions = set(coordinates_of(measurement, layout).values())
    return next((name for name in names if name not in positions), "")


def coordinates_of(measurement: str, layout: Sequence[ArrayLayout]) -> dict[str, str]:
    """Return axis → array with the positions along it.

    An array is such a coordinate if it has one axis only and is named like that axis, or if the
    measurement's meaning says so.
    """
    known = meaning_of(measurement).coordinates
    found: dict[str, str] = {}
    for item in layout:
        if len(item.axes) == 1 and item.name in (item.axes[0], known.get(item.axes[0])):
            found[item.axes[0]] = item.name
    return found


def has_energy(layout: Sequence[ArrayLayout], item: ArrayLayout) -> bool:
    """Return whether an array is a wavelength axis beside which its energies are shown."""
    is_axis = item.name == "wavelength" and item.units == "nm" and len(item.axes) == 1
    return is_axis and all(other.name != "energy" for other in layout)


def photon_energy_ev(wavelength_nm: NDArray[Any]) -> NDArray[np.float64]:
    """Return the axis in eV beside an axis in nm of air: E = hc / (n wavelength)."""
    # Imported here because it brings scipy, which a program that only writes journals can spare.
    from labctl.optics import air_nm_to_ev

    with np.errstate(divide="ignore"):
        return air_nm_to_ev(wavelength_nm.astype(np.float64))
