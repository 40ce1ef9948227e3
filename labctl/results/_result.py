"""Results of stored runs: one quantity of one experiment, with its error and its tables."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labctl.analysis import Measured

__all__ = ["Cell", "ExperimentResult", "ResultTable"]

Cell = float | int | str | None


@dataclass(frozen=True)
class ResultTable:
    """Numbers per point.

    Attributes:
        name: Such as ``"temperature_series"``.
        units: Column name to unit, in the order of the columns.
        rows: One tuple per point, in the order of the columns; None where there is no value.
    """

    name: str
    units: Mapping[str, str]
    rows: tuple[tuple[Cell, ...], ...]

    def column(self, name: str) -> tuple[Cell, ...]:
        """Return one column.

        Raises:
            KeyError: If there is none of this name.
        """
        names = list(self.units)
        if name not in names:
            raise KeyError(name)
        place = names.index(name)
        return tuple(row[place] for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return plain values; what is not finite becomes None."""
        columns = {name: [_plain(value) for value in self.column(name)] for name in self.units}
        return {"units": dict(self.units), "columns": columns}


@dataclass(frozen=True)
class ExperimentResult:
    """One determined quantity.

    Attributes:
        experiment: Id of the experiment, ``"E01"``, ``"E04"``.
        quantity: Name, such as ``"gamma_lo"``.
        value: Best estimate in ``unit``.
        standard_error: One sigma, in ``unit``.
        unit: Unit of value and error.
        point: Index of the point, where the quantity belongs to one.
        tables: Numbers per point that the quantity rests on.
        warnings: What the reader must know before using the number.
    """

    experiment: str
    quantity: str
    value: float
    standard_error: float
    unit: str
    point: int | None = None
    tables: tuple[ResultTable, ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def measured(self) -> Measured:
        """Value and error."""
        return Measured(self.value, self.standard_error)

    def as_json(self) -> dict[str, Any]:
        """Return plain values without the tables."""
        found: dict[str, Any] = {
            "experiment": self.experiment,
            "quantity": self.quantity,
            "value": _plain(self.value),
            "standard_error": _plain(self.standard_error),
            "unit": self.unit,
            "warnings": list(self.warnings),
        }
        if self.point is not None:
            found["point"] = self.point
        return found


def _plain(value: Cell) -> Cell:
    return None if isinstance(value, float) and not math.isfinite(value) else value
