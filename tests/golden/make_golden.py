"""Writes the golden journals; run it only when the specification itself changes.

The files are part of docs/spec/journal.md: labctl must go on reading them, and must go on writing
exactly these bytes.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from labctl.storage import ArrayItem, JournalWriter, Quality, RecordKind

BEGAN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
TEMPERATURES_K = (4.0, 10.0, 20.0)
TORN_BYTES = 37


class GoldenRun:
    """A small temperature series with fixed times and numbers."""

    def __init__(self, path: Path, *, segment: int = 0, after_s: float = 0.0) -> None:
        """``after_s``: how long after the run began this process does, s."""
        self.now_s = 100.0 / (segment + 1)
        began_s = self.now_s - after_s
        self.writer = JournalWriter(
            path,
            now=lambda: self.now_s,
            utc=lambda: BEGAN + timedelta(seconds=self.now_s - began_s),
            segment=segment,
        )

    def start(self) -> None:
        self.writer.append(RecordKind.START, START)

    def monitor(self, temperature_k: float) -> None:
        self.now_s += 5.0
        data = {"quantity": "cryostat.temperature", "value": temperature_k, "units": "K"}
        self.writer.append(RecordKind.MONITOR, data)

    def event(self, level: str, device: str, name: str, message: str) -> None:
        data: dict[str, Any] = {
            "level": level,
            "device": device,
            "name": name,
            "message": message,
            "data": {},
        }
        self.writer.append(RecordKind.EVENT, data)

    def point(
        self, index: int, *, attempt: int = 0, flag: Quality = Quality.RETRIED, **more: Any
    ) -> None:
        self.now_s += 60.0
        temperature_k = TEMPERATURES_K[index]
        quality = flag if attempt else Quality(0)
        data = {
            "index": index,
            "measurement": "spectrum",
            "label": "",
            "detector": "camera",
            "set": {"cryostat.temperature": {"value": temperature_k, "units": "K"}},
            "read": {
                "cryostat.temperature": {"value": temperature_k + 0.003, "std": 0.005, "units": "K"}
            },
            "settings": {
                "camera": {"exposure_s": 1.0, "em_gain": 100},
                "spectrograph": {"wavelength_nm": 531.0, "lines_per_mm": 300.0},
            },
            "quality": int(quality),
            "began_s": self.now_s - 1.5,
            "ended_s": self.now_s,
            "live_time_s": 1.0,
            **more,
        }
        self.writer.append(
            RecordKind.POINT, data, spectrum(index), step_id=f"g0/{index}", attempt=attempt
        )

    def stop(self, status: str, reason: str) -> None:
        self.now_s += 2.0
        snapshot = {"cryostat": {"temperature": None}}
        data = {"status": status, "reason": reason, "snapshot": snapshot}
        self.writer.append(RecordKind.STOP, data)


START: dict[str, Any] = {
    "uid": "6f1c0a52b7de4c18",
    "name": "temperature_series",
    "title": "Temperature series of one dot, µ-PL",
    "labctl_version": "0.1.0",
    "schema_version": 1,
    "recipe": {"name": "temperature_series", "steps": []},
    "setup": {
        "name": "cryogenic µ-PL",
        "laser": {"wavelength": "405 nm", "rep_rate": "10 MHz", "spot_1e2_diameter": "2.4 um"},
        "instruments": {
            "camera": {"driver": "princeton.picam"},
            "cryostat": {"driver": "montana.cryostation"},
            "spectrograph": {"driver": "princeton.spectrapro"},
        },
    },
    "sample": {"name": "CsPbBr3 23 nm", "dot": "A7"},
    "plan": {"points": 3, "expected_s": 183.0},
    "environment": {"python": "3.11.7", "packages": {"numpy": "2.4.6"}, "os": "any", "git": ""},
    "snapshot": {"cryostat": {"temperature": {"value": 3.9, "units": "K"}}},
    "seed": 7,
    "simulated": True,
    "user": "golden",
}


def spectrum(index: int) -> list[ArrayItem]:
    """Return a ramp of counts, its wavelengths and two frames; whole numbers and exact floats."""
    pixels = np.arange(16)
    counts = (100 * (index + 1) + pixels**2).astype(np.uint32)
    frames = np.stack([counts // 2, counts - counts // 2]).astype(np.uint16)[:, np.newaxis, :]
    return [
        ArrayItem("counts", counts, "counts", ("x",)),
        ArrayItem("wavelength", 530.0 + 0.125 * pixels, "nm", ("x",)),
        ArrayItem("frames", frames, "counts", ("frame", "y", "x")),
        ArrayItem("offset", np.array(100.5 + index), "counts", ()),
    ]


def write_complete(path: Path) -> None:
    """Three points, all kinds of record."""
    run = GoldenRun(path)
    run.start()
    run.event("info", "cryostat", "moved", "reached 4 K after 5 min")
    run.monitor(4.0)
    run.point(0)
    dots = ArrayItem("positions", np.array([[1.0, 2.0], [3.0, 4.5]]), "um", ("dot", "axis"))
    run.writer.append(RecordKind.FOUND, {"what": "dots", "number": 2}, [dots])
    part = ArrayItem("counts", np.arange(16, dtype=np.uint32), "counts", ("x",))
    data = {"index": 1, "measurement": "spectrum", "label": "", "live_time_s": 0.25}
    run.writer.append(RecordKind.POINT_PART, data, [part], step_id="g0/1")
    run.point(1)
    run.monitor(float("nan"))
    run.point(2)
    sidecar = {"name": "complete_p0002.ptu", "size": 4, "sha256": "0" * 64}
    run.writer.append(RecordKind.SIDECAR, sidecar)
    result = {"what": "peak", "value": 2.335, "error": 0.001, "units": "eV"}
    run.writer.append(RecordKind.ANALYSIS, result)
    run.stop("complete", "")
    run.writer.close()


def write_crashed(path: Path) -> None:
    """Two points, the second one repeated, and a third whose record is torn."""
    run = GoldenRun(path)
    run.start()
    run.point(0)
    run.point(1)
    run.point(1, attempt=1)
    run.monitor(20.0)
    run.point(2)
    run.writer.close()
    path.write_bytes(path.read_bytes()[:-TORN_BYTES])


def write_aborted(path: Path) -> None:
    """One point and a stop by the user."""
    run = GoldenRun(path)
    run.start()
    run.point(0)
    run.event("warning", "", "abort", "Ctrl-C twice: stopped now, excitation is off")
    run.stop("aborted", "stopped by the user")
    run.writer.close()


def write_interrupted(path: Path) -> None:
    """Two points, an array and a number that later points look at, and a part of a third point."""
    run = GoldenRun(path)
    run.start()
    run.point(0)
    kept = ArrayItem("values", np.array([[1.0, 2.0], [3.0, 5.0]]), "", ("axis_0", "axis_1"))
    run.writer.append(RecordKind.FOUND, {"what": "kept", "name": "picture"}, [kept])
    run.point(1, remembered={"peak_nm": 531.25})
    part = ArrayItem("frames", np.ones((1, 1, 16), np.uint16), "counts", ("frame", "y", "x"))
    data = {"index": 2, "measurement": "spectrum", "label": "", "live_time_s": 0.5}
    run.writer.append(RecordKind.POINT_PART, data, [part], step_id="g0/2")
    run.writer.close()
    path.write_bytes(path.read_bytes()[:-TORN_BYTES])


def write_taken_up(path: Path) -> None:
    """Another process goes on an hour later: the last point again, then the one left."""
    run = GoldenRun(path, segment=1, after_s=3600.0)
    circumstances = {name: START[name] for name in ("labctl_version", "setup", "environment")}
    segment = {
        "number": 1,
        "continues": START["uid"],
        "reason": "crashed: the process ended without a word",
        "points": 2,
        "accepted": ["labctl: was 0.0.9, is 0.1.0"],
        **circumstances,
        "calibrations": {},
        "identities": {"camera": {"maker": "a", "model": "b", "serial": "1", "firmware": ""}},
        "snapshot": START["snapshot"],
    }
    run.writer.append(RecordKind.SEGMENT, segment)
    run.event("info", "run", "message", "goes on after 2 points")
    run.point(1, attempt=1, flag=Quality.OVERLAP)
    run.point(2)
    run.stop("complete", "")
    run.writer.close()


GOLDEN = {
    "complete": write_complete,
    "crashed": write_crashed,
    "aborted": write_aborted,
    "resumed": write_interrupted,
    "resumed.s1": write_taken_up,
}


def main(folder: Path) -> None:
    """Write all golden journals into a folder that has none."""
    for name, write in GOLDEN.items():
        write(folder / f"{name}.lcj")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
