"""A run as one netCDF file with groups, for whoever works with xarray."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labctl.storage import Run

if TYPE_CHECKING:
    from xarray import Dataset

__all__ = ["export_netcdf"]


def export_netcdf(run: Run, path: Path) -> Path:
    """Write groups ``points``, ``data/<measurement>`` and ``monitors/<quantity>``.

    Beside the arrays of a measurement stand what was set and read; the settings of all
    instruments stand in ``points`` only, because netCDF is slow with many small fields.
    ``xarray.open_datatree(path)`` reads it. What the run was told (recipe, set-up) stands as
    JSON in the attribute ``start`` of the root.

    Raises:
        OSError: If the file cannot be written.
    """
    import xarray as xr

    groups: dict[str, Dataset] = {"/": xr.Dataset(attrs=_told(run)), "/points": run.points}
    groups |= {f"/data/{name}": _lean(dataset) for name, dataset in run.data.items()}
    groups |= {
        f"/monitors/{name}": array.to_dataset(name="value") for name, array in run.monitors.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    tree: Any = xr.DataTree  # its types are not whole
    tree.from_dict(groups).to_netcdf(path, engine="h5netcdf")
    return path


def _told(run: Run) -> dict[str, Any]:
    return {
        "uid": run.uid,
        "name": run.name,
        "title": run.title,
        "status": run.status.value,
        "start": json.dumps(dict(run.start), default=str),
    }


def _lean(dataset: "Dataset") -> "Dataset":
    settings = [
        name
        for name in dataset.coords
        if dataset[name].dims == ("point",) and dataset[name].attrs.get("role") == "setting"
    ]
    return dataset.drop_vars(settings)
