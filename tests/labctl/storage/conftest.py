from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labctl.storage import ArrayItem, JournalWriter, RecordAddress, RecordKind

BEGAN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
PIXELS = 8


@dataclass
class Scribe:
    """Writes a run by hand: a clock that stands still, and short words for records."""

    path: Path
    segment: int = 0
    now_s: float = 50.0
    utc: datetime = BEGAN
    writer: JournalWriter = field(init=False)

    def __post_init__(self) -> None:
        self.writer = JournalWriter(
            self.path, now=lambda: self.now_s, utc=lambda: self.utc, segment=self.segment
        )

    def __enter__(self) -> "Scribe":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.writer.close()

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.utc += timedelta(seconds=seconds)

    def start(self, **more: Any) -> None:
        data: dict[str, Any] = {
            "uid": "abcdef0123456789",
            "name": "series",
            "title": "A series",
            "labctl_version": "0.1.0",
            "schema_version": 1,
            "recipe": {"name": "series", "steps": []},
            "setup": {
                "name": "bench",
                "laser": {"wavelength": "405 nm", "rep_rate": "10 MHz"},
                "instruments": {"camera": {"driver": "princeton.picam"}},
            },
            "sample": {"name": "dots", "dot": "A7"},
            "plan": {"points": 3, "expected_s": None},
            "environment": {"python": "3"},
            "snapshot": {"cryostat": {"temperature": 4.0}},
            "seed": 1,
            "simulated": True,
            "user": "ann",
        }
        self.writer.append(RecordKind.START, {**data, **more})

    def point(
        self,
        index: int,
        arrays: list[ArrayItem] | None = None,
        *,
        attempt: int = 0,
        **more: Any,
    ) -> RecordAddress:
        self.wait(10.0)
        temperature_k = 4.0 + 2.0 * index
        quantity = {"value": temperature_k, "units": "K"}
        reading = {"value": temperature_k + 0.01, "std": 0.005, "units": "K"}
        data: dict[str, Any] = {
            "index": index,
            "measurement": "spectrum",
            "label": "",
            "set": {"cryostat.temperature": quantity},
            "read": {"cryostat.temperature": reading},
            "settings": {"camera": {"exposure_s": 1.0, "em_gain": 10, "mode": "em"}},
            "quality": 0,
            "began_s": self.now_s - 1.0,
            "ended_s": self.now_s,
            "live_time_s": 1.0,
        }
        return self.writer.append(
            RecordKind.POINT,
            {**data, **more},
            spectrum(index + 100 * attempt) if arrays is None else arrays,
            step_id=f"s{index}",
            attempt=attempt,
        )

    def monitor(self, value: float, quantity: str = "cryostat.temperature") -> None:
        self.wait(1.0)
        data = {"quantity": quantity, "value": value, "units": "K"}
        self.writer.append(RecordKind.MONITOR, data)

    def event(self, message: str, data: Mapping[str, Any] | None = None) -> None:
        words = {"level": "info", "device": "camera", "name": "note", "message": message}
        self.writer.append(RecordKind.EVENT, {**words, "data": dict(data or {})})

    def stop(self, status: str = "complete", reason: str = "") -> None:
        self.wait(1.0)
        self.writer.append(RecordKind.STOP, {"status": status, "reason": reason, "snapshot": {}})


def spectrum(index: int, pixels: int = PIXELS, shift_nm: float = 0.0) -> list[ArrayItem]:
    counts = (1000 * index + np.arange(pixels)).astype(np.uint32)
    wavelength_nm = 530.0 + shift_nm + 0.1 * np.arange(pixels)
    return [
        ArrayItem("counts", counts, "counts", ("x",)),
        ArrayItem("wavelength", wavelength_nm, "nm", ("x",)),
    ]


@pytest.fixture
def make_spectrum() -> Callable[..., list[ArrayItem]]:
    return spectrum


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder whose files are called ``run``."""
    found = tmp_path / "run"
    found.mkdir()
    return found


@pytest.fixture
def scribe(folder: Path) -> Callable[..., Any]:
    """Returns a function that begins a journal in the run folder."""

    def begin(name: str = "run.lcj", **more: Any) -> Scribe:
        return Scribe(folder / name, **more)

    return begin


@pytest.fixture
def finished(folder: Path, scribe: Callable[..., Scribe]) -> Path:
    """A complete run of three spectra with monitors and an event; returns its journal."""
    with scribe() as run:
        run.start()
        for index in range(3):
            run.monitor(4.0 + index)
            run.point(index)
        run.event("done µ", {"a": [1, 2]})
        run.stop()
    return folder / "run.lcj"


@pytest.fixture(scope="session")
def new_scribe() -> Callable[[Path], Any]:
    """Returns a function that begins a journal anywhere."""
    return Scribe
