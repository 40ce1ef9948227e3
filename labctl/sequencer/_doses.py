"""The light that each dot has had: what fell on it in the spot, in maps, and in wide fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labctl.measurements import Fallen

if TYPE_CHECKING:
    from labctl.sequencer._session import Session

__all__ = ["Doses"]

_KEPT = "light on places "
_NEGLIGIBLE_REL = 1e-6


@dataclass(frozen=True)
class _Known:
    """A dot: its name, its place on the stage, um, and its dose when it became known, uJ/cm²."""

    dot: str
    place_um: tuple[float, float]
    before_uj_cm2: float


class Doses:
    """Adds up the light on the dots of a run, uJ/cm² summed over pulses; an estimate.

    Light that fell before a dot was found counts once it is. The doses are kept in the memory of
    the session, and what has fallen in maps and pictures in its arrays, so that a run which is
    taken up again goes on with both.
    """

    def __init__(self, session: "Session") -> None:
        """Nothing is known, and it is dark."""
        self._session = session
        self._known: dict[str, _Known] = {}
        self._fallen: list[NDArray[np.float64]] = []
        self._unkept: list[Fallen] = []

    def know(self, key: str, dot: str, place_um: tuple[float, float], before_uj_cm2: float) -> None:
        """Count the light on a dot from now on, and what has fallen on its place in this run.

        Args:
            key: Name under which its dose is remembered.
            dot: Its name.
            place_um: Where the stage is with the dot in the spot, um.
            before_uj_cm2: Its dose in earlier runs.
        """
        self._known[key] = _Known(dot, place_um, before_uj_cm2)
        if key in self._session.memory:
            return
        dose = before_uj_cm2 + sum(Fallen(rows).on_uj_cm2(place_um) for rows in self._rows())
        if dose > 0.0:
            self._remember(key, dose)

    def place_um(self, key: str) -> tuple[float, float]:
        """Return where the stage is with a known dot in the spot, um."""
        return self._known[key].place_um

    def of(self, key: str) -> float:
        """Return the light on a known dot in all runs, uJ/cm²."""
        return self._session.memory.get(key, self._known[key].before_uj_cm2)

    def fall(self, light: Fallen, *, on_places: bool) -> None:
        """Count light on all dots; ``on_places``: that of a map or picture, and not of one dot."""
        if on_places:
            self._unkept.append(light)
        else:
            self._add_rows(light.rows)
        least = _NEGLIGIBLE_REL * float(light.rows[:, 2].max())
        for key, known in self._known.items():
            dose = light.on_uj_cm2(known.place_um)
            if dose > least:
                self._remember(key, self.of(key) + dose)

    def take_unkept(self) -> tuple[str, NDArray[np.float64], Mapping[str, Any]] | None:
        """Return name, places and doses of dots of what has fallen since this was asked last."""
        if not self._unkept:
            return None
        last = self._unkept[-1]
        rows = np.vstack([light.rows for light in self._unkept])
        self._unkept = []
        light = Fallen(rows, last.fluence_error_rel, last.spot_error_rel)
        number = sum(name.startswith(_KEPT) for name in self._session.arrays)
        return (
            f"{_KEPT}{number}",
            rows,
            {one.dot: _told(light, one) for one in self._known.values()},
        )

    def _rows(self) -> list[NDArray[np.float64]]:
        kept = self._session.arrays.items()
        return [
            *(rows for name, rows in kept if name.startswith(_KEPT)),
            *(light.rows for light in self._unkept),
            *self._fallen,
        ]

    def _add_rows(self, rows: NDArray[np.float64]) -> None:
        """Keep light on one place; a long run has few of them, and very many exposures there."""
        last = self._fallen[-1] if self._fallen else None
        if last is not None and np.array_equal(last[:, [0, 1, 3]], rows[:, [0, 1, 3]]):
            last[:, 2] += rows[:, 2]
        else:
            self._fallen.append(rows)

    def _remember(self, key: str, dose_uj_cm2: float) -> None:
        self._session.memory[key] = self._session.news[key] = dose_uj_cm2


def _told(light: Fallen, known: _Known) -> dict[str, float | None]:
    return {
        "dose_uj_cm2": light.on_uj_cm2(known.place_um),
        "dose_error_uj_cm2": light.error_uj_cm2(known.place_um),
    }
