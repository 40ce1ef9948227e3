"""Columns of numbers and words that grow point by point."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from labctl.storage._names import identifier
from labctl.storage._records import Header
from labctl.units import split_suffix

_COUNTED = {"electrons_per_count": "electrons/count", "centre_pixel": "pixel"}


@dataclass
class Column:
    """One value per point; points without it hold None.

    Attributes:
        units: Unit of the numbers, empty for words and dimensionless numbers.
        role: ``point``, ``set``, ``read``, ``std`` or ``setting``.
        source: Name in the recipe, such as ``cryostat.temperature``.
        values: In order of acquisition; may be shorter than the table.
    """

    units: str
    role: str
    source: str
    values: list[Any] = field(default_factory=list[Any])

    def put(self, row: int, value: Any) -> None:
        """Set the value of the newest row."""
        if len(self.values) <= row:
            self.values.extend([None] * (row + 1 - len(self.values)))
        self.values[row] = value

    def array(self, rows: int) -> NDArray[Any]:
        """Return ``rows`` values: text, bool, int64, or float64 with NaN where there is none."""
        values = self.values + [None] * (rows - len(self.values))
        kinds: set[type] = {type(value) for value in values}
        if kinds and kinds <= {bool}:
            return np.array(values, dtype=np.bool_)
        if kinds and kinds <= {int}:
            return np.array(values, dtype=np.int64)
        if kinds <= {float, int, bool, type(None)}:
            return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
        return np.array(["" if v is None else str(v) for v in values], dtype=np.str_)


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the scalars of nested settings with dotted names; lists become numbered names."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(cast("Mapping[str, Any]", value), f"{name}.")
        elif isinstance(value, list):
            items = cast("list[Any]", value)
            yield from flatten({str(i): item for i, item in enumerate(items)}, f"{name}.")
        else:
            yield name, value


def unit_of(source: str) -> str:
    """Return the unit that a setting's dotted name carries, empty if it names none."""
    # An estimate is a block of value and error, or a name with ``_error`` before the unit; both
    # parts have the unit of the quantity.
    name = re.sub(r"(\.\d+)+$|\.(value|error)$", "", source)
    quantity = name.rpartition(".")[2]
    counted = "counts" if quantity.endswith("_counts") else _COUNTED.get(quantity)
    return counted or split_suffix(name)[1] or ""


class PointTable:
    """What is known of every point, one row per stored point, repeated points included.

    Columns: index, measurement, label, detector, step_id, attempt, segment, quality, time_s,
    began_s, ended_s, live_time_s, time_utc_s; ``<settable>`` for what was read, ``<settable>_std``
    for its standard deviation, ``<settable>_set`` for what was asked for, which takes the plain
    name if the quantity was never read; ``<device>_<setting>`` for settings. Times are s since the
    run began, ``time_utc_s`` is s since 1970.
    """

    def __init__(self) -> None:
        """Begin without rows."""
        self.rows = 0
        self._columns: dict[str, Column] = {}

    @property
    def columns(self) -> dict[str, Column]:
        """Return all columns by name."""
        read = {column.source for column in self._columns.values() if column.role == "read"}
        found: dict[str, Column] = {}
        for name, column in self._columns.items():
            plain = name.removesuffix("_set")
            lone = column.role == "set" and column.source not in read
            free = plain not in self._columns and plain not in found
            found[plain if lone and free else name] = column
        return found

    def add(self, header: Header, shift_s: float) -> None:
        """Append a row; ``shift_s`` turns the segment's monotonic time into the run's time."""
        data = header.data
        self._fixed(header, shift_s)
        for source, item in data.get("set", {}).items():
            self._put(f"{source}_set", item.get("value"), item.get("units", ""), "set", source)
        for source, item in data.get("read", {}).items():
            units = item.get("units", "")
            self._put(source, item.get("value"), units, "read", source)
            if "std" in item:
                self._put(f"{source}_std", item["std"], units, "std", source)
        for source, value in flatten(data.get("settings", {})):
            self._put(source, value, unit_of(source), "setting", source)
        self.rows += 1

    def array(self, name: str) -> NDArray[Any]:
        """Return a column as an array of one value per row."""
        return self.columns[name].array(self.rows)

    def units(self, name: str) -> str:
        """Return the unit of a column."""
        return self.columns[name].units

    def find(self, source: str, role: str) -> str | None:
        """Return the name of the column with this source and role, if there is one."""
        for name, column in self.columns.items():
            if column.source == source and column.role == role:
                return name
        return None

    def _fixed(self, header: Header, shift_s: float) -> None:
        data = header.data
        self._put("index", data.get("index", -1))
        for name in ("measurement", "label", "detector"):
            self._put(name, data.get(name, ""))
        self._put("step_id", header.step_id)
        self._put("attempt", header.attempt)
        self._put("segment", header.segment)
        self._put("quality", data.get("quality", 0))
        self._put("time_s", header.t_mono_s + shift_s, "s")
        for name in ("began_s", "ended_s"):
            value = data.get(name)
            self._put(name, None if value is None else value + shift_s, "s")
        self._put("live_time_s", data.get("live_time_s"), "s")
        self._put("time_utc_s", header.t_utc.timestamp(), "s")

    def _put(
        self, name: str, value: Any, units: str = "", role: str = "point", source: str = ""
    ) -> None:
        key = identifier(name)
        column = self._columns.get(key)
        # A quantity that comes in two units, or two names that look alike, must never share one
        # column of numbers.
        while column is not None and (column.units, column.role, column.source) != (
            units,
            role,
            source or name,
        ):
            key = f"{key}_"
            column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = Column(units, role, source or name)
        column.put(self.rows, value)
