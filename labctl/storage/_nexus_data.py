"""The measured arrays in the product: raw data at the detector, NXdata groups that link them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.storage._h5 import H5Group, H5Stack
from labctl.storage._index import Group, RunIndex
from labctl.storage._layouts import (
    coordinates_of,
    has_energy,
    meaning_of,
    photon_energy_ev,
    signal_of,
)
from labctl.storage._names import identifier, nexus_name
from labctl.storage._records import ArrayItem, ArrayLayout
from labctl.storage._table import Column

SHOWN_ROLES = frozenset({"set", "read", "std"})


@dataclass(eq=False)
class Positions:
    """Whether the position arrays of a group are the same at all its points."""

    first: dict[str, NDArray[Any]] = field(default_factory=dict[str, NDArray[Any]])
    common: dict[str, bool] = field(default_factory=dict[str, bool])

    def look(self, group: Group, arrays: Mapping[str, ArrayItem]) -> None:
        """Compare the positions of one more point with those of the first."""
        for name in coordinates_of(group.measurement, group.layout).values():
            values = arrays[name].values
            first = self.first.setdefault(name, values.copy())
            self.common[name] = self.common.get(name, True) and np.array_equal(first, values)


def detector_of(index: RunIndex, group: Group) -> str:
    """Return the detector of a group: the one that its points name, or the usual one."""
    name = str(index.points.columns["detector"].values[group.rows[0]])
    return identifier(name or meaning_of(group.measurement).detector)


class GroupWriter:
    """Writes the points of one group and then the NXdata group that shows them."""

    def __init__(self, instrument: H5Group, index: RunIndex, group: Group, at: Positions) -> None:
        """Create the fields; their lengths are known from the first pass over the journal."""
        self._index, self._group, self._at = index, group, at
        self._axes = coordinates_of(group.measurement, group.layout)
        self._signal = signal_of(group.measurement, group.layout)
        self._raw = self._raw_group(instrument)
        self._stacks: dict[str, H5Stack] = {}
        for item in group.layout:
            if at.common.get(item.name, False):
                self._raw.array(self._raw_name(item.name), at.first[item.name], item.units)
            else:
                self._stacks[item.name] = self._raw.stack(
                    self._raw_name(item.name), len(group.rows), item.shape, item.dtype, item.units
                )
        self._write_scales()

    def append(self, arrays: Mapping[str, ArrayItem]) -> None:
        """Write the next point."""
        for name, stack in self._stacks.items():
            stack.append(arrays[name].values)

    def finish(self, entry: H5Group) -> None:
        """Write what is waiting, name the dimensions, and create the NXdata group."""
        for stack in self._stacks.values():
            stack.flush()
        for item in self._group.layout:
            self._attach(item)
        data = entry.child(self._group.nexus_name, "NXdata", labctl_key=self._group.key)
        for name in ("point", *self._own_scales):
            data.link(name, f"{self._raw.path}/{name}")
        for item in self._group.layout:
            data.link(item.name, f"{self._raw.path}/{self._raw_name(item.name)}")
        energy = self._write_energy(data)
        columns = self._write_columns(data)
        self._mark_shown(data, columns, energy)

    def _raw_group(self, instrument: H5Group) -> H5Group:
        name = f"detector_{detector_of(self._index, self._group)}"
        detector = instrument.child(name, "NXdetector")
        raw = "raw_data"
        if detector.has(raw):
            raw = f"raw_data_{self._group.nexus_name}"
        group = detector.child(raw, "NXdata")
        group.mark(signal=self._raw_name(self._signal) if self._signal else "point")
        item = self._signal_item()
        group.mark(axes=["point", *("." for _ in (item.axes if item else ()))])
        return group

    def _raw_name(self, name: str) -> str:
        return "raw" if name == self._signal else f"{name}_" if name == "raw" else name

    def _signal_item(self) -> ArrayLayout | None:
        return next((item for item in self._group.layout if item.name == self._signal), None)

    def _scale_of(self, axis: str) -> str:
        name = self._axes.get(axis)
        if name is not None and self._at.common.get(name, False):
            return self._raw_name(name)
        taken = {item.name for item in self._group.layout} | {"point", "energy"}
        return f"{axis}_index" if axis in taken else axis

    def _write_scales(self) -> None:
        indices = self._index.points.array("index")[self._group.rows]
        self._raw.array("point", indices, "", long_name="point")
        self._raw.scale("point")
        self._own_scales: list[str] = []
        for item in self._group.layout:
            for axis, length in zip(item.axes, item.shape, strict=True):
                scale = self._scale_of(axis)
                if not self._raw.has(scale):
                    self._raw.array(scale, np.arange(length, dtype=np.float64), "", long_name=axis)
                    self._own_scales.append(scale)
        scales = {self._scale_of(axis) for item in self._group.layout for axis in item.axes}
        for scale in sorted(scales):
            self._raw.scale(scale)

    def _attach(self, item: ArrayLayout) -> None:
        name = self._raw_name(item.name)
        common = self._at.common.get(item.name, False)
        names = [] if common else ["point"]
        names += [self._scale_of(axis) for axis in item.axes]
        if names == [name]:
            return
        for axis, scale in enumerate(names):
            self._raw.attach(name, axis, scale)

    def _write_columns(self, data: H5Group) -> dict[str, str]:
        """Write what was set and read; returns the names of columns here, by their own names."""
        table = self._index.points
        values = {
            name: column.array(table.rows)[self._group.rows]
            for name, column in table.columns.items()
            if column.role in SHOWN_ROLES or name in ("quality", "attempt", "segment")
        }
        values["superseded"] = self._index.superseded()[self._group.rows]
        shown = {n: v for n, v in values.items() if v.dtype.kind != "U" and not _all_missing(v)}
        beside = {*shown, *(item.name for item in self._group.layout)}
        names: dict[str, str] = {}
        for name, array in shown.items():
            key = nexus_name(f"point_{name}" if data.has(name) else name, beside)
            column = table.columns.get(name, Column("", "point", name))
            unit = f" ({column.units})" if column.units else ""
            data.array(key, array, column.units, long_name=f"{column.source} {column.role}{unit}")
            data.attach(key, 0, "point")
            names[name] = key
        return names

    def _write_energy(self, data: H5Group) -> tuple[int, ...] | None:
        layout = self._group.layout
        item = next((item for item in layout if has_energy(layout, item)), None)
        if item is None:
            return None
        wavelength_nm = data.read("wavelength")
        data.array("energy", photon_energy_ev(wavelength_nm), "eV", long_name="photon energy (eV)")
        signal = self._signal_item()
        axis = signal.axes.index(item.axes[0]) + 1 if signal and item.axes[0] in signal.axes else 1
        if wavelength_nm.ndim == 1:
            data.attach("energy", 0, self._scale_of(item.axes[0]))
            return (axis,)
        data.attach("energy", 0, "point")
        data.attach("energy", 1, self._scale_of(item.axes[0]))
        return (0, axis)

    def _mark_shown(
        self, data: H5Group, columns: dict[str, str], energy: tuple[int, ...] | None
    ) -> None:
        signal = self._signal_item()
        inner = [self._scale_of(axis) for axis in signal.axes] if signal else []
        data.mark(
            signal=self._signal or _first_reading(self._index, columns),
            axes=[columns.get(self._first_axis(), "point"), *inner],
        )
        data.text("title", str(self._index.start.get("title", "")))
        for name in columns.values():
            data.mark(**{f"{name}_indices": np.array([0], dtype=np.int32)})
        extra = list(columns.values())
        for axis, name in self._axes.items():
            if signal and axis in signal.axes:
                place = signal.axes.index(axis) + 1
                shown = [place] if self._at.common.get(name, False) else [0, place]
                data.mark(**{f"{name}_indices": np.array(shown, dtype=np.int32)})
                extra += [] if self._at.common.get(name, False) else [name]
        if energy is not None:
            data.mark(energy_indices=np.array(energy, dtype=np.int32))
            extra.append("energy")
        for item in self._group.layout:
            if item.name not in self._axes.values():
                data.mark_field(item.name, coordinates=" ".join(extra))

    def _first_axis(self) -> str:
        """Name the quantity that was scanned, if it is one and orders the points."""
        table, rows = self._index.points, self._group.rows
        scanned = [
            (name, values)
            for name, column in table.columns.items()
            if column.role == "set"
            and (values := column.array(table.rows)[rows]).dtype.kind in "if"
            and bool(np.isfinite(values).all())
            and (len(rows) == 1 or bool(np.any(values != values[0])))
        ]
        if len(scanned) != 1:
            return "point"
        name, values = scanned[0]
        read = table.find(table.columns[name].source, "read")
        for candidate, numbers in (
            (read, table.array(read)[rows] if read else values),
            (name, values),
        ):
            if candidate is not None and _ordered(numbers):
                return candidate
        return "point"


def _all_missing(values: NDArray[Any]) -> bool:
    return values.dtype.kind == "f" and bool(np.isnan(values).all())


def _ordered(values: NDArray[Any]) -> bool:
    if values.dtype.kind not in "if":
        return False
    steps = np.diff(values)
    return bool(np.isfinite(values).all() and (np.all(steps > 0) or np.all(steps < 0)))


def _first_reading(index: RunIndex, columns: dict[str, str]) -> str:
    table = index.points.columns
    read = (key for n, key in columns.items() if n in table and table[n].role == "read")
    return next(read, "point")
