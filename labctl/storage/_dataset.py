"""Shows the points of a run as xarray objects with named coordinates and units."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from labctl.storage._index import Group, MonitorLog, RunIndex
from labctl.storage._layouts import coordinates_of, has_energy, photon_energy_ev, signal_of
from labctl.storage._records import ArrayLayout
from labctl.storage._table import Column, PointTable

Variable = tuple[tuple[str, ...], NDArray[Any], dict[str, Any]]


def points_dataset(index: RunIndex) -> xr.Dataset:
    """Return every stored point with all its columns; dimension ``point``."""
    rows = np.arange(index.points.rows)
    variables = _columns(index.points, rows, taken=())
    variables["superseded"] = (("point",), index.superseded(), {"units": ""})
    return xr.Dataset(variables)


def monitor_array(name: str, log: MonitorLog) -> xr.DataArray:
    """Return the readings of one quantity against ``time`` (s since the run began)."""
    values = Column(log.units, "read", name, log.values).array(len(log.values))
    time = xr.Variable("time", np.array(log.times_s, dtype=np.float64), {"units": "s"})
    return xr.DataArray(values, {"time": time}, ("time",), name, {"units": log.units})


def kept_rows(index: RunIndex, group: Group) -> NDArray[np.int64]:
    """Return the positions within the group of the points that no later one replaced."""
    replaced = index.superseded()[group.rows]
    return np.flatnonzero(~replaced).astype(np.int64)


def group_dataset(
    index: RunIndex, group: Group, kept: NDArray[np.int64], arrays: Mapping[str, NDArray[Any]]
) -> xr.Dataset:
    """Return the points of one group.

    Args:
        index: The run.
        group: The points.
        kept: Which of them, as positions within the group.
        arrays: One array per name of the group's layout, with the kept points as first dimension.

    Returns:
        Dimension ``point`` (its coordinate is the point's index) and the axes of the arrays.
        An axis whose positions are the same at all points takes the name of the position array,
        so that ``.sel(wavelength=531, method="nearest")`` works; otherwise the positions are a
        coordinate of two dimensions. ``energy`` in eV stands beside ``wavelength`` in nm.
    """
    positions = coordinates_of(group.measurement, group.layout)
    common = {axis: name for axis, name in positions.items() if _same(arrays[name])}
    names = {item.name for item in group.layout} | set(positions) | {"point", "energy"}
    rows = np.array(group.rows, dtype=np.int64)[kept]
    coords = _columns(index.points, rows, taken=names)
    coords["point"] = (("point",), index.points.array("index")[rows], {"units": ""})
    values: dict[str, Variable] = {}
    for item in group.layout:
        stack = arrays[item.name]
        dims = ("point", *(common.get(axis, axis) for axis in item.axes))
        if item.name in common.values():
            dims, stack = dims[1:], stack[0]
        variable = (dims, stack, {"units": item.units})
        (coords if item.name in positions.values() else values)[item.name] = variable
        if has_energy(group.layout, item):
            coords["energy"] = (dims, photon_energy_ev(stack), {"units": "eV"})
    attributes = {
        "measurement": group.measurement,
        "signal": signal_of(group.measurement, group.layout),
        "title": str(index.start.get("title", "")),
        "run": str(index.start.get("uid", "")),
    }
    return xr.Dataset(values, coords, attributes)


def empty_arrays(layout: tuple[ArrayLayout, ...], rows: int) -> dict[str, NDArray[Any]]:
    """Return room for ``rows`` points of every array."""
    return {item.name: np.empty((rows, *item.shape), np.dtype(item.dtype)) for item in layout}


def _columns(
    table: PointTable, rows: NDArray[np.int64], taken: "set[str] | tuple[()]"
) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for name, column in table.columns.items():
        values = column.array(table.rows)[rows]
        if values.dtype.kind == "f" and len(values) and bool(np.isnan(values).all()):
            continue
        key = f"point_{name}" if name in taken else name
        attributes = {"units": column.units}
        if column.role != "point":
            attributes |= {"source": column.source, "role": column.role}
        found[key] = (("point",), values, attributes)
    return found


def _same(stack: NDArray[Any]) -> bool:
    return len(stack) > 0 and bool(np.array_equal(stack, np.broadcast_to(stack[0], stack.shape)))
