"""Stored runs with planted spectra, written as a journal and read back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.storage import ArrayItem, JournalWriter, RecordKind, Run, read_run

Vector = NDArray[np.float64]

BEGAN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
PIXELS, CENTRE_NM, NM_PER_PIXEL = 500, 531.0, 0.104
ELECTRONS_PER_COUNT, READ_NOISE, BIAS = 1.9, 1.7, 600.0
RESPONSE_NM = 0.22


@dataclass(frozen=True)
class Planted:
    """Truth of one point."""

    temperature_k: float | None = 4.0
    energy_ev: float = 2.334
    lorentz_mev: float = 0.43
    electrons: float = 60_000.0
    satellites: tuple[tuple[float, float], ...] = ()
    frames: int = 5


Store = Callable[..., Run]


@pytest.fixture(scope="session")
def planted() -> type[Planted]:
    return Planted


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a function that writes points into a journal and reads the run."""

    def write(points: Sequence[Planted], *, seed: int = 0, calibrated: bool = True) -> Run:
        path = tmp_path / f"run{seed}.lcj"
        with JournalWriter(path, now=lambda: 5.0, utc=lambda: BEGAN) as journal:
            start = {
                "uid": f"run{seed}",
                "name": "series",
                "title": "A planted series",
                "sample": {"name": "CsPbBr3 23 nm", "dot": "A7"},
                "simulated": True,
            }
            journal.append(RecordKind.START, start, durable=False)
            for index, point in enumerate(points):
                _append(journal, index, point, seed, calibrated=calibrated)
            stop = {"status": "complete", "reason": "", "points": len(points)}
            journal.append(RecordKind.STOP, stop, durable=False)
        return read_run(path)

    return write


def _append(
    journal: JournalWriter, index: int, point: Planted, seed: int, *, calibrated: bool
) -> None:
    wavelength, frames = _frames(point, np.random.default_rng([seed, index]))
    temperature: dict[str, Any] = {"set": {}, "read": {}}
    if point.temperature_k is not None:
        kelvin = {"value": point.temperature_k, "units": "K"}
        temperature["set"] = {"cryostat.temperature": kelvin}
        temperature["read"] = {"cryostat.temperature": {**kelvin, "std": 0.01, "count": 3}}
    data: dict[str, Any] = {
        "index": index,
        "measurement": "spectrum",
        "label": "",
        **temperature,
        "settings": {
            "camera": {"em_gain": 1, "frames": point.frames, "full_scale_counts": 65535.0},
            "spectrograph": {"lines_per_mm": 300.0, "wavelength_nm": CENTRE_NM},
            "calibration": _calibrations() if calibrated else {"detector": None, "response": None},
        },
        "quality": 0,
        "began_s": 1.0,
        "ended_s": 4.0,
        "live_time_s": 5.0,
    }
    arrays = [
        ArrayItem("counts", frames.sum(axis=0).astype(np.uint32), "counts", ("x",)),
        ArrayItem("wavelength", wavelength, "nm", ("x",)),
        ArrayItem("frames", frames.astype(np.uint32), "counts", ("frame", "x")),
    ]
    journal.append(RecordKind.POINT, data, arrays, durable=False)


def _calibrations() -> dict[str, Any]:
    covariance = np.zeros((4, 4))
    covariance[3, 3] = 0.1**2
    return {
        "detector": {
            "electrons_per_count": {"value": ELECTRONS_PER_COUNT, "error": 0.02},
            "read_noise_counts": {"value": READ_NOISE, "error": 0.01},
            "bias_counts": {"value": BIAS, "error": 0.01},
        },
        "response": {"fwhm_nm": RESPONSE_NM, "fwhm_error_nm": 0.001, "shape": "gauss"},
        "wavelength": {
            "lines_per_mm": 300.0,
            "focal_length_mm": 499.0,
            "inclusion_angle_deg": 17.2,
            "detector_tilt_deg": 0.4,
            "centre_pixel": 249.0,
            "pixel_pitch_um": 16.0,
            "order": 1,
            "evidence": {"source": "neon lamp", "covariance": covariance.tolist()},
        },
    }


def _frames(point: Planted, generator: np.random.Generator) -> tuple[Vector, Vector]:
    """Draw photons one by one; the response counts as that of a recorded line, without pixel."""
    index = np.arange(PIXELS, dtype=np.float64)
    wavelength = CENTRE_NM + NM_PER_PIXEL * (index - PIXELS / 2)
    half = NM_PER_PIXEL / 2
    edges = np.append(wavelength - half, wavelength[-1] + half)
    frames = np.empty((point.frames, PIXELS))
    for frame in frames:
        electrons = generator.poisson(10.0, PIXELS).astype(float)
        for offset_mev, ratio in ((0.0, 1.0), *point.satellites):
            count = generator.poisson(point.electrons * ratio)
            shift_mev = point.lorentz_mev / 2 * np.tan(np.pi * (generator.random(count) - 0.5))
            energy = point.energy_ev + 1e-3 * (offset_mev + shift_mev)
            air = 1239.8419843320026 / (1.00027821 * energy[energy > 0.5])
            sd_nm = (RESPONSE_NM**2 / 5.545177 - NM_PER_PIXEL**2 / 12) ** 0.5
            electrons += np.histogram(air + sd_nm * generator.standard_normal(air.size), edges)[0]
        noise = READ_NOISE * generator.standard_normal(PIXELS)
        frame[:] = np.rint(electrons / ELECTRONS_PER_COUNT + BIAS + noise)
    return wavelength, frames
