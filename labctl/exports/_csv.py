"""A run as tables of text: one of the points, one per array, one per monitor.

Numbers have all their digits, a number that was not taken is an empty cell, and every header
cell names its unit in brackets.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labctl.storage import Run

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["export_csv"]

Column = tuple[str, Sequence[Any]]
"""Header and cells."""


def export_csv(run: Run, folder: Path) -> list[Path]:
    """Write tables into a folder and return their paths.

    ``points.csv`` has a row per stored point. A measurement's array of one axis is one table with
    a column per point; of more axes (frames, maps), one table per point. Monitors have a table
    each, against the time since the run began.

    Raises:
        OSError: If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = [("points", _points(run.points)), *_arrays(run), *_monitors(run)]
    names = _file_names([name for name, _ in tables])
    return [
        _write(folder / f"{name}.csv", columns)
        for name, (_, columns) in zip(names, tables, strict=True)
    ]


def _file_names(names: Sequence[str]) -> list[str]:
    """Return names that lead into no other folder, each once; most stay as they are."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^\w.-]", "_", name)
        while plain in found:
            plain = f"{plain}_"
        found.append(plain)
    return found


def _points(dataset: "xr.Dataset") -> list[Column]:
    return [
        (_header(str(name), dataset[name]), dataset[name].values.tolist())
        for name in dataset.variables
    ]


def _arrays(run: Run) -> Iterator[tuple[str, list[Column]]]:
    for key, dataset in run.data.items():
        for name in dataset.data_vars:
            array = dataset[name]
            if array.ndim == 1:
                yield f"{key}_{name}", _scalars(dataset, str(name))
            elif array.ndim == 2:
                yield f"{key}_{name}", _wide(dataset, str(name))
            else:
                yield from _one_by_one(dataset, str(name), f"{key}_{name}")


def _monitors(run: Run) -> Iterator[tuple[str, list[Column]]]:
    for name, array in run.monitors.items():
        columns = {"time": array["time"], name: array}
        yield f"monitor_{name}", [(_header(n, a), a.values.tolist()) for n, a in columns.items()]


def _scalars(dataset: "xr.Dataset", name: str) -> list[Column]:
    points = dataset["point"].values.tolist()
    return [("point", points), (_header(name, dataset[name]), dataset[name].values.tolist())]


def _wide(dataset: "xr.Dataset", name: str) -> list[Column]:
    array = dataset[name]
    columns = _axis(dataset, str(array.dims[1]))
    for point, values in zip(dataset["point"].values.tolist(), array.values, strict=True):
        columns.append((_header(f"point {point}", array), values.tolist()))
    return columns


def _one_by_one(dataset: "xr.Dataset", name: str, stem: str) -> Iterator[tuple[str, list[Column]]]:
    """Yield a table per point: the first axes down, their numbers before, the last one across."""
    array = dataset[name]
    shape = array.shape[1:-1]
    places = np.indices(shape).reshape(len(shape), -1)
    across = _labels(dataset, str(array.dims[-1]))
    for point, values in zip(dataset["point"].values.tolist(), array.values, strict=True):
        flat = values.reshape(-1, values.shape[-1])
        columns: list[Column] = [
            (str(axis), places[number].tolist()) for number, axis in enumerate(array.dims[1:-1])
        ]
        heads = [_header(label, array) for label in across]
        columns += list(zip(heads, flat.T.tolist(), strict=True))
        yield f"{stem}_p{point:04d}", columns


def _axis(dataset: "xr.Dataset", axis: str) -> list[Column]:
    """Return the positions along an axis, or its numbers if it has none."""
    known = [n for n in dataset.coords if dataset.coords[n].dims == (axis,)]
    if not known:
        return [(axis, list(range(dataset.sizes[axis])))]
    return [(_header(str(n), dataset[n]), dataset[n].values.tolist()) for n in known]


def _labels(dataset: "xr.Dataset", axis: str) -> list[str]:
    if axis not in dataset.coords or dataset[axis].dims != (axis,):
        return [f"{axis} {number}" for number in range(dataset.sizes[axis])]
    units = str(dataset[axis].attrs.get("units", ""))
    return [f"{axis} {value} {units}".rstrip() for value in dataset[axis].values.tolist()]


def _header(name: str, array: "xr.DataArray") -> str:
    units = str(array.attrs.get("units", ""))
    return f"{name} [{units}]" if units else name


def _write(path: Path, columns: Sequence[Column]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([header for header, _ in columns])
        table.writerows(_cells(row) for row in zip(*[c for _, c in columns], strict=True))
    return path


def _cells(row: Iterable[Any]) -> Iterator[Any]:
    for cell in row:
        missing = isinstance(cell, float) and cell != cell
        yield "" if missing else cell
