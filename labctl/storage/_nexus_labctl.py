"""What only labctl knows of a run: configuration, points, events, monitors, sidecars."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from labctl.storage._frame import dump_text
from labctl.storage._h5 import H5Group
from labctl.storage._index import RunIndex
from labctl.storage._names import identifier, nexus_name
from labctl.storage._records import RunStatus
from labctl.storage._table import Column

SCHEMA_VERSION = 1
_OWN_PLACE = {
    "index": "point_index",
    "time_s": "point_time",
    "time_utc_s": "point_time_utc",
    "quality": "quality",
    "attempt": "attempt",
    "segment": "segment",
}


def write_labctl(labctl: H5Group, index: RunIndex, status: RunStatus) -> None:
    """Write everything except the record headers, which are streamed."""
    stop = index.stop or {}
    labctl.number("schema_version", SCHEMA_VERSION, "")
    labctl.text("run_status", status.value)
    labctl.text("exit_reason", str(stop.get("reason", "")))
    labctl.number("simulated", bool(index.start.get("simulated", False)), "")
    _write_notes(labctl, index, stop)
    _write_points(labctl, index)
    _write_events(labctl.child("events", "NXcollection"), index)
    monitors = labctl.child("monitors", "NXcollection")
    for name, log in index.monitors.items():
        key = nexus_name(identifier(name), ())
        while monitors.has(key):
            key = f"{key}_"
        group = monitors.child(key, "NXlog")
        group.text("description", name)
        group.array("time", np.array(log.times_s, dtype=np.float64), "s", start=_start(index))
        values = Column(log.units, "read", name, log.values).array(len(log.values))
        group.array("value", values, log.units)
    _write_segments(labctl.child("segments", "NXcollection"), index)
    _write_sidecars(labctl.child("sidecars", "NXcollection"), index)
    # No record header names these.
    if strays := [sidecar for sidecar in index.sidecars if sidecar.get("stray")]:
        labctl.text("stray_sidecars", dump_text(strays))


def _start(index: RunIndex) -> str:
    return index.began_utc.isoformat() if index.began_utc else ""


def _write_notes(labctl: H5Group, index: RunIndex, stop: Mapping[str, Any]) -> None:
    config = dump_text(index.start.get("setup", {}))
    _note(labctl, "config", config, "set-up as it was used, every default filled in")
    labctl.text("config_sha256", hashlib.sha256(config.encode()).hexdigest())
    recipe = dump_text(index.start.get("recipe", {}))
    _note(labctl, "plan", recipe, "recipe as it was run, every default filled in")
    for name, values, what in (
        ("snapshot_start", index.start.get("snapshot", {}), "all parameters before the first step"),
        ("snapshot_end", stop.get("snapshot", {}), "all parameters after the last step"),
        ("environment", index.start.get("environment", {}), "software that ran"),
    ):
        _note(labctl, name, dump_text(values), what)


def _note(labctl: H5Group, name: str, text: str, description: str) -> None:
    note = labctl.child(name, "NXnote")
    note.text("type", "application/json")
    note.text("description", description)
    note.text("data", text)


def _write_points(labctl: H5Group, index: RunIndex) -> None:
    table = index.points
    labctl.array("superseded", index.superseded(), "")
    points = labctl.child("points", "NXcollection")
    for name, column in table.columns.items():
        if re.search(r"\.\d+$", column.source):
            # Elements of lists would bury the rest; they stand in the record headers.
            continue
        own = _OWN_PLACE.get(name)
        target, key = (labctl, own) if own else (points, nexus_name(name, table.columns))
        attributes = {"start": _start(index)} if key == "point_time" else {}
        if column.role != "point":
            attributes |= {"source": column.source, "role": column.role}
        target.array(key, column.array(table.rows), column.units, **attributes)


def _write_events(group: H5Group, index: RunIndex) -> None:
    events = index.events
    times_s = np.array([event.time_s for event in events], dtype=np.float64)
    group.array("time", times_s, "s", start=_start(index))
    for name in ("level", "device", "name", "message"):
        texts = [str(getattr(event, name)) for event in events]
        group.array(name, np.array(texts, dtype=np.str_), "")
    details = [dump_text(event.data) for event in events]
    group.array("data", np.array(details, dtype=np.str_), "")


def _write_segments(group: H5Group, index: RunIndex) -> None:
    segments = index.segments
    group.array("number", np.array([s.number for s in segments], dtype=np.int64), "")
    columns = {
        "began": [segment.began_utc.isoformat() for segment in segments],
        "ended": [segment.ended_utc.isoformat() for segment in segments],
        "reason": [segment.reason for segment in segments],
        "status": [str((segment.stop or {}).get("status", "crashed")) for segment in segments],
    }
    for name, texts in columns.items():
        group.array(name, np.array(texts, dtype=np.str_), "")


def _write_sidecars(group: H5Group, index: RunIndex) -> None:
    for sidecar in index.sidecars:
        name = str(sidecar.get("name", ""))
        note = group.child(identifier(name), "NXnote")
        if note.has("file_name"):
            continue
        note.text("file_name", name)
        note.number("size", int(sidecar.get("size", 0)), "B")
        note.text("checksum", str(sidecar.get("sha256", "")))
        note.text("algorithm", "sha256")
        note.text("data", dump_text(sidecar))
