"""Decays, coincidences and streams of a stored run, with what belongs to each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Irf, Measured, TimingConfiguration, irf_from_record
from labctl.results._rows import (
    TEMPERATURE,
    StoredRun,
    number,
    optional,
    row_array,
    row_values,
    temperature,
)

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "StoredDecay",
    "StoredPhotons",
    "photon_points",
    "stored_decays",
]

Vector = NDArray[np.float64]

_FLUENCE = "laser.peak_fluence_uj_cm2"


@dataclass(frozen=True, eq=False)
class StoredPhotons:
    """One point of photons.

    Attributes:
        point: Index of the point in the run.
        measurement: ``trpl``, ``g2``, ``trace`` or ``photons``.
        label: Label of the measurement in the recipe.
        arrays: Stored arrays by name.
        values: Settings, set values and readings by name.
        files: Raw records of its parts, in order.
        detectors: Names of the detectors; the first is side a of coincidences.
        temperature_k: As read during the point.
        temperature_set_k: As asked for; None if it was not set in the run.
        fluence_uj_cm2: Peak fluence of the excitation; None if it is not known.
        live_s: Time in which photons were taken, s.
        irfs: Response in force by detector.
        warnings: What was missing or in doubt.
    """

    point: int
    measurement: str
    label: str
    arrays: Mapping[str, Vector]
    values: Mapping[str, Any]
    files: tuple[Path, ...]
    detectors: tuple[str, ...]
    temperature_k: Measured | None
    temperature_set_k: float | None
    fluence_uj_cm2: float | None
    live_s: float
    irfs: Mapping[str, Irf]
    warnings: tuple[str, ...]

    def setting(self, name: str) -> float | None:
        """Return a setting or set value that is a number, None if there is none."""
        return optional(self.values.get(name))

    def rate_hz(self, detector: str) -> float:
        """Return the mean count rate of a detector, Hz."""
        return number(self.values.get(f"photons.detectors.{detector}.count_rate_hz"), 0.0)

    def dark_hz(self, detector: str) -> float:
        """Return the rate of a detector before the light was let in, or of its test sheet, Hz."""
        sheet = number(self.values.get(f"detectors.{detector}.dark_rate_hz"), 0.0)
        return number(self.values.get(f"photons.detectors.{detector}.dark_rate_hz"), sheet)

    @property
    def rep_rate_hz(self) -> float | None:
        """Pulses of the laser per second."""
        return self.setting("laser.rep_rate_hz")

    @property
    def wavelength_nm(self) -> float | None:
        """Wavelength at the exit slit of the spectrograph."""
        return self.setting("spectrograph.wavelength_nm")

    @property
    def bin_ps(self) -> float:
        """Width of a delay bin, ps."""
        return number(self.values.get("tagger.delay_bin_ps"), 0.0)

    @property
    def period_ps(self) -> float | None:
        """Time between two pulses of the laser, ps."""
        rate_hz = self.rep_rate_hz
        return None if not rate_hz else 1e12 / rate_hz


@dataclass(frozen=True, eq=False)
class StoredDecay:
    """A decay of one detector.

    Attributes:
        source: The point.
        detector: Name of the detector.
        counts: Shape (bin,).
        irf: Response in force; None if none was taken.
        configuration: With what it was measured, to compare the response with.
    """

    source: StoredPhotons
    detector: str
    counts: Vector
    irf: Irf | None
    configuration: TimingConfiguration


def photon_points(run: StoredRun, *measurements: str) -> list[StoredPhotons]:
    """Return the points of these measurements in their order."""
    found: list[StoredPhotons] = []
    irfs = _irfs(run)
    for key, dataset in run.data.items():
        measurement = str(dataset.attrs.get("measurement", key))
        if measurement in measurements:
            count = dataset.sizes["point"]
            found += [_point(run, measurement, dataset, row, irfs) for row in range(count)]
    return sorted(found, key=lambda stored: stored.point)


def stored_decays(run: StoredRun) -> list[StoredDecay]:
    """Return the decays of all points of ``trpl`` in their order."""
    return [
        _decay(stored, stored.detectors[0], stored.arrays["counts"])
        for stored in photon_points(run, "trpl")
    ]


def _decay(stored: StoredPhotons, detector: str, counts: Vector) -> StoredDecay:
    configuration = TimingConfiguration(
        bin_ps=stored.bin_ps,
        grating_per_mm=stored.setting("spectrograph.lines_per_mm"),
        detector=detector,
        count_rate_hz=stored.rate_hz(detector),
        wavelength_nm=stored.wavelength_nm,
    )
    return StoredDecay(stored, detector, counts, stored.irfs.get(detector), configuration)


def _point(
    run: StoredRun, measurement: str, dataset: "xr.Dataset", row: int, irfs: Mapping[str, Irf]
) -> StoredPhotons:
    values = row_values(dataset, row)
    index = int(number(values.get("index"), row))
    detectors = tuple(_detectors(values))
    in_force = {
        name: irfs[key]
        for name in detectors
        if (key := str(values.get(f"calibration.irf.{name}.key", ""))) in irfs
    }
    shared = (n for n in dataset.coords if dataset.variables[n].dims != ("point",))
    names = [*dataset.data_vars, *shared]
    return StoredPhotons(
        point=index,
        measurement=measurement,
        label=str(values.get("label", "")),
        arrays={str(name): row_array(dataset, str(name), row) for name in names},
        values=values,
        files=tuple(_files(run, values)),
        detectors=detectors,
        temperature_k=temperature(values),
        temperature_set_k=optional(values.get(f"{TEMPERATURE}:set")),
        fluence_uj_cm2=optional(values.get(_FLUENCE)),
        live_s=number(values.get("live_time_s"), 0.0),
        irfs=in_force,
        warnings=(),
    )


def _detectors(values: Mapping[str, Any]) -> Iterator[str]:
    """Return the detectors of a point, in the order of the measurement."""
    for name in values:
        head, _, rest = name.partition(".")
        detector, _, what = rest.partition(".")
        if head == "detectors" and what == "input" and optional(values[name]) is not None:
            yield detector


def _files(run: StoredRun, values: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the raw records that a point names; attempts that were broken off have left others."""
    for part in range(len(run.sidecars)):
        if name := str(values.get(f"photons.parts.{part}.file") or ""):
            yield run.path.parent / name


def _irfs(run: StoredRun) -> dict[str, Irf]:
    """Return the responses that the run knew: those of its start, and those it made itself.

    A response that was taken twice in one run stands for all its points with the later one.
    """
    start: Mapping[str, Any] = run.start.get("calibrations", {}).get("irf", {})
    found = {key: irf_from_record(entry) for key, entry in start.items()}
    for entry in run.analyses:
        if entry.get("what") == "calibration" and entry.get("name") == "irf":
            found[str(entry["key"])] = irf_from_record(entry["result"])
    return found
