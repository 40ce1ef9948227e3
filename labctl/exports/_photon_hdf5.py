"""Raw records as Photon-HDF5 0.5, for programs that know photons but not our files.

Source: the definition of the format (photon-hdf5.org, "Photon-HDF5 format definition", 0.5).
Markers, which it has no place for, lie in its group for users, ``/user/labctl``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from labctl.clock import RealClock
from labctl.errors import StorageError
from labctl.photons import Decoder, PtuFile, read_ptu
from labctl.results import StoredPhotons, channels, photon_points
from labctl.storage import Run

__all__ = ["export_photon_hdf5"]

Fields = dict[str, Any]
"""Path of a field in the file, and what is in it."""

_SMALL = 4096
_FORMAT = {
    "format_name": "Photon-HDF5",
    "format_version": "0.5",
    "format_url": "http://photon-hdf5.org/",
}
_TIME = "%Y-%m-%d %H:%M:%S"
_MEASUREMENTS = ("trpl", "g2", "trace", "photons", "irf")


def export_photon_hdf5(run: Run, folder: Path) -> list[Path]:
    """Write one file for each raw record of the run, under the record's own name.

    Args:
        run: The run; its PTU files lie beside it.
        folder: Where to write.

    Raises:
        StorageError: If the run has no raw records, or one cannot be read.
        OSError: If a file cannot be written.
    """
    points = photon_points(run, *_MEASUREMENTS)
    parts = [(stored, path) for stored in points for path in stored.files]
    if not parts:
        msg = f"run {run.uid} has no raw records of photons"
        raise StorageError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(run, stored, path, folder / f"{path.stem}.h5") for stored, path in parts]


@dataclass(frozen=True, eq=False)
class _Photons:
    """All photons and markers of a file."""

    times: NDArray[np.int64]
    channels: NDArray[np.uint8]
    delays: NDArray[np.uint16]
    marker_times: NDArray[np.int64]
    marker_bits: NDArray[np.uint8]


def _decoded(file: PtuFile) -> _Photons:
    decoder = Decoder(file.stream)
    blocks = [decoder.feed(records).copy() for records in file.blocks()]

    def joined(name: str, dtype: Any) -> NDArray[Any]:
        return np.concatenate([np.empty(0, dtype), *(getattr(block, name) for block in blocks)])

    return _Photons(
        joined("time_ticks", np.int64),
        joined("channel", np.uint8),
        joined("delay_bins", np.uint16),
        joined("marker_ticks", np.int64),
        joined("marker_bits", np.uint8),
    )


def _write(run: Run, stored: StoredPhotons, source: Path, path: Path) -> Path:
    file = read_ptu(source)
    photons = _decoded(file)
    about = f"point {stored.point} ({stored.measurement}) of run {run.uid}: {run.title}"
    detectors = _detectors(stored, photons)
    fields: Fields = {
        "acquisition_duration": stored.live_s,
        "description": about,
        **_under("photon_data", _photon_data(file, photons)),
        **_under("setup", _setup(stored, file, len(detectors["id"]))),
        **_under("setup/detectors", detectors),
        **_under("sample", _sample(run)),
        **_under("identity", _identity(run, path)),
        **_under("provenance", _provenance(file)),
        "user/labctl/marker_timestamps": photons.marker_times,
        "user/labctl/marker_bits": photons.marker_bits,
    }
    with h5py.File(path, "w") as root:
        for name, value in (_FORMAT | {"CLASS": "GROUP", "TITLE": "Photon-HDF5"}).items():
            root.attrs[name] = np.bytes_(value)
        for name, value in fields.items():
            _create(root, name, value)
    return path


def _under(group: str, fields: Fields) -> Fields:
    return {f"{group}/{name}": value for name, value in fields.items()}


def _create(root: h5py.File, name: str, value: Any) -> None:
    """Write a field; texts as bytes of fixed length, PyTables knows no others."""
    if isinstance(value, str):
        root.create_dataset(name, data=np.bytes_(value.encode()))
    elif np.size(value) > _SMALL:
        root.create_dataset(name, data=value, compression="gzip", compression_opts=1)
    else:
        root.create_dataset(name, data=value)


def _photon_data(file: PtuFile, photons: _Photons) -> Fields:
    stream = file.stream
    found: Fields = {
        "timestamps": photons.times,
        "timestamps_specs/timestamps_unit": stream.tick_s,
        "detectors": photons.channels,
    }
    if stream.mode == 3:
        bins = _bins(file)
        found["nanotimes"] = photons.delays
        found["nanotimes_specs/tcspc_unit"] = stream.delay_bin_s
        found["nanotimes_specs/tcspc_num_bins"] = bins
        found["nanotimes_specs/tcspc_range"] = bins * stream.delay_bin_s
    return found


def _bins(file: PtuFile) -> int:
    """Return how many delays can occur: up to the next sync, as far as records can tell."""
    stream = file.stream
    period = math.ceil(stream.tick_s / stream.delay_bin_s - 1e-6)
    return min(period, stream.format.delay_bins)


def _setup(stored: StoredPhotons, file: PtuFile, detectors: int) -> Fields:
    rate_hz = stored.rep_rate_hz or 0.0
    found: Fields = {
        "num_pixels": detectors,
        "num_spots": 1,
        "num_spectral_ch": 1,
        "num_polarization_ch": 1,
        "num_split_ch": detectors,
        "modulated_excitation": np.uint8(0),
        "lifetime": np.uint8(file.stream.mode == 3),
        "excitation_alternated": np.zeros(1, np.uint8),
        "excitation_cw": np.array([rate_hz == 0.0], np.uint8),
        "laser_repetition_rates": np.array([rate_hz]),
    }
    for name, wavelength_nm in (
        ("excitation_wavelengths", stored.setting("laser.wavelength_nm")),
        ("detection_wavelengths", stored.wavelength_nm),
    ):
        if wavelength_nm:
            found[name] = np.array([wavelength_nm * 1e-9])
    return found


def _detectors(stored: StoredPhotons, photons: _Photons) -> Fields:
    """Describe every channel that photons came from, also one that the point made no use of."""
    names = dict(zip(channels(stored), stored.detectors, strict=True))
    counts = np.bincount(photons.channels, minlength=256)
    codes = sorted({*names, *np.flatnonzero(counts).tolist()})
    return {
        "id": np.array(codes, np.uint8),
        "label": np.array([names.get(code, f"channel {code}") for code in codes], np.bytes_),
        "counts": counts[codes],
        "dcr": np.array([stored.dark_hz(names[c]) if c in names else np.nan for c in codes]),
    }


def _sample(run: Run) -> Fields:
    sample: Mapping[str, Any] = run.start.get("sample") or {}
    words = (str(sample.get("name", "")), str(sample.get("dot", "")))
    return {"num_dyes": 1, "sample_name": " ".join(word for word in words if word)}


def _identity(run: Run, path: Path) -> Fields:
    return {
        **_FORMAT,
        "author": str(run.start.get("user", "")),
        "author_affiliation": "",
        "creation_time": RealClock().utc().strftime(_TIME),
        "filename": path.name,
        "filename_full": path.name,
        "software": "labctl",
        "software_version": str(run.start.get("labctl_version", "")),
    }


def _provenance(file: PtuFile) -> Fields:
    made = file.header.get("File_CreatingTime")
    when = made.strftime(_TIME) if isinstance(made, datetime) else ""
    return {
        "filename": file.path.name,
        "filename_full": file.path.name,
        "creation_time": when,
        "software": str(file.header.get("CreatorSW_Name") or ""),
        "software_version": str(file.header.get("CreatorSW_Version") or ""),
    }
