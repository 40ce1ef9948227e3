"""Everything about a run except its arrays, gathered from record headers in one pass."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from labctl.storage._layouts import meaning_of
from labctl.storage._names import identifier
from labctl.storage._records import ArrayLayout, Header, RecordKind, RunStatus
from labctl.storage._table import PointTable


@dataclass(frozen=True, eq=False)
class Event:
    """Something that happened; ``time_s`` since the run began."""

    time_s: float
    time_utc: datetime
    level: str
    device: str
    name: str
    message: str
    data: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Segment:
    """The part of a run that one process did.

    Attributes:
        number: From 0.
        began_utc: Time of its first record.
        ended_utc: Time of its last one.
        reason: Why it was begun: how the one before had ended; empty for the first.
        stop: Its stop record; None if it did not end by itself.
    """

    number: int
    began_utc: datetime
    ended_utc: datetime
    reason: str
    stop: Mapping[str, Any] | None


@dataclass(eq=False)
class MonitorLog:
    """Readings of one quantity between the points: times in s since the run began."""

    units: str
    times_s: list[float] = field(default_factory=list[float])
    values: list[Any] = field(default_factory=list[Any])


@dataclass(eq=False)
class Group:
    """Points whose arrays have the same names, shapes, dtypes, units and axes.

    Attributes:
        key: Name in ``Run.data``.
        nexus_name: Name of the NXdata group.
        measurement: Kind of measurement.
        layout: Descriptors that all points share.
        rows: Rows of the point table, in order.
    """

    key: str
    nexus_name: str
    measurement: str
    layout: tuple[ArrayLayout, ...]
    rows: list[int] = field(default_factory=list[int])


_ENTRY_NAMES = frozenset({"data", "instrument", "labctl", "sample", "title", "user", "definition"})


def _joined(measurement: str, label: str) -> str:
    return "_".join(part for part in (measurement, label) if part) or "points"


def _free(wanted: str, taken: Container[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


class RunIndex:
    """A run as its headers tell it; feed the headers in the order of segment and number."""

    def __init__(self) -> None:
        """Begin with an unknown run."""
        self.start: Mapping[str, Any] = {}
        self.began_utc: datetime | None = None
        self.ended_utc: datetime | None = None
        self._segments: list[Segment] = []
        self.points = PointTable()
        self.groups: dict[str, Group] = {}
        self.events: list[Event] = []
        self.monitors: dict[str, MonitorLog] = {}
        self.sidecars: list[Mapping[str, Any]] = []
        self.found: list[Mapping[str, Any]] = []
        self.analyses: list[Mapping[str, Any]] = []
        self.unknown: dict[str, int] = {}
        self._shift_s = 0.0
        self._last_s = 0.0
        self._keys: dict[tuple[Any, ...], str] = {}

    @property
    def stopped_as(self) -> RunStatus | None:
        """Return the status in the stop record of the newest segment, None without one."""
        if self.stop is None:
            return None
        try:
            return RunStatus(str(self.stop.get("status")))
        except ValueError:
            return RunStatus.FAILED

    @property
    def stop(self) -> Mapping[str, Any] | None:
        """Return the stop record of the newest segment, if it has one."""
        return self._segments[-1].stop if self._segments else None

    @property
    def segments(self) -> list[Segment]:
        """Return the processes that have worked on the run so far."""
        if not self._segments or self.ended_utc is None:
            return []
        return [*self._segments[:-1], replace(self._segments[-1], ended_utc=self.ended_utc)]

    def add(self, header: Header) -> Group | None:
        """Take one header; returns the group of a point, None for all other kinds."""
        if self.began_utc is None:
            self.began_utc = header.t_utc
        if not self._segments or self._segments[-1].number != header.segment:
            self._begin_segment(header)
        if self.ended_utc is None or header.t_utc > self.ended_utc:
            # The time of day is a label: it may be set back, and no run ends before it begins.
            self.ended_utc = header.t_utc
        self._last_s = header.t_mono_s + self._shift_s
        match header.kind:
            case RecordKind.POINT:
                return self._add_point(header)
            case RecordKind.START:
                self.start = header.data
            case RecordKind.EVENT:
                self._add_event(header)
            case RecordKind.MONITOR:
                self._add_reading(header)
            case RecordKind.SIDECAR:
                self.sidecars.append(header.data)
            case RecordKind.FOUND:
                self.found.append(header.data)
            case RecordKind.ANALYSIS:
                self.analyses.append(header.data)
            case RecordKind.STOP:
                self._segments[-1] = replace(self._segments[-1], stop=header.data)
            case _ if not header.known:
                self.unknown[header.kind] = self.unknown.get(header.kind, 0) + 1
            case _:
                pass
        return None

    def superseded(self) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Return for every point whether a later one of the same index took its place."""
        last: dict[tuple[str, int], int] = {}
        found = np.zeros(self.points.rows, dtype=np.bool_)
        if not self.points.rows:
            return found
        indices = self.points.array("index")
        for group in self.groups.values():
            for row in group.rows:
                earlier = last.get((group.key, int(indices[row])))
                if earlier is not None:
                    found[earlier] = True
                last[group.key, int(indices[row])] = row
        return found

    def _begin_segment(self, header: Header) -> None:
        # Each process has its own monotonic clock; only the time of day joins them. It may have
        # been set back between the two, and no process begins before the last one has ended.
        began_utc = self.began_utc or header.t_utc
        began_s = max((header.t_utc - began_utc).total_seconds(), self._last_s)
        self._shift_s = began_s - header.t_mono_s
        reason = str(header.data.get("reason", "")) if header.kind == RecordKind.SEGMENT else ""
        self._segments = self.segments
        self._segments.append(Segment(header.segment, header.t_utc, header.t_utc, reason, None))

    def _add_point(self, header: Header) -> Group:
        group = self._group_of(header)
        group.rows.append(self.points.rows)
        self.points.add(header, self._shift_s)
        return group

    def _group_of(self, header: Header) -> Group:
        measurement = str(header.data.get("measurement", ""))
        label = str(header.data.get("label", ""))
        signature = (measurement, label, header.layout)
        key = self._keys.get(signature)
        if key is None:
            taken = {group.nexus_name for group in self.groups.values()} | _ENTRY_NAMES
            shown = meaning_of(measurement).group
            key = self._keys[signature] = _free(_joined(measurement, label), self.groups)
            name = _free(identifier(_joined(shown, label)), taken)
            self.groups[key] = Group(key, name, measurement, header.layout)
        return self.groups[key]

    def _add_event(self, header: Header) -> None:
        data = header.data
        self.events.append(
            Event(
                time_s=header.t_mono_s + self._shift_s,
                time_utc=header.t_utc,
                level=str(data.get("level", "info")),
                device=str(data.get("device", "")),
                name=str(data.get("name", "")),
                message=str(data.get("message", "")),
                data=data.get("data") or {},
            )
        )

    def _add_reading(self, header: Header) -> None:
        quantity, units = str(header.data["quantity"]), str(header.data.get("units", ""))
        name = quantity
        while name in self.monitors and self.monitors[name].units != units:
            name = f"{name}_"
        log = self.monitors.setdefault(name, MonitorLog(units))
        log.times_s.append(header.t_mono_s + self._shift_s)
        log.values.append(header.data.get("value"))
