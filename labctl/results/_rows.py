"""A stored run, and how scalars and arrays of a point are found by their names in the recipe."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Measured

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "TEMPERATURE",
    "StoredRun",
    "experiment_of",
    "number",
    "optional",
    "row_array",
    "row_values",
    "temperature",
]

Vector = NDArray[np.float64]

TEMPERATURE = "cryostat.temperature"
_SAMPLE_TEMPERATURE = "cryostat.sample_temperature"


class StoredRun(Protocol):
    """What the analysis needs of a run; `labctl.storage.Run` has it."""

    path: Path

    @property
    def uid(self) -> str:
        """Unique name of the run."""
        ...

    @property
    def title(self) -> str:
        """Title in the user's words."""
        ...

    @property
    def start(self) -> Mapping[str, Any]:
        """Content of the start record."""
        ...

    @property
    def data(self) -> "Mapping[str, xr.Dataset]":
        """Arrays by measurement."""
        ...

    @property
    def analyses(self) -> Sequence[Mapping[str, Any]]:
        """Results that were computed while the run was going: calibrations among them."""
        ...

    @property
    def sidecars(self) -> Sequence[Mapping[str, Any]]:
        """Files that belong to the run."""
        ...


def experiment_of(run: StoredRun) -> str:
    """Return the id of the experiment that the recipe of a run gives; empty: none."""
    recipe: Mapping[str, Any] = run.start.get("recipe") or {}
    return str(recipe.get("experiment", ""))


def row_values(dataset: "xr.Dataset", row: int) -> dict[str, Any]:
    """Return the scalars of one point by the name they have in the recipe or settings."""
    found: dict[str, Any] = {}
    # A variable alone: a named array with its coordinates takes hundreds of times longer to make.
    for name in dataset.coords:
        variable = dataset.variables[name]
        if variable.dims != ("point",):
            continue
        source, role = variable.attrs.get("source", name), variable.attrs.get("role", "setting")
        key = source if role in ("setting", "point") else f"{source}:{role}"
        found[str(key)] = variable.values[row]
    return found


def row_array(dataset: "xr.Dataset", name: str, row: int) -> Vector:
    """Return an array of one point, float64."""
    variable = dataset.variables[name]
    chosen = variable.isel(point=row) if "point" in variable.dims else variable
    return np.asarray(chosen.values, dtype=np.float64)


def number(value: Any, default: float) -> float:
    """Return a finite number, or the default."""
    found = optional(value)
    return default if found is None else found


def optional(value: Any) -> float | None:
    """Return a finite number or None."""
    if value is None or isinstance(value, str):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def temperature(values: Mapping[str, Any]) -> Measured | None:
    """Return the reading nearest to the dot: the sample's thermometer if there is one."""
    for source in (_SAMPLE_TEMPERATURE, TEMPERATURE):
        value = optional(values.get(f"{source}:read"))
        if value is not None and value > 0:
            return Measured(value, number(values.get(f"{source}:std"), 0.0))
    value = optional(values.get(f"{TEMPERATURE}:set"))
    return None if value is None else Measured(value, 0.0)
