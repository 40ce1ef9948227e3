"""How far a sample moves with its temperature: a table that is learned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DriftTable"]

Vector = NDArray[np.float64]

_SAME_K = 1.0
"""Entries within it replace each other."""
_LEVER_K = 5.0
"""A slope to go on with takes two entries at least so far apart."""


@dataclass(frozen=True)
class DriftTable:
    """Displacements at temperatures, against an origin that all entries share.

    Attributes:
        temperature_k: Rising, K.
        moved_um: Along x, y, z at each of them, um.
    """

    temperature_k: tuple[float, ...] = ()
    moved_um: tuple[tuple[float, float, float], ...] = field(default=())

    def at(self, temperature_k: float) -> Vector:
        """Return the displacement at a temperature, um, shape (3,); 0 of an empty table.

        Straight lines lead from entry to entry, and the outermost ones go on beyond them.
        """
        if not self.temperature_k:
            return np.zeros(3)
        kelvin, moved = np.array(self.temperature_k), np.array(self.moved_um)
        inside = np.array([np.interp(temperature_k, kelvin, moved[:, axis]) for axis in range(3)])
        end = 0 if temperature_k < kelvin[0] else -1
        beyond_k = temperature_k - float(np.clip(temperature_k, kelvin[0], kelvin[-1]))
        return inside + beyond_k * self._slope(kelvin, moved, end)

    def learn(self, temperature_k: float, moved_um: Vector) -> "DriftTable":
        """Return the table with one more entry; one within 1 K of it is forgotten."""
        entries = {
            kelvin: moved
            for kelvin, moved in zip(self.temperature_k, self.moved_um, strict=True)
            if abs(kelvin - temperature_k) > _SAME_K
        }
        x, y, z = (float(um) for um in moved_um)
        entries[temperature_k] = (x, y, z)
        order = sorted(entries)
        return DriftTable(tuple(order), tuple(entries[kelvin] for kelvin in order))

    def to_record(self) -> dict[str, Any]:
        """Return what is stored; keys carry the unit."""
        return {
            "temperature_k": list(self.temperature_k),
            "moved_um": [list(moved) for moved in self.moved_um],
        }

    @staticmethod
    def from_record(record: Mapping[str, Any]) -> "DriftTable":
        """Read what ``to_record`` has written."""
        table = DriftTable()
        for kelvin, moved in zip(record["temperature_k"], record["moved_um"], strict=True):
            table = table.learn(float(kelvin), np.array(moved, dtype=np.float64))
        return table

    @staticmethod
    def _slope(kelvin: Vector, moved: Vector, end: int) -> Vector:
        far = np.flatnonzero(np.abs(kelvin - kelvin[end]) >= _LEVER_K)
        if not far.size:
            return np.zeros(3)
        other = far[0] if end == 0 else far[-1]
        slope: Vector = (moved[end] - moved[other]) / (kelvin[end] - kelvin[other])
        return slope
