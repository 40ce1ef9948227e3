"""A recorded spectrum that a simulated set-up shows instead of the light of the sample."""

import csv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl.errors import ConfigError, LabctlError, Problem
from labctl.optics import read_spe
from labctl.setup._models import Recording

__all__ = ["recorded_light"]

_COUNTS, _RATE, _WAVELENGTH = "counts", "electrons_per_s", "wavelength_nm"
_SPE_EXPOSURE_MS = "Cameras/Camera/ShutterTiming/ExposureTime"
Floats = NDArray[np.float64]


class _Content(NamedTuple):
    wavelength_nm: Floats
    values: Floats
    """Counts with the offset taken off, or electrons per second."""
    counted: bool
    exposure_s: float | None


def recorded_light(recording: Recording, path: Path) -> dict[str, list[float]]:
    """Read a recording into what the simulated set-up takes.

    Formats, by the ending of the name: ``.spe`` (versions 2 and 3; mean of the frames, sum of the
    rows of the first region), ``.csv`` (a line of names, then numbers; ``#`` begins a comment) and
    ``.npz``. The last two have ``wavelength_nm`` and either ``counts`` or ``electrons_per_s``, and
    ``.npz`` may have ``exposure_s``.

    Args:
        recording: What the set-up says about the file.
        path: Where it is.

    Returns:
        ``wavelength_nm``, rising, and ``electrons_per_s``, at least 0; equally long.

    Raises:
        ConfigError: The file cannot be read, or something is missing; without a place in a file.
    """
    content = _read(recording, path)
    rate = content.values
    if content.counted:
        exposure_s = recording.exposure_s or content.exposure_s
        if not exposure_s:
            what = f"'{path.name}' does not say how long the exposure was"
            raise _problem(what, "add the key exposure, like 'exposure: 1 s'")
        rate = rate * (recording.electrons_per_count / exposure_s)
    wavelength_nm = content.wavelength_nm
    if wavelength_nm[0] > wavelength_nm[-1]:
        wavelength_nm, rate = wavelength_nm[::-1], rate[::-1]
    _check(wavelength_nm, rate, path)
    return {_WAVELENGTH: wavelength_nm.tolist(), _RATE: np.maximum(rate, 0.0).tolist()}


def _read(recording: Recording, path: Path) -> _Content:
    readers = {".spe": _spe, ".csv": _csv, ".npz": _npz}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        what = f"'{path.name}' is of no known kind of recording"
        raise _problem(what, f"use {', '.join(readers)}")
    try:
        return reader(path, recording.offset_counts)
    except ConfigError:
        raise
    except (OSError, ValueError, LabctlError, csv.Error, zipfile.BadZipFile) as error:
        raise _problem(f"'{path.name}' cannot be read: {error}") from error


def _spe(path: Path, offset_counts: float) -> _Content:
    content = read_spe(path)
    region = content.regions[0]
    if region.wavelength_nm is None:
        raise _problem(f"'{path.name}' has no wavelengths", "calibrate it, or make it a .csv")
    mean = region.frames.astype(np.float64).mean(axis=0) - offset_counts
    stated_ms = content.metadata.get(_SPE_EXPOSURE_MS)
    exposure_s = float(stated_ms) * 1e-3 if stated_ms else None
    return _Content(region.wavelength_nm, mean.sum(axis=0), True, exposure_s)


def _csv(path: Path, offset_counts: float) -> _Content:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in file if line.strip() and not line.lstrip().startswith("#")]
    rows = list(csv.reader(lines, skipinitialspace=True))
    names = [name.strip() for name in rows[0]] if rows else []
    _named(names, path)
    numbers = np.array([[float(cell) for cell in row] for row in rows[1:]], dtype=np.float64)
    if numbers.ndim != 2:
        raise _problem(f"'{path.name}' has no numbers below its names")
    return _columns(dict(zip(names, numbers.T, strict=True)), offset_counts, None)


def _npz(path: Path, offset_counts: float) -> _Content:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: np.asarray(file[name], dtype=np.float64) for name in file.files}
    _named(list(arrays), path)
    stated = arrays.pop("exposure_s", None)
    exposure_s = None if stated is None else float(stated.reshape(-1)[0])
    return _columns(arrays, offset_counts, exposure_s)


def _named(names: list[str], path: Path) -> None:
    if _WAVELENGTH not in names or (_COUNTS in names) == (_RATE in names):
        what = f"'{path.name}' has {', '.join(map(repr, names)) or 'nothing'}"
        raise _problem(what, f"name the columns {_WAVELENGTH} and {_COUNTS} or {_RATE}")


def _columns(
    columns: Mapping[str, Floats], offset_counts: float, exposure_s: float | None
) -> _Content:
    counted = _COUNTS in columns
    values = columns[_COUNTS] - offset_counts if counted else columns[_RATE]
    return _Content(columns[_WAVELENGTH], values, counted, exposure_s)


def _check(wavelength_nm: Floats, rate: Floats, path: Path) -> None:
    name = path.name
    if wavelength_nm.shape != rate.shape or wavelength_nm.ndim != 1 or wavelength_nm.size < 2:
        what = f"'{name}' has {wavelength_nm.size} wavelengths for {rate.size} values"
        raise _problem(what, "at least two of each are needed")
    if not (np.all(np.isfinite(wavelength_nm)) and np.all(np.isfinite(rate))):
        raise _problem(f"'{name}' has numbers that are not finite")
    if wavelength_nm[0] <= 0.0 or np.any(np.diff(wavelength_nm) <= 0.0):
        raise _problem(f"the wavelengths of '{name}' do not all rise, or all fall")


def _problem(what: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem(what, hint=hint)])
