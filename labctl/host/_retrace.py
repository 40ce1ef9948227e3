"""A script that is run again to go on with its run: what it did already is passed over.

The loops of a script are not in the file of its run. So the script itself leads the way: it runs
from its beginning, and until it comes to where it was broken off, it is handed what was stored,
and nothing moves. There the set-up is led back as for a recipe.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from labctl.errors import RefusedError
from labctl.measurements import Measurement
from labctl.recipes import Measure, Move, Step
from labctl.roles import SettleRule
from labctl.sequencer import OnTimeout, Past, Session, Skipped, execute
from labctl.storage import Run, read_run

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Retrace"]

_HINT = "go on with the script that made it, unchanged up to there; or begin a new run"


class Retrace:
    """The way of a script up to where it was.

    Attributes:
        passing: Whether it has still to come there.
    """

    def __init__(self, past: Past) -> None:
        """Begin at the beginning of the script.

        Args:
            past: What its run has come to.
        """
        self.past, self._stored = past, _Stored(read_run(past.folder.path))
        self.passing = bool(past.last)
        self._steps: list[Step] = []
        self._set: dict[str, float] = {}

    def set(
        self, session: Session, step_id: str, move: tuple[str, float, SettleRule | None, OnTimeout]
    ) -> float:
        """Pass over a move.

        Returns:
            The value that was asked for.

        Raises:
            Skipped: It was left out then, because it did not arrive.
        """
        settable, value, rule, on_timeout = move
        unit = session.station.settable(settable).spec.unit
        number = len(self._steps)
        self._steps.append(
            Move(number, step_id, (number,), (), "abort", settable, value, unit, rule, on_timeout)
        )
        skipped = step_id in self.past.skipped
        self._set[settable] = float(value)
        self._arrive(session, step_id)
        if skipped:
            raise Skipped
        return value

    def measure(
        self, session: Session, step_id: str, measurement: Measurement, label: str
    ) -> "xr.Dataset":
        """Pass over a point; returns it as it is stored.

        Raises:
            RefusedError: The script measures something else than then.
        """
        done = self.past.done.get(step_id)
        kind = f"{measurement.kind} {label}".rstrip()
        if done is None:
            self._refuse(f"the script measures {kind} ({step_id}), which it did not do then")
        elif done.kind != kind:
            self._refuse(f"point {done.index} was {done.kind}; now the script measures {kind}")
        elif done.set != self._set:
            then, now = _shown(done.set), _shown(self._set)
            self._refuse(f"point {done.index} was taken at {then}; now the script is at {now}")
        number = len(self._steps)
        self._steps.append(Measure(number, step_id, (number,), (), "abort", measurement, label))
        found = self._stored.point(self.past.done[step_id].index)
        self._arrive(session, step_id)
        return found

    def end(self) -> None:
        """Take note that the script has ended.

        Raises:
            RefusedError: It never came to where it was.
        """
        if self.passing:
            self._refuse(f"the script ended before {self.past.last}, which was done last")

    def _arrive(self, session: Session, step_id: str) -> None:
        """Lead the set-up back when the script has come to where it was."""
        if step_id == self.past.last:
            self.passing = False
            execute(session, self._steps, self.past)

    def _refuse(self, text: str) -> None:
        raise RefusedError("run", f"run {self.past.uid} does not go on: {text}", _HINT)


class _Stored:
    """The points of a run by their index."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def point(self, index: int) -> "xr.Dataset":
        for dataset in self._run.data.values():
            rows = np.flatnonzero(dataset["point"].values == index)
            if len(rows):
                return dataset.isel(point=int(rows[-1]))
        raise RefusedError("run", f"point {index} is not in {self._run.path}", _HINT)


def _shown(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items()) or "nothing set"
